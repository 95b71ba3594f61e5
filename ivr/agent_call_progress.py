"""Who watches the agents' calls, and what they have not seen yet. I/O."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from uuid import UUID

from ivr.agent_call_setting import Progress


class Watchers:
    """Hands every change to all who watch; one who is late finds only the latest of each call."""

    def __init__(self) -> None:
        self._unseen: dict[int, dict[UUID, Progress]] = {}
        self._told = asyncio.Event()
        self._next = 0

    def tell(self, progress: Progress) -> None:
        """A call has moved."""
        for unseen in self._unseen.values():
            unseen.pop(progress.call_id, None)
            unseen[progress.call_id] = progress
        told, self._told = self._told, asyncio.Event()
        told.set()

    def watch(self, present: Iterable[Progress]) -> AsyncIterator[Progress]:
        """First what is present, then what changes; from the moment of this call."""
        self._next += 1
        self._unseen[self._next] = {progress.call_id: progress for progress in present}
        return self._changes(self._next)

    async def _changes(self, watcher: int) -> AsyncIterator[Progress]:
        unseen = self._unseen[watcher]
        try:
            while True:
                while unseen:
                    yield unseen.pop(next(iter(unseen)))
                await self._told.wait()
        finally:
            del self._unseen[watcher]
