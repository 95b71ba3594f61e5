"""Writes what became of the texts we sent, many in one transaction. I/O.

While the store is away they wait in memory. If the process dies then, their rows are still
"sending", and the next start takes them for unknown: nothing is guessed.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from domain.errors import StoreUnavailable
from store import outcomes
from store.engine import Store
from store.outcomes import Outcome, Sent

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 0.5
_MOST_LATE = 1000
"""Far more than are taken late while a claim is under way, or is ahead of its link."""
_GATHER_SECONDS = 0.005
"""What is sent next comes first; and a commit that more share is a commit less."""


class Recorder:
    """The one writer of outcomes in this process; `run` must be running."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._outcomes: list[Outcome] = []
        self._arrived = asyncio.Event()
        self._late: deque[int] = deque(maxlen=_MOST_LATE)

    def note_late(self, sent: Sent) -> None:
        """Take an outcome that comes after `Unknown`: a bind may have claimed the PDU again."""
        self._late.append(sent.id)
        self.note(sent)

    def came_late(self, identity: int) -> bool:
        """Whether that PDU is taken already, and so is not to be written again."""
        return identity in self._late

    def note(self, outcome: Outcome) -> None:
        """Take the outcome of one PDU."""
        self._outcomes.append(outcome)
        self._arrived.set()

    async def run(self) -> None:
        """Write until cancelled; what arrives after that is left to `flush`."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            writing = asyncio.create_task(self.flush())
            try:
                is_written = await asyncio.shield(writing)
            except asyncio.CancelledError:
                await writing  # a transaction that is cut off would lose what it was told
                raise
            if not is_written:
                await asyncio.sleep(_AGAIN_SECONDS)

    async def flush(self) -> bool:
        """Write what has arrived; False where the store did not take it, and it waits."""
        self._arrived.clear()
        noted, self._outcomes = self._outcomes, []
        try:
            await self._store.write(outcomes.record, noted)
        except StoreUnavailable as error:
            log.warning("outcomes of %d texts wait: %s", len(noted), error)
            self._outcomes[:0] = noted
            self._arrived.set()
            return False
        except Exception:
            await self._write_singly(noted)
        return True

    async def _write_singly(self, noted: Sequence[Outcome]) -> None:
        """One outcome that the store refuses must not take the others down with it."""
        for one in noted:
            try:
                await self._store.write(outcomes.record, [one])
            except StoreUnavailable:
                self.note(one)
            except Exception:
                log.exception("the outcome of row %d is lost, it will count as unknown", one.id)
