"""The server: all that can fail first, then the named components, then an orderly stop. I/O."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import uvloop

from console.service import Console
from console.setting import ConsoleSetting
from dialer.engine import Engine, EngineSetting
from dialer.schedule import Schedule
from domain.clock import utc_now
from domain.errors import ConfigError
from domain.msisdn import national
from ivr.agi.client import AgiClient
from ivr.agi.lanes import Lanes
from ivr.agi.stream import AgiStream
from ivr.ami.connection import AmiConnection
from ivr.ari.client import AriClient
from ivr.ari.websocket import AriStream
from ivr.driver import CallDriver, EventStream
from ivr.node import AsteriskNode, NodeSetting
from ivr.prompts import Catalogue, check_catalogue, load_script
from runtime import logs
from runtime.callback_wiring import callback_setting, supervision
from runtime.health import Report, serve_health
from runtime.settings import Settings, require_secrets
from runtime.smsc_file import load_smscs
from sms.service import Texts
from sms.setting import TextSetting
from store.engine import Store, open_store
from store.journal import Journal
from store.limits import Caps
from store.migrate import require_current
from store.spool import Spool
from store.users import LoginLimits

log = logging.getLogger(__name__)

_DIAL_FORMS: dict[str, Callable[[str], str]] = {"national": national, "e164": str}


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
        driver, stream = await _driver(stack, settings)
        journal = Journal(
            store, spool, settings.callbacks.target_by, settings.store.patience_seconds
        )
        node = AsteriskNode(
            _node_setting(settings),
            driver,
            stream,
            store,
            journal,
            catalogue.media,
            utc_now,
        )
        engine = Engine(_engine_setting(settings, catalogue), store, node, utc_now)
        texts = _texts(settings, store)
        schedule = Schedule(store, callback_setting(settings), utc_now)

        def report() -> dict[str, Any]:
            return _report(node, journal, engine, texts)

        await _serve_health(stack, settings, report)
        console = await _open_console(stack, settings, store, report)
        log.info("serving; script %s, health on port %d", catalogue.version, settings.health.port)
        async with asyncio.TaskGroup() as group:
            showing = None if console is None else group.create_task(console.run(), name="console")
            await _run_components(
                node, journal, engine, texts, schedule, settings.dialer.drain_seconds
            )
            if showing is not None:
                showing.cancel()


async def _run_components(
    node: AsteriskNode,
    journal: Journal,
    engine: Engine,
    texts: Texts,
    schedule: Schedule,
    drain_seconds: float,
) -> None:
    """Run until told to stop: then no new call, let calls end, keep what they said."""
    stop = _stop_signal()
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(journal.run(), name="journal")
        calling = group.create_task(node.run(), name="node")
        dialling = group.create_task(engine.run(), name="engine")
        texting = group.create_task(texts.run(), name="texts")
        ticking = group.create_task(schedule.run(), name="schedule")
        await stop.wait()
        log.info("stopping; %d calls may end within %g s", len(node.calls), drain_seconds)
        for task in (dialling, texting, ticking):
            task.cancel()
        await asyncio.wait({dialling, texting, ticking})
        try:
            async with asyncio.timeout(drain_seconds):
                await node.drained()
        except TimeoutError:
            log.warning("%d calls are still live; the next start takes them over", len(node.calls))
        calling.cancel()
        await asyncio.wait({calling})
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


async def _driver(stack: AsyncExitStack, settings: Settings) -> tuple[CallDriver, EventStream]:
    """The way to Asterisk that is set: ARI, or AMI with FastAGI."""
    asterisk = settings.asterisk
    if settings.ivr.driver == "ari":
        client = AriClient(asterisk.ari_url, asterisk.ari_user, asterisk.ari_password, asterisk.app)
        stack.push_async_callback(client.close)
        return client, AriStream(client)
    ami = AmiConnection(
        asterisk.ami_host, asterisk.ami_port, asterisk.ami_user, asterisk.ami_secret
    )
    lanes = Lanes(utc_now)
    agi = AgiClient(ami, lanes)
    stream = AgiStream(ami, agi, lanes, utc_now)
    await lanes.listen(settings.ivr.agi_host, settings.ivr.agi_port)
    stack.push_async_callback(lanes.close)
    return agi, stream


def _node_setting(settings: Settings) -> NodeSetting:
    return NodeSetting(
        name=settings.asterisk.node,
        caller_id=settings.trunk.caller_id,
        dial_form=_DIAL_FORMS[settings.trunk.number_format],
        max_call_seconds=settings.ivr.max_call_seconds,
        silence_seconds=settings.ivr.silence_seconds,
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


async def _open_console(
    stack: AsyncExitStack, settings: Settings, store: Store, report: Report
) -> Console | None:
    given = settings.console
    if not given.enabled:
        return None
    setting = ConsoleSetting(
        host=given.host,
        port=given.port,
        idle=timedelta(seconds=given.idle_seconds),
        login=LoginLimits(given.login_failures, timedelta(seconds=given.lock_seconds)),
        secure_cookies=given.secure_cookies,
    )
    lease = timedelta(seconds=settings.callbacks.lease_seconds)
    supervised = supervision(store, callback_setting(settings), lease)
    console = Console(setting, store, utc_now, report, supervised)
    await console.open()
    stack.push_async_callback(console.close)
    return console


async def _serve_health(stack: AsyncExitStack, settings: Settings, report: Report) -> None:
    host, port = settings.health.host, settings.health.port
    try:
        runner = await serve_health(host, port, report)
    except OSError as error:
        raise ConfigError(
            f"port {port} for /health is taken ({error.strerror}): set [health] port"
        ) from error
    stack.push_async_callback(runner.cleanup)


def _report(node: AsteriskNode, journal: Journal, engine: Engine, texts: Texts) -> dict[str, Any]:
    return {
        "ok": node.ready and journal.store_is_up,
        "asterisk": {"ready": node.ready, "trouble": node.stream.trouble},
        "store": {"up": journal.store_is_up, "spooled_facts": journal.spooled},
        "calls": len(node.calls),
        "binds": texts.report(),
        "why_idle": engine.why_idle,
        "key_1_to_committed": node.call_setting.key_to_commit.summary(),
        "key_1_to_thanks": node.call_setting.key_to_thanks.summary(),
    }
