"""The rows as `/metrics` shows them: read at most every few seconds, whoever scrapes. I/O."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from dialer.windows import calendar_or_trouble
from domain.clock import Clock
from domain.errors import StoreUnavailable
from domain.pacing import Monotonic
from domain.sla import sla_bounds
from store import scrape
from store.engine import Store
from store.models import Campaign
from store.scrape import Present

log = logging.getLogger(__name__)

_FRESH_SECONDS = 5.0
_PATIENCE_SECONDS = 1.0
_LATE_COMMIT_SECONDS = 60.0
"""So long after it got its id a registration may still be committed."""


class RowFigures:
    """What the rows were when they were last read.

    Attributes:
        present: None until they have been read once.
        due: the running campaigns that have a number to dial, and whose window is open (or makes
            no sense, which is one of the reasons why nothing may be dialled).
        registrations: by channel, since the start of this process, whoever made them.
    """

    def __init__(
        self,
        store: Store,
        at_risk: timedelta,
        holidays: Mapping[date, bool],
        clock: Clock,
        now: Monotonic,
    ) -> None:
        self.present: Present | None = None
        self.due: frozenset[int] = frozenset()
        self.registrations: Counter[str] = Counter()
        self._store = store
        self._at_risk = at_risk
        self._holidays = holidays
        self._clock = clock
        self._now = now
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._counts = _Registrations(now)

    @property
    def age_seconds(self) -> float:
        """How long ago they were read; infinite before the first time."""
        return self._now() - self._read_at

    async def refresh(self) -> None:
        """Read what is not fresh any more; who asks is not kept waiting for a slow store."""
        if self.age_seconds < _FRESH_SECONDS:
            return
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        await asyncio.wait({self._reading}, timeout=_PATIENCE_SECONDS)

    async def close(self) -> None:
        """End a reading that is under way."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})

    async def _read(self) -> None:
        try:
            now = self._clock()
            present = await self._store.read(scrape.present, sla_bounds(now, self._at_risk))
            self.due = frozenset(
                each.id
                for each in present.running
                if each.id in present.due and self._is_open(each, now)
            )
            self.present = present
            self.registrations = await self._counts.read(self._store)
            self._read_at = self._now()
        except StoreUnavailable:
            pass  # the age of the figures tells
        except Exception:
            log.exception("fault at reading the figures of the rows")

    def _is_open(self, campaign: Campaign, now: datetime) -> bool:
        calendar = calendar_or_trouble(campaign, self._holidays)
        return isinstance(calendar, str) or calendar.is_open(now)


class _Registrations:
    """Counts registrations by their ids: each row is read for a minute, and then never again."""

    def __init__(self, now: Monotonic) -> None:
        self._now = now
        self._settled: Counter[str] = Counter()
        self._settled_to: int | None = None
        self._marks: list[tuple[float, int]] = []

    async def read(self, store: Store) -> Counter[str]:
        last = await store.read(scrape.last_registration)
        self._marks.append((self._now(), last))
        start = last if self._settled_to is None else self._settled_to
        self._settled_to = await self._settle(store, start)
        return self._settled + Counter(await store.read(scrape.registered, self._settled_to, last))

    async def _settle(self, store: Store, settled_to: int) -> int:
        """Count for good what can't change any more; give the last id that is counted so."""
        before = self._now() - _LATE_COMMIT_SECONDS
        old = [last for at, last in self._marks if at <= before]
        if not old:
            return settled_to
        self._settled.update(await store.read(scrape.registered, settled_to, old[-1]))
        self._marks = self._marks[len(old) :]
        return old[-1]
