"""SQLite's one writing thread: what waits at the same time is committed together. I/O.

A commit waits for the disk, as long as many statements take. So the next transaction carries out
everything that was asked for while the last one was under way, each operation in a savepoint of its
own: one that raises leaves nothing behind and harms no other. Nobody is told of success before the
commit.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from store.faults import unavailable_is_told

T = TypeVar("T")

_MOST_AT_ONCE = 64


class SqliteWriter:
    """Carries operations out in the order they come; all methods but `close` are for the loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, operation: Callable[[Connection], T]) -> "asyncio.Future[T]":
        """Carry out `operation`; the future ends after the commit. Cancelled early, it is not."""
        job = _Job(operation)
        self._jobs.put(job)
        return job.future

    def close(self) -> None:
        """Carry out what waits, and end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = [job]
            with suppress(Empty):
                while len(group) < _MOST_AT_ONCE:
                    if (job := self._jobs.get_nowait()) is None:
                        self._jobs.put(None)  # for the next turn
                        break
                    group.append(job)
            self._carry_out(group)

    def _carry_out(self, group: list["_Job"]) -> None:
        try:
            with unavailable_is_told(), self._engine.begin() as connection:
                for job in group:
                    job.carry_out(connection)
        except Exception as error:
            for job in group:
                job.error = error
        for job in group:
            job.tell()


class _Job:
    """One operation that waits, and what became of it."""

    def __init__(self, operation: Callable[[Connection], Any]) -> None:
        self.error: Exception | None = None
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._operation = operation
        self._result: Any = None

    def carry_out(self, connection: Connection) -> None:
        """In a savepoint. Raises where the whole transaction is lost with it."""
        if self.future.cancelled():
            return
        driver: Any = connection.connection.driver_connection
        driver.execute("SAVEPOINT job")
        try:
            with unavailable_is_told():
                self._result = self._operation(connection)
        except Exception as error:
            self.error = error
            driver.execute("ROLLBACK TO job")
        driver.execute("RELEASE job")

    def tell(self) -> None:
        """Let the one who waits go on; nobody does where the loop is closed."""
        with suppress(RuntimeError):
            self.future.get_loop().call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if self.future.cancelled():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self._result)
