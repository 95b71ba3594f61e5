"""The server: all that can fail first, then the named components, then an orderly stop. I/O."""

import asyncio
import gc
import logging
import resource
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import uvloop

from console.service import Console
from dialer.attendance import Attendance
from dialer.braking import Braking, Tick
from dialer.engine import Engine
from dialer.following import Following
from dialer.schedule import Schedule
from dialer.text_engine import TextEngine
from dialer.trials import Trials
from domain.clock import utc_now
from ivr.node import AsteriskNode
from ivr.queue_9090 import Queue9090
from ivr.repertoire import open_repertoire
from runtime import logs, wiring
from runtime.agents import DutyRoster, agent_calls, queue_9090
from runtime.brake_wiring import brake_setting
from runtime.loop_lag import LoopLag
from runtime.metrics import Metrics, Sources
from runtime.phone_line import AgentsLine
from runtime.retention_wiring import retention
from runtime.row_figures import RowFigures
from runtime.settings import Settings, require_secrets
from sms.service import Texts
from store.engine import Store, open_store
from store.journal import Journal
from store.revision import require_current
from store.serving import SERVER
from store.spool import Spool

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Parts:
    """The components of a server."""

    store: Store
    journal: Journal
    node: AsteriskNode
    queue: Queue9090
    engine: Engine
    trials: Trials
    texts: Texts
    text_engine: TextEngine
    schedule: Schedule

    def report(self) -> dict[str, Any]:
        """How the server is, for `/health` and the console."""
        node, journal, latency = self.node, self.journal, self.node.call_setting
        return {
            "ok": node.ready and journal.store_is_up,
            "asterisk": {"ready": node.ready, "trouble": node.stream.trouble},
            "queue_9090": {"trouble": self.queue.trouble, "view": self.engine.queue_view},
            "store": {"up": journal.store_is_up, "spooled_facts": journal.spooled},
            "calls": len(node.calls),
            "binds": self.texts.report(),
            "why_idle": self.engine.why_idle | self.text_engine.why_idle,
            "alarms": self.engine.alarms,
            "open_files_limit": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            "key_1_to_committed": latency.key_to_commit.summary(),
            "key_1_to_thanks": latency.key_to_thanks.summary(),
        }


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises TstnError where the server can't start."""
    logs.set_up(settings.log.level, settings.log.format)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    require_secrets(settings)
    async with AsyncExitStack() as stack:
        parts = await _open(stack, settings)
        lag = LoopLag()
        metrics = _metrics(stack, parts, lag, settings)
        await wiring.open_health(stack, settings, parts.report, metrics.exposition)
        calls = parts.node.agent_calls
        line = None if calls is None else AgentsLine(calls)
        console = await wiring.open_console(stack, settings, parts.store, parts.report, line)
        # All that stands by now stays: looking through it for garbage would stop calls and pages
        # for 0.2 s, half a second from now and again and again.
        gc.freeze()
        log.info("serving; health on port %d", settings.health.port)
        async with asyncio.TaskGroup() as group:
            showing = group.create_task(_show(console), name="console")
            looking = group.create_task(lag.run(), name="loop-lag")
            await _run_components(parts, settings.dialer.drain_seconds)
            showing.cancel()
            looking.cancel()


def _metrics(stack: AsyncExitStack, parts: _Parts, lag: LoopLag, settings: Settings) -> Metrics:
    at_risk = timedelta(seconds=settings.callbacks.at_risk_seconds)
    holidays = settings.calendar.holidays
    rows = RowFigures(parts.store, at_risk, holidays, utc_now, time.monotonic)
    stack.push_async_callback(rows.close)
    node, texts = parts.node, parts.texts
    return Metrics(
        Sources(node, parts.queue, parts.journal, texts, parts.schedule, lag=lag, rows=rows)
    )


async def _show(console: Console | None) -> None:
    if console is not None:
        await console.run()


async def _open(stack: AsyncExitStack, settings: Settings) -> _Parts:
    repertoire = open_repertoire(settings.ivr.prompts_dir, settings.scripts)
    store = open_store(settings.store.url, SERVER)
    stack.push_async_callback(store.close)
    await require_current(store)
    spool = Spool(settings.spool.path)
    stack.callback(spool.close)
    driver, stream = await wiring.open_driver(stack, settings)
    patience_seconds = settings.store.patience_seconds
    journal = Journal(store, spool, settings.callbacks.target_by, patience_seconds)
    queue = queue_9090(settings, DutyRoster(store))
    node = AsteriskNode(
        wiring.node_setting(settings),
        driver,
        stream,
        store,
        journal,
        repertoire.media,
        utc_now,
        agent_calls=agent_calls(settings, driver, store),
        agents=queue,
    )
    texts = wiring.texts(settings, store)
    engine_setting = wiring.engine_setting(settings, repertoire)
    brakes = brake_setting(settings)
    braking = Braking(store, brakes, utc_now, queue)
    more = (
        *braking.ticks(),
        *retention(settings, store, utc_now).ticks(),
        *Following(store, utc_now).ticks(),
        *_attendance(settings, store),
    )
    engine = Engine(engine_setting, store, node, utc_now, agents=queue)
    trials = wiring.trials(settings, store, node, engine.capacity)
    return _Parts(
        store=store,
        journal=journal,
        node=node,
        queue=queue,
        engine=engine,
        trials=trials,
        texts=texts,
        text_engine=wiring.text_engine(settings, store, texts.stir),
        schedule=Schedule(store, brakes.callbacks, utc_now, more=more),
    )


def _attendance(settings: Settings, store: Store) -> Sequence[Tick]:
    """Sessions live as long as a console says: a node without one judges none."""
    idle = timedelta(seconds=settings.console.idle_seconds)
    return Attendance(store, idle, utc_now).ticks() if settings.console.enabled else ()


async def _run_components(parts: _Parts, drain_seconds: float) -> None:
    """Run until told to stop: then no new call, let calls end, keep what they said."""
    stop, node, journal = _stop_signal(), parts.node, parts.journal
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(journal.run(), name="journal")
        calling = group.create_task(node.run(), name="node")
        leading = group.create_task(parts.queue.run(node), name="queue-9090")
        beginning = {
            group.create_task(parts.engine.run(), name="engine"),
            group.create_task(parts.trials.run(), name="trials"),
            group.create_task(parts.texts.run(), name="texts"),
            group.create_task(parts.text_engine.run(), name="text-engine"),
            group.create_task(parts.schedule.run(), name="schedule"),
        }
        await stop.wait()
        log.info("stopping; %d calls may end within %g s", len(node.calls), drain_seconds)
        for task in beginning:
            task.cancel()
        await asyncio.wait(beginning)
        try:
            async with asyncio.timeout(drain_seconds):
                await node.drained()
        except TimeoutError:
            log.warning("%d calls are still live; the next start takes them over", len(node.calls))
        for task in (calling, leading):
            task.cancel()
        await asyncio.wait({calling, leading})
        await journal.close()
        await writing
    log.info("stopped")


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
