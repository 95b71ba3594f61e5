"""The server: all that can fail first, then the named components, then an orderly stop. I/O."""

import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any

import uvloop

from dialer.engine import Engine, EngineSetting
from domain.clock import utc_now
from domain.errors import ConfigError
from ivr.ari.client import AriClient
from ivr.node import AsteriskNode, NodeSetting
from ivr.prompts import Catalogue, check_catalogue, load_script
from ivr.queue_9090 import Queue9090
from runtime import logs
from runtime.agents import DIAL_FORMS, NobodyOnDuty, queue_9090
from runtime.health import serve_health
from runtime.settings import Settings, require_secrets
from runtime.smsc_file import load_smscs
from sms.service import Texts
from sms.setting import TextSetting
from store.engine import Store, open_store
from store.journal import Journal
from store.limits import Caps
from store.migrate import require_current
from store.spool import Spool

log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises TstnError where the server can't start."""
    logs.set_up(settings.log.level, settings.log.format)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    require_secrets(settings)
    catalogue = check_catalogue(settings.ivr.prompts_dir, load_script(settings.ivr.script))
    async with AsyncExitStack() as stack:
        store = open_store(settings.store.url)
        stack.push_async_callback(store.close)
        await require_current(store)
        spool = Spool(settings.spool.path)
        stack.callback(spool.close)
        client = await stack.enter_async_context(_client(settings))
        journal = Journal(
            store, spool, settings.callbacks.target_by, settings.store.patience_seconds
        )
        queue = queue_9090(settings, NobodyOnDuty())
        node = AsteriskNode(
            _node_setting(settings),
            client,
            store,
            journal,
            catalogue.media,
            utc_now,
            agents=queue,
        )
        engine = Engine(_engine_setting(settings, catalogue), store, node, utc_now, agents=queue)
        texts = _texts(settings, store)

        def report() -> dict[str, Any]:
            return _report(node, journal, engine, texts, queue)

        await _serve_health(stack, settings, report)
        log.info("serving; script %s, health on port %d", catalogue.version, settings.health.port)
        await _run_components(node, queue, journal, engine, texts, settings.dialer.drain_seconds)


async def _run_components(
    node: AsteriskNode,
    queue: Queue9090,
    journal: Journal,
    engine: Engine,
    texts: Texts,
    drain_seconds: float,
) -> None:
    """Run until told to stop: then no new call, let calls end, keep what they said."""
    stop = _stop_signal()
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(journal.run(), name="journal")
        calling = group.create_task(node.run(), name="node")
        leading = group.create_task(queue.run(node), name="queue-9090")
        dialling = group.create_task(engine.run(), name="engine")
        texting = group.create_task(texts.run(), name="texts")
        await stop.wait()
        log.info("stopping; %d calls may end within %g s", len(node.calls), drain_seconds)
        dialling.cancel()
        texting.cancel()
        await asyncio.wait({dialling, texting})
        try:
            async with asyncio.timeout(drain_seconds):
                await node.drained()
        except TimeoutError:
            log.warning("%d calls are still live; the next start takes them over", len(node.calls))
        calling.cancel()
        leading.cancel()
        await asyncio.wait({calling, leading})
        await journal.close()
        await writing
    log.info("stopped")


def _texts(settings: Settings, store: Store) -> Texts:
    smscs = load_smscs(settings)
    setting = TextSetting(
        replies=asdict(settings.replies),
        accounts=smscs.accounts,
        target_by=settings.callbacks.target_by,
        repeat_seconds=settings.sms.repeat_seconds,
        most_an_hour=settings.sms.most_an_hour,
        join_seconds=settings.sms.join_seconds,
        patience_seconds=settings.store.patience_seconds,
    )
    return Texts(smscs.binds, smscs.account_tps, setting, store, utc_now)


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _client(settings: Settings) -> AriClient:
    ari = settings.asterisk
    return AriClient(ari.ari_url, ari.ari_user, ari.ari_password, ari.app)


def _node_setting(settings: Settings) -> NodeSetting:
    return NodeSetting(
        name=settings.asterisk.node,
        caller_id=settings.trunk.caller_id,
        dial_form=DIAL_FORMS[settings.trunk.number_format],
        max_call_seconds=settings.ivr.max_call_seconds,
        silence_seconds=settings.ivr.silence_seconds,
        agents_seconds=settings.agents.wait_seconds + settings.agents.max_talk_seconds,
    )


def _engine_setting(settings: Settings, catalogue: Catalogue) -> EngineSetting:
    return EngineSetting(
        node=settings.asterisk.node,
        trunk=settings.trunk.name,
        defaults=Caps(settings.dialer.cps, settings.dialer.max_channels),
        scripts=frozenset({catalogue.version}),
        max_call_seconds=settings.ivr.max_call_seconds,
        holidays=settings.calendar.holidays,
        tick_seconds=settings.dialer.tick_seconds,
    )


async def _serve_health(stack: AsyncExitStack, settings: Settings, report: Any) -> None:
    host, port = settings.health.host, settings.health.port
    try:
        runner = await serve_health(host, port, report)
    except OSError as error:
        raise ConfigError(
            f"port {port} for /health is taken ({error.strerror}): set [health] port"
        ) from error
    stack.push_async_callback(runner.cleanup)


def _report(
    node: AsteriskNode, journal: Journal, engine: Engine, texts: Texts, queue: Queue9090
) -> dict[str, Any]:
    return {
        "ok": node.ready and journal.store_is_up,
        "asterisk": {"ready": node.ready, "trouble": node.stream.trouble},
        "store": {"up": journal.store_is_up, "spooled_facts": journal.spooled},
        "calls": len(node.calls),
        "binds": texts.report(),
        "why_idle": engine.why_idle,
        "queue_9090": {"trouble": queue.trouble, "view": engine.queue_view},
        "key_1_to_committed": node.call_setting.key_to_commit.summary(),
        "key_1_to_thanks": node.call_setting.key_to_thanks.summary(),
    }
