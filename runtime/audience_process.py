"""Starts the process that reads an audience file, and fetches what it makes of it. I/O."""

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self

from domain.errors import InputError
from runtime.audience_answers import Answer, End, Failed, Head, Order
from runtime.audience_sieve import Batch

_PROGRAM = (sys.executable, "-P", "-m", "runtime.audience_reader")


class Reading:
    """A file that another process reads: its `head`, then its batches, once; then its `end`."""

    head: Head
    end: End

    def __init__(self, order: Order) -> None:
        self._order = order
        self._process = subprocess.Popen(  # noqa: S603 - Python itself, and a module of ours
            _PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )

    async def open(self) -> Self:
        """Get the head. Raises InputError: the file can't be an audience."""
        self.head = await asyncio.to_thread(self._begin)
        return self

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """All batches; the next one is fetched, in a thread, while the last one is used."""
        fetching = self._fetching()
        try:
            while isinstance(answer := await fetching, Batch):
                fetching = self._fetching()
                yield answer
            self.end = answer
        finally:
            fetching.cancel()

    def close(self) -> None:
        """End the process, wherever it is."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None  # noqa: S101 - for the type
            with suppress(BrokenPipeError):
                pipe.close()

    def _begin(self) -> Head:
        assert self._process.stdin is not None  # noqa: S101 - for the type
        with suppress(BrokenPipeError), self._process.stdin as pipe:
            pickle.dump(self._order, pipe)
        head = self._fetch()
        assert isinstance(head, Head)  # noqa: S101 - for the type
        return head

    def _fetching(self) -> asyncio.Future[Batch | End]:
        fetching = asyncio.ensure_future(asyncio.to_thread(self._fetch_next))
        # Where nobody wants it any more, nobody is to be told that it went wrong.
        fetching.add_done_callback(lambda done: done.cancelled() or done.exception())
        return fetching

    def _fetch_next(self) -> Batch | End:
        answer = self._fetch()
        assert not isinstance(answer, Head)  # noqa: S101 - for the type
        return answer

    def _fetch(self) -> Head | Batch | End:
        assert self._process.stdout is not None  # noqa: S101 - for the type
        try:
            answer: Answer = pickle.load(self._process.stdout)  # noqa: S301 - from our own process
        except (EOFError, pickle.UnpicklingError):
            raise InputError(
                f"the process that reads {self._order.file} has ended too soon, with status "
                f"{self._process.wait()}"
            ) from None
        if isinstance(answer, Failed):
            raise InputError(answer.reason)
        return answer


@asynccontextmanager
async def reading(order: Order) -> AsyncIterator[Reading]:
    """Have a file read by a process of its own, which ends with the block.

    Raises InputError: the file can't be an audience, or lacks a column that is demanded.
    """
    begun = Reading(order)
    try:
        yield await begun.open()
    finally:
        await asyncio.shield(asyncio.to_thread(begun.close))
