"""The figures of campaigns, counted beside the pages and kept: a page shows the last count. I/O.

A count of a million targets and two million attempts takes seconds, so nobody waits for it. Each
campaign that somebody looks at is counted again once twenty times the cost of its last count has
passed: a small one at once, a big one every half minute, and counting takes a twentieth of the
time at most. What began more than an hour ago is counted again twice an hour.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from domain.clock import Clock
from domain.dispositions import Disposition
from domain.errors import StoreUnavailable
from store import campaign_figures as figures
from store.campaign_figures import NOT_SENT, Audience, Minute
from store.engine import Store

log = logging.getLogger(__name__)

_SHARE = 20
_FIRST_LOOK_SECONDS = 0.1
_WANTED_SECONDS = 10.0
_EVERY_SECONDS = 0.5
_MOST_CODES = 6
SHOWN = timedelta(hours=1)
_BASE_HOLDS = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Base:
    """What began before `until`."""

    until: datetime
    attempts: Mapping[str, int]
    keys: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Tally:
    """A campaign as it was counted at `at`."""

    at: datetime
    audience: Audience
    attempts: Mapping[str, int]
    """By disposition; `open` are in the air."""
    keys: Mapping[str, int]
    registered: int
    confirmed: int
    minutes: Sequence[Minute]
    retries: Sequence[tuple[datetime, int]]
    codes: Sequence[figures.Code]
    """The causes of the last hour."""

    @property
    def dialled(self) -> int:
        """All attempts."""
        return sum(self.attempts.values())

    @property
    def answered(self) -> int:
        """Calls that somebody took."""
        return self.attempts.get(Disposition.ANSWERED, 0)

    @property
    def asr(self) -> float | None:
        """The answered of what was sent and has ended; None where that is nothing."""
        return answered_share(self.attempts)


@dataclass(slots=True)
class _Kept:
    base: Base | None = None
    tally: Tally | None = None
    cost: float = 0.0
    counted: float = 0.0
    wanted: float = 0.0
    counting: asyncio.Task[None] | None = field(default=None)


class Tallies:
    """The counts of all campaigns that are looked at; `run` keeps them young."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._kept: dict[int, _Kept] = {}

    async def of(self, campaign_id: int) -> Tally | None:
        """The last count, new where that is quick; None while the first one is under way."""
        kept = self._kept.setdefault(campaign_id, _Kept())
        kept.wanted = time.monotonic()
        counting = self._count_if_due(campaign_id, kept)
        if counting is not None and not counting.done():
            await asyncio.wait({counting}, timeout=_FIRST_LOOK_SECONDS)
        return kept.tally

    def known(self, campaign_id: int) -> Tally | None:
        """The last count as it stands."""
        kept = self._kept.get(campaign_id)
        return None if kept is None else kept.tally

    def want(self, campaign_id: int) -> None:
        """Keep the count of a campaign young for a while: somebody looks."""
        self._kept.setdefault(campaign_id, _Kept()).wanted = time.monotonic()

    async def run(self) -> None:
        """Count what is looked at, until cancelled."""
        try:
            while True:
                now = time.monotonic()
                for campaign_id, kept in list(self._kept.items()):
                    if now - kept.wanted < _WANTED_SECONDS:
                        self._count_if_due(campaign_id, kept)
                await asyncio.sleep(_EVERY_SECONDS)
        finally:
            for kept in self._kept.values():
                if kept.counting is not None:
                    kept.counting.cancel()

    def _count_if_due(self, campaign_id: int, kept: _Kept) -> asyncio.Task[None] | None:
        if kept.counting is not None and not kept.counting.done():
            return kept.counting
        if kept.tally is not None and time.monotonic() < kept.counted + _SHARE * kept.cost:
            return None
        kept.counting = asyncio.create_task(self._count(campaign_id, kept), name="tally")
        return kept.counting

    async def _count(self, campaign_id: int, kept: _Kept) -> None:
        began = time.monotonic()
        try:
            kept.base, kept.tally = await self._store.read(
                count, campaign_id, kept.base, self._clock()
            )
        except StoreUnavailable as error:
            log.debug("campaign %d is not counted: %s", campaign_id, error)
        kept.counted = time.monotonic()
        kept.cost = kept.counted - began


def count(
    connection: Connection, campaign_id: int, base: Base | None, now: datetime
) -> tuple[Base, Tally]:
    """Count a campaign on from a base, or from a new one where it has grown old."""
    if base is None or now - base.until > SHOWN + _BASE_HOLDS or now < base.until:
        until = (now - SHOWN).replace(second=0, microsecond=0)
        base = Base(
            until,
            figures.attempts_before(connection, campaign_id, until),
            figures.keys_before(connection, campaign_id, until),
        )
    minutes = figures.minutes(connection, campaign_id, base.until)
    attempts, keys = Counter(base.attempts), Counter(base.keys)
    for minute in minutes:
        attempts.update(minute.began)
    keys.update(figures.keys_since(connection, campaign_id, base.until))
    registered, confirmed = figures.brought(connection, campaign_id)
    tally = Tally(
        at=now,
        audience=figures.audience(connection, campaign_id),
        attempts=attempts,
        keys=keys,
        registered=registered,
        confirmed=confirmed,
        minutes=minutes,
        retries=figures.retries(connection, campaign_id),
        codes=figures.codes(connection, campaign_id, base.until, _MOST_CODES),
    )
    return base, tally


def answered_share(by_word: Mapping[str, int]) -> float | None:
    """The answered of what was sent and has ended."""
    ended = sum(count for word, count in by_word.items() if word not in NOT_SENT)
    return by_word.get(Disposition.ANSWERED, 0) / ended if ended else None
