"""Recycling goes through numbers step by step: the rest of it, after the first step. I/O."""

import asyncio
import logging
from collections import Counter
from datetime import datetime

from domain.errors import StoreUnavailable
from store import recycling
from store.engine import Store
from store.recycling import Batch, Choice

log = logging.getLogger(__name__)


class Recyclings:
    """Puts numbers back, a transaction each step, so that the dialler never waits for long."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._going: dict[asyncio.Task[dict[str, int]], int] = {}

    def is_going(self, campaign_id: int) -> bool:
        """Whether numbers of a campaign are being put back beside the pages."""
        return campaign_id in self._going.values()

    async def finish(self, chosen: Choice, first: Batch, now: datetime) -> dict[str, int]:
        """Go on after the first step to the end; gives all that was put back, by outcome."""
        done, last = Counter(first.recycled), first.last
        while last is not None:
            batch = await self._store.write(recycling.recycle, chosen, now, last)
            done.update(batch.recycled)
            last = batch.last
        return dict(done)

    def go_on(self, chosen: Choice, first: Batch, now: datetime) -> None:
        """The same beside the pages. What the end of the server cuts off is asked for again."""
        task = asyncio.create_task(self.finish(chosen, first, now), name="recycling")
        self._going[task] = chosen.campaign_id
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Stop after the step under way."""
        tasks = set(self._going)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _ended(self, task: asyncio.Task[dict[str, int]]) -> None:
        campaign_id = self._going.pop(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, StoreUnavailable):
            log.warning("campaign %d: not all numbers were put back: %s", campaign_id, error)
        elif error is not None:
            log.error("campaign %d: not all numbers were put back", campaign_id, exc_info=error)
