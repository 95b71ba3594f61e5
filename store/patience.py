"""Waits for a transaction no longer than somebody who waits for us may be kept waiting. I/O."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from domain.errors import StoreUnavailable

T = TypeVar("T")


class Patience:
    """Bounds how long each write may take, and remembers the one that took longer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._stuck: asyncio.Task[Any] | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether a write that was given up has not come to an end yet."""
        return self._stuck is not None and not self._stuck.done()

    async def wait(self, writing: Coroutine[Any, Any, T]) -> T:
        """The result, or StoreUnavailable once patience is over.

        The transaction is never cut off half-way: it may still be committed, late.
        """
        task = asyncio.create_task(writing)
        await asyncio.wait({task}, timeout=self._seconds)
        if not task.done():
            self._stuck = task
            task.add_done_callback(consume)
            raise StoreUnavailable(f"the store did not commit in {self._seconds:g} s")
        return await task


def consume(future: asyncio.Future[Any]) -> None:
    """Take note of a failure that nobody waits for: it was logged where it happened."""
    if not future.cancelled():
        future.exception()
