"""Counts of campaigns, made beside the pages and kept: a page shows the last one. I/O.

A count of a million targets and two million attempts takes seconds, so nobody waits for it: a page
gives a count of which nobody knows how long it takes a moment from its beginning on, and shows what
there is. Each campaign that somebody looks at is counted again once twenty times the cost of its
last count has passed: a small one at once, a big one every half minute, and counting takes a
twentieth of the time at most. Big counts go one after the other, so that the calls, and the pages,
have the database's other connections and the machine's other processors.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import Connection

from domain.clock import Clock
from domain.errors import InputError, StoreUnavailable
from store.engine import Store

T = TypeVar("T")

log = logging.getLogger(__name__)

_SHARE = 20
_QUICK_SECONDS = 0.05
"""A page waits no longer for a count; one that took no longer is quick."""
_WANTED_SECONDS = 10.0
_EVERY_SECONDS = 0.5

Count = Callable[[Connection, int, T | None, datetime], T]
"""Counts a campaign, by its id; it gets what it counted before."""


@dataclass(slots=True)
class _Kept(Generic[T]):
    value: T | None = None
    cost: float = 0.0
    began: float = 0.0
    counted: float = 0.0
    wanted: float = 0.0
    counting: asyncio.Task[None] | None = None

    @property
    def is_big(self) -> bool:
        """Whether its last count took long."""
        return self.cost > _QUICK_SECONDS


class Counting(Generic[T]):
    """One kind of count of all campaigns that are looked at; `run` keeps them young.

    `turn` is of all kinds together.
    """

    def __init__(self, store: Store, clock: Clock, count: Count[T], turn: asyncio.Lock) -> None:
        self._store = store
        self._clock = clock
        self._count = count
        self._turn = turn
        self._kept: dict[int, _Kept[T]] = {}

    async def of(self, campaign_id: int) -> T | None:
        """The last count, new where that is quick; None while the first one is under way."""
        kept = self._kept.setdefault(campaign_id, _Kept())
        kept.wanted = time.monotonic()
        counting = self._count_if_due(campaign_id, kept)
        patience = kept.began + _QUICK_SECONDS - time.monotonic()
        if counting is not None and patience > 0 and not kept.is_big:
            await asyncio.wait({counting}, timeout=patience)
        return kept.value

    async def awaited(self, campaign_id: int, seconds: float) -> T | None:
        """The last count; who asks for the first one waits so long for it."""
        await self.of(campaign_id)
        kept = self._kept[campaign_id]
        if kept.value is None and kept.counting is not None:
            await asyncio.wait({kept.counting}, timeout=seconds)
        return kept.value

    def known(self, campaign_id: int) -> T | None:
        """The last count as it stands."""
        kept = self._kept.get(campaign_id)
        return None if kept is None else kept.value

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

    def _count_if_due(self, campaign_id: int, kept: _Kept[T]) -> asyncio.Task[None] | None:
        if kept.counting is not None and not kept.counting.done():
            return kept.counting
        if kept.value is not None and time.monotonic() < kept.counted + _SHARE * kept.cost:
            return None
        kept.began = time.monotonic()
        kept.counting = asyncio.create_task(self._count_now(campaign_id, kept), name="counting")
        return kept.counting

    async def _count_now(self, campaign_id: int, kept: _Kept[T]) -> None:
        is_quick = kept.value is not None and not kept.is_big
        async with nullcontext() if is_quick else self._turn:
            began = time.monotonic()
            try:
                kept.value = await self._store.read(
                    self._count, campaign_id, kept.value, self._clock()
                )
            except (StoreUnavailable, InputError) as error:
                log.debug("campaign %d is not counted: %s", campaign_id, error)
            kept.counted = time.monotonic()
            kept.cost = kept.counted - began
