"""A line that does what the test says: the port of the agent's desk without an Asterisk. I/O."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from console.phone_line import LineState, Progress
from domain.clock import Clock
from domain.dispositions import Disposition
from store import callback_calls
from store.engine import Store

_COLUMNS = {
    LineState.AGENT_RINGING: "agent_ringing_at",
    LineState.DIALLING: "subscriber_dialled_at",
    LineState.TALKING: "subscriber_answered_at",
}


class ScriptedLine:
    """Calls that move when told to, and write their rows as the real line does."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.node = "node1"
        self.placed: list[tuple[UUID, str, str]] = []
        self.rings = True
        self._store, self._clock = store, clock
        self._live: dict[UUID, Progress] = {}
        self._news: asyncio.Queue[Progress] = asyncio.Queue()

    async def place(self, call_id: UUID, phone: str, msisdn: str, started_at: datetime) -> bool:
        self.placed.append((call_id, phone, msisdn))
        if not self.rings:
            await self._finish(call_id, Disposition.NOT_DIALLED)
            return False
        self._tell(Progress(call_id, LineState.CALLING_AGENT, started_at))
        return True

    async def hang_up(self, call_id: UUID) -> bool:
        if call_id not in self._live:
            return False
        talked = self._live[call_id].state is LineState.TALKING
        await self.end(Disposition.ANSWERED if talked else Disposition.NO_ANSWER)
        return True

    def state(self, call_id: UUID) -> Progress | None:
        return self._live.get(call_id)

    async def changes(self) -> AsyncIterator[Progress]:
        while True:
            yield await self._news.get()

    async def move(self, state: LineState) -> None:
        """The latest call goes on."""
        call_id, now = self.placed[-1][0], self._clock()
        if state in _COLUMNS:
            times = {_COLUMNS[state]: now}
            await self._store.write(lambda c: callback_calls.record(c, call_id, **times))
        self._tell(Progress(call_id, state, now))

    async def end(self, disposition: Disposition) -> None:
        """The latest call is over."""
        call_id = self.placed[-1][0]
        await self._finish(call_id, disposition)
        ended = Progress(call_id, LineState.ENDED, self._clock())
        self._live.pop(call_id, None)
        self._news.put_nowait(ended)

    async def _finish(self, call_id: UUID, disposition: Disposition) -> None:
        await self._store.write(callback_calls.finish, call_id, self._clock(), disposition, 16)

    def _tell(self, progress: Progress) -> None:
        self._live[progress.call_id] = progress
        self._news.put_nowait(progress)
