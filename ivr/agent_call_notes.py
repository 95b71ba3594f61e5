"""What agents' calls report to their rows: in order, again where the store is away. I/O.

What is not written when the process dies is found again in Asterisk by the next one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from domain.errors import StoreUnavailable
from ivr.agent_call_setting import CallEnd, CallLog

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 1.0


class Notes:
    """A queue of notes for the rows, the oldest first."""

    def __init__(self, rows: CallLog) -> None:
        self._rows = rows
        self._waiting: deque[tuple[UUID, Mapping[str, datetime] | CallEnd]] = deque()
        self._arrived = asyncio.Event()
        self._writing = asyncio.Lock()

    def record(self, call_id: UUID, times: Mapping[str, datetime]) -> None:
        """Times of a call."""
        self._put(call_id, times)

    def finish(self, call_id: UUID, end: CallEnd) -> None:
        """The end of a call."""
        self._put(call_id, end)

    async def run(self) -> None:
        """Write what arrives, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            try:
                await self.flush()
            except StoreUnavailable as error:
                log.warning("notes of agents' calls wait: %s", error)
                await asyncio.sleep(_AGAIN_SECONDS)
                self._arrived.set()

    async def flush(self) -> None:
        """Return once all is written. Raises StoreUnavailable."""
        async with self._writing:
            while self._waiting:
                call_id, note = self._waiting[0]
                try:
                    await self._write(call_id, note)
                except StoreUnavailable:
                    raise
                except Exception:
                    log.exception("a note of the agent's call %s can't be written", call_id)
                self._waiting.popleft()

    async def _write(self, call_id: UUID, note: Mapping[str, datetime] | CallEnd) -> None:
        if isinstance(note, CallEnd):
            await self._rows.finish(call_id, note)
        else:
            await self._rows.record(call_id, **note)

    def _put(self, call_id: UUID, note: Mapping[str, datetime] | CallEnd) -> None:
        self._waiting.append((call_id, note))
        self._arrived.set()
