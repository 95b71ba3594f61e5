"""Group commit: the facts of all live calls share transactions; if the store fails, the spool. I/O.

`record` answers once a fact is durable, in the store or in the spool. While the store is away,
facts go straight to the spool; they are replayed in order when it is back.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import time
from time import monotonic

from sqlalchemy import Connection, text

from domain.errors import StoreUnavailable, TstnError
from domain.latency import Latency
from store.apply import apply
from store.engine import Store
from store.facts import AdviceAsked, Fact, Kept, KeyPressed, OptOutAsked, RegistrationAsked
from store.patience import Patience, consume
from store.spool import Spool, SpoolError

log = logging.getLogger(__name__)

_URGENT = (RegistrationAsked, AdviceAsked, OptOutAsked)
"""What a subscriber waits for: it waits less for company."""
_FIRST = (*_URGENT, KeyPressed)
"""A key is the evidence of what it asked for: it must not be lost where that is kept."""
_COMPANY_SECONDS = 0.08
_URGENT_COMPANY_SECONDS = 0.008
_PROBE_SECONDS = 0.5
_REPLAY_AT_ONCE = 200


class FactRefused(TstnError):
    """The store will never take this fact: it breaks a rule of the database."""


@dataclass(eq=False, slots=True)
class _Entry:
    """A fact, who waits for it, and whether it is durable (a waiter may have gone away).

    `arrived` is the loop's time.
    """

    fact: Fact
    kept: asyncio.Future[Kept]
    arrived: float
    is_done: bool = False

    def done(self, result: Kept | TstnError) -> None:
        self.is_done = True
        if self.kept.done():
            return
        if isinstance(result, TstnError):
            self.kept.set_exception(result)
        else:
            self.kept.set_result(result)


class Journal:
    """The one writer of call facts in this process. `run()` must be running.

    Attributes:
        commits: how long its transactions took.
    """

    def __init__(self, store: Store, spool: Spool, target_by: time, patience_seconds: float):
        """`target_by`: local time of day n+1 for call-backs; `patience_seconds`: how long a commit
        may take before its facts go to the spool.
        """
        self._store = store
        self._spool = spool
        self._target_by = target_by
        self._patience = Patience(patience_seconds)
        self._waiting: list[_Entry] = []
        self._arrived = asyncio.Event()
        self._hurry = asyncio.Event()
        self._hurry_since = 0.0
        self._writing = asyncio.Lock()
        self._to_replay = asyncio.Event()
        self._closing = False
        self.store_is_up = True
        self.commits = Latency()

    @property
    def spooled(self) -> int:
        """Facts that wait for the store to come back."""
        return self._spool.waiting

    def record(self, fact: Fact) -> asyncio.Future[Kept]:
        """Take a fact; its future is done once it is durable. Raises SpoolError, FactRefused."""
        entry = _entry(fact)
        self._waiting.append(entry)
        self._arrived.set()
        if isinstance(fact, _URGENT) and not self._hurry.is_set():
            self._hurry_since = entry.arrived
            self._hurry.set()
        return entry.kept

    async def run(self) -> None:
        """Commit what arrives, and replay the spool when the store is back, until `close`."""
        replaying = asyncio.create_task(self._replay_when_needed())
        try:
            while not self._closing:
                await self._company()
                await self._make_durable(self._due())
        finally:
            replaying.cancel()
            with suppress(asyncio.CancelledError):
                await replaying

    async def close(self) -> None:
        """Make durable what has arrived, then let `run` end."""
        self._closing = True
        self._arrived.set()
        self._hurry.set()
        await self.flush()

    async def flush(self) -> None:
        """Make durable what has arrived."""
        await self._make_durable(self._take_all())

    async def replay(self) -> None:
        """Write spooled facts to the store, oldest first, for as long as it takes them."""
        while True:
            places = await self._spool.oldest(_REPLAY_AT_ONCE)
            batch = [_entry(fact) for _, fact in places]
            await self._commit(batch)
            written = [
                place for (place, _), entry in zip(places, batch, strict=True) if entry.is_done
            ]
            await self._spool.remove(written)
            if len(written) < len(places) or not await self._answers():
                return
            if not self.store_is_up:
                log.warning("the store is back, %d facts to replay", self.spooled)
            self.store_is_up = True
            if not places:
                return

    async def _replay_when_needed(self) -> None:
        while True:
            if self.store_is_up and not self.spooled:
                await self._to_replay.wait()
            await asyncio.sleep(_PROBE_SECONDS)
            self._to_replay.clear()
            if self._patience.is_stuck:
                continue
            try:
                await self.replay()
            except SpoolError as error:
                log.error("%s; its facts wait", error)

    async def _company(self) -> None:
        """Wait for a fact, and then a little for others to share its transaction."""
        while not self._waiting:
            if self._closing:
                return
            await self._arrived.wait()
            self._arrived.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._waiting[0].arrived + _COMPANY_SECONDS):
                await self._hurry.wait()
                waited = asyncio.get_running_loop().time() - self._hurry_since
                await asyncio.sleep(_URGENT_COMPANY_SECONDS - waited)

    def _due(self) -> list[_Entry]:
        """Take what has had company, or waited in vain for it."""
        waiting = self._take_all()
        before = asyncio.get_running_loop().time() - _COMPANY_SECONDS
        if waiting and waiting[0].arrived <= before:
            return waiting
        self._waiting = [entry for entry in waiting if not isinstance(entry.fact, _FIRST)]
        return [entry for entry in waiting if isinstance(entry.fact, _FIRST)]

    def _take_all(self) -> list[_Entry]:
        taken, self._waiting = self._waiting, []
        self._hurry.clear()
        return taken

    async def _make_durable(self, batch: Sequence[_Entry]) -> None:
        async with self._writing:
            if self.store_is_up:
                await self._commit(batch)
            if unkept := [entry for entry in batch if not entry.is_done]:
                await self._spool_all(unkept)

    async def _commit(self, batch: Sequence[_Entry]) -> None:
        """Write a batch as one transaction. Futures that stay open were not written."""
        if not batch:
            return
        began = monotonic()  # the loop's own time may be a millisecond coarse
        try:
            await self._patience.wait(self._store.write(apply, _facts(batch), self._target_by))
        except StoreUnavailable as error:
            self._store_fell(error)
        except Exception as error:
            await self._commit_singly(batch, error)
        else:
            self.commits.add(monotonic() - began)
            for entry in batch:
                entry.done(Kept.COMMITTED)

    async def _commit_singly(self, batch: Sequence[_Entry], error: Exception) -> None:
        """One fact that the store refuses must not take the others down with it."""
        if len(batch) > 1:
            for entry in batch:
                await self._commit([entry])
                if not entry.is_done:  # the store went away meanwhile
                    return
            return
        [entry] = batch
        log.error("the store refuses a fact, it is set aside in the spool: %s", error)
        try:
            await self._spool.refuse(entry.fact, str(error))
        except SpoolError as worse:
            log.critical("a fact that the store refuses is safe nowhere: %s", worse)
        entry.done(FactRefused("the store refuses what this call reports: see the log"))

    async def _answers(self) -> bool:
        """Whether the store takes a transaction now."""
        try:
            await self._patience.wait(self._store.read(_ask))
        except StoreUnavailable:
            return False
        return True

    def _store_fell(self, error: StoreUnavailable) -> None:
        if self.store_is_up:
            log.error("%s; facts go to the spool", error)
        self.store_is_up = False
        self._to_replay.set()

    async def _spool_all(self, batch: Sequence[_Entry]) -> None:
        try:
            await self._spool.keep(_facts(batch))
        except SpoolError as error:
            if len(batch) > 1:  # one that can't be written takes no other down with it
                for entry in batch:
                    await self._spool_all([entry])
                return
            log.critical("a fact is safe nowhere: %s", error)
            for entry in batch:
                entry.done(error)
            return
        for entry in batch:
            entry.done(Kept.SPOOLED)


def _entry(fact: Fact) -> _Entry:
    loop = asyncio.get_running_loop()
    kept: asyncio.Future[Kept] = loop.create_future()
    kept.add_done_callback(consume)
    return _Entry(fact, kept, loop.time())


def _facts(batch: Sequence[_Entry]) -> list[Fact]:
    return [entry.fact for entry in batch]


def _ask(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))
