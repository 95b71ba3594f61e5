"""Group commit: the facts of all live calls share transactions; if the store fails, the spool. I/O.

`record` answers once a fact is durable, in the store or in the spool. While the store is away,
facts go straight to the spool; they are replayed in order when it is back.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import time
from typing import Any

from sqlalchemy.exc import DBAPIError

from domain.errors import StoreUnavailable
from store.apply import apply
from store.engine import Store
from store.facts import AdviceAsked, Fact, Kept, RegistrationAsked
from store.spool import Spool, SpoolError

log = logging.getLogger(__name__)

_URGENT = (RegistrationAsked, AdviceAsked)
"""Facts that a subscriber waits for: they are not kept waiting for company."""
_COMPANY_SECONDS = 0.04
_URGENT_COMPANY_SECONDS = 0.005
_PROBE_SECONDS = 0.5
_REPLAY_AT_ONCE = 200

_Waiting = tuple[Fact, asyncio.Future[Kept]]


class Journal:
    """The one writer of call facts in this process. `run()` must be running."""

    def __init__(self, store: Store, spool: Spool, target_by: time, patience_seconds: float):
        """`target_by`: local time of day n+1 for call-backs; `patience_seconds`: how long a commit
        may take before its facts go to the spool.
        """
        self._store = store
        self._spool = spool
        self._target_by = target_by
        self._patience_seconds = patience_seconds
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._urgent = asyncio.Event()
        self._to_replay = asyncio.Event()
        self._stuck: asyncio.Task[None] | None = None
        self._closing = False
        self.store_is_up = True

    @property
    def spooled(self) -> int:
        """Facts that wait for the store to come back."""
        return self._spool.waiting

    def record(self, fact: Fact) -> asyncio.Future[Kept]:
        """Take a fact; the future is done once it is durable, or raises SpoolError."""
        future: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_consume)
        self._waiting.append((fact, future))
        self._arrived.set()
        if isinstance(fact, _URGENT):
            self._urgent.set()
        return future

    async def run(self) -> None:
        """Commit what arrives, and replay the spool when the store is back, until `close`."""
        replaying = asyncio.create_task(self._replay_when_needed())
        try:
            while not self._closing:
                await self._company()
                await self.flush()
        finally:
            replaying.cancel()
            with suppress(asyncio.CancelledError):
                await replaying

    async def close(self) -> None:
        """Make durable what has arrived, then let `run` end."""
        self._closing = True
        self._arrived.set()
        self._urgent.set()
        await self.flush()

    async def flush(self) -> None:
        """Make durable what has arrived."""
        batch, self._waiting = self._waiting, []
        self._arrived.clear()
        self._urgent.clear()
        if not batch:
            return
        if self.store_is_up and await self._commit(batch):
            return
        await self._spool_batch(batch)

    async def replay(self) -> None:
        """Write spooled facts to the store, oldest first, for as long as it takes them."""
        while True:
            entries = await self._spool.oldest(_REPLAY_AT_ONCE)
            if not await self._write([fact for _, fact in entries]):
                return
            await self._spool.remove([place for place, _ in entries])
            if not self.store_is_up:
                log.warning("the store is back, %d facts to replay", self.spooled)
            self.store_is_up = True
            if not entries:
                return

    async def _replay_when_needed(self) -> None:
        while True:
            if self.store_is_up and not self.spooled:
                await self._to_replay.wait()
            await asyncio.sleep(_PROBE_SECONDS)
            self._to_replay.clear()
            if self._stuck is None or self._stuck.done():
                await self.replay()

    async def _company(self) -> None:
        """Wait for a fact, and then a little for others to share its transaction."""
        await self._arrived.wait()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._urgent.wait(), _COMPANY_SECONDS)
            await asyncio.sleep(_URGENT_COMPANY_SECONDS)

    async def _commit(self, batch: Sequence[_Waiting]) -> bool:
        if not await self._write([fact for fact, _ in batch]):
            return False
        for _, future in batch:
            if not future.done():
                future.set_result(Kept.COMMITTED)
        return True

    async def _write(self, facts: Sequence[Fact]) -> bool:
        """True once the facts are committed or refused for good; False where the store is away."""
        # The transaction is never cancelled half-way: late success does no harm to such facts.
        task = asyncio.create_task(self._apply(facts))
        await asyncio.wait({task}, timeout=self._patience_seconds)
        try:
            if not task.done():
                self._stuck = task
                task.add_done_callback(_consume)
                raise StoreUnavailable(f"no commit within {self._patience_seconds} s")
            await task
        except StoreUnavailable as error:
            if self.store_is_up:
                log.error("%s; facts go to the spool", error)
            self.store_is_up = False
            self._to_replay.set()
            return False
        except DBAPIError as error:
            return await self._write_singly(facts, error)
        return True

    async def _apply(self, facts: Sequence[Fact]) -> None:
        await self._store.write(apply, facts, self._target_by)

    async def _write_singly(self, facts: Sequence[Fact], error: DBAPIError) -> bool:
        """One fact that the store refuses must not take the others down with it."""
        if len(facts) == 1:
            log.error("the store refuses a fact, it is set aside in the spool: %s", error)
            await self._spool.refuse(facts[0], str(error.orig))
            return True
        return all([await self._write([fact]) for fact in facts])

    async def _spool_batch(self, batch: Sequence[_Waiting]) -> None:
        try:
            await self._spool.keep([fact for fact, _ in batch])
        except SpoolError as error:
            log.critical("%d facts are safe nowhere: %s", len(batch), error)
            for _, future in batch:
                future.set_exception(error)
            return
        for _, future in batch:
            if not future.done():
                future.set_result(Kept.SPOOLED)


def _consume(future: asyncio.Future[Any]) -> None:
    """Not every reporter waits for its future: a failure was logged where it happened."""
    if not future.cancelled():
        future.exception()
