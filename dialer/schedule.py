"""APScheduler's ticks: how often each kind of work is looked at; rows say what is due. I/O."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]

from dialer import callbacks
from dialer.braking import Tick
from dialer.callbacks import CallbackSetting
from domain.clock import Clock, utc_now
from domain.errors import StoreUnavailable
from domain.sla import SlaState
from store import sla
from store.engine import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two ticks of each kind."""

    schedule: float = 1.0
    expire: float = 5.0
    deadlines: float = 30.0
    report: float = 300.0


@dataclass(slots=True)
class TickRuns:
    """How one kind of tick has gone on this node: `last_at` is when it last came to a good end."""

    last_at: datetime | None = None
    seconds: float = 0.0
    runs: int = 0
    failures: int = 0


class Schedule:
    """Runs the ticks of this node; other nodes may run theirs at the same time.

    Attributes:
        ticks: by name, how each kind has gone; `seconds` of the last one.
    """

    def __init__(
        self,
        store: Store,
        setting: CallbackSetting,
        clock: Clock,
        pace: Pace | None = None,
        more: Sequence[Tick] = (),
    ) -> None:
        self._store = store
        self._setting = setting
        self._clock = clock
        self._pace = pace or Pace()
        self._more = more
        self._in_trouble: set[str] = set()
        self.ticks: defaultdict[str, TickRuns] = defaultdict(TickRuns)

    async def run(self) -> None:
        """Tick until cancelled. A tick that fails is logged, and tried again at its next time."""
        scheduler = AsyncIOScheduler(timezone=UTC)  # by the machine's time; only the work asks ours
        for name, work, seconds in (
            ("schedule", self.schedule, self._pace.schedule),
            ("expire", self.return_expired, self._pace.expire),
            ("deadlines", self.raise_deadlines, self._pace.deadlines),
            ("report", self.report, self._pace.report),
            *self._more,
        ):
            scheduler.add_job(
                self._tick,
                "interval",
                (name, work),
                seconds=seconds,
                id=name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,  # late is better than not at all
                next_run_time=utc_now(),
            )
        scheduler.start()
        try:
            await asyncio.Event().wait()
        finally:
            scheduler.remove_all_jobs()
            await asyncio.sleep(0)  # what was just begun is within `_tick` by then
            scheduler.shutdown(wait=False)

    async def schedule(self) -> None:
        """Make ready what waits, and give up what was called often enough."""
        has_more = True
        while has_more:
            done = await self._store.write(callbacks.schedule, self._clock(), self._setting)
            has_more = done.has_more
            if done.given_up:
                log.info("%d subscribers were not reached in all attempts", done.given_up)

    async def return_expired(self) -> None:
        """Give back what nobody renews."""
        if count := await self._store.write(callbacks.return_expired, self._clock()):
            log.warning("%d call-backs went back to the queue: their lease ran out", count)

    async def raise_deadlines(self) -> None:
        """Say, once each, what is at risk, late or broken."""
        counts: Counter[SlaState] = Counter()
        has_more = True
        while has_more:
            raised = await self._store.write(
                callbacks.raise_deadlines, self._clock(), self._setting
            )
            counts.update(raised.counts)
            has_more = raised.has_more
        for level, count in counts.items():
            if count:
                log.warning("%d call-backs are now %s", count, level.replace("_", " "))

    async def report(self) -> None:
        """Keep the report of each day that is over."""
        now = self._clock()
        for day in await self._store.read(sla.missing_days, now):
            rows = await self._store.read(sla.day_report, day, now)
            if await self._store.write(sla.keep, rows):
                log.info("the report of %s is kept", day)

    async def _tick(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        ran, began = self.ticks[name], monotonic()
        ran.runs += 1
        try:
            await work()
            ran.last_at, ran.seconds = self._clock(), monotonic() - began
            self._in_trouble.discard(name)
        except asyncio.CancelledError:
            return  # the scheduler stops, and would call this a fault
        except StoreUnavailable as error:
            ran.failures += 1
            if name not in self._in_trouble:  # once, not every second
                log.warning("the tick %s waits: %s", name, error)
            self._in_trouble.add(name)
        except Exception:
            ran.failures += 1
            log.exception("fault in the tick %s", name)
