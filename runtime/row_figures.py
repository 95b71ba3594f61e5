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
from store.models import Campaign, Registration
from store.scrape import Present
from store.settled import settled

log = logging.getLogger(__name__)

_FRESH_SECONDS = 5.0
_PATIENCE_SECONDS = 1.0


class RowFigures:
    """What the rows were when they were last read.

    Attributes:
        present: None until they have been read once.
        due: the running campaigns that have a number whose turn it is, and whose window is open
            (or makes no sense, which is one of the reasons why nothing may be dialled or sent).
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
        self._counted_to: int | None = None

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
                for each in (*present.running, *present.texting)
                if each.id in present.due and self._is_open(each, now)
            )
            self.present = present
            await self._count_registrations()
            self._read_at = self._now()
        except StoreUnavailable:
            pass  # the age of the figures tells
        except Exception:
            log.exception("fault at reading the figures of the rows")

    async def _count_registrations(self) -> None:
        """Those since the last time, each once: none with a smaller id can come any more."""
        last = await settled(self._store, Registration.id)
        if self._counted_to is not None:
            new = await self._store.read(scrape.registered, self._counted_to, last)
            self.registrations.update(new)
        self._counted_to = last

    def _is_open(self, campaign: Campaign, now: datetime) -> bool:
        calendar = calendar_or_trouble(campaign, self._holidays)
        return isinstance(calendar, str) or calendar.is_open(now)
