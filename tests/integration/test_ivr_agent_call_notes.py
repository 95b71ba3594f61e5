"""What agents' calls report reaches the rows, in order, however long the store is away. I/O."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from domain.dispositions import Disposition
from domain.errors import StoreUnavailable
from ivr import agent_call_notes
from ivr.agent_call_notes import Notes
from ivr.agent_call_setting import AgentCall, CallEnd
from tests.rows import NOW

END = CallEnd(Disposition.ANSWERED, 16, None, NOW)


class Rows:
    """A store that is away for its first few writes."""

    def __init__(self, away: int = 0, *, refuses: UUID | None = None) -> None:
        self.away = away
        self.refuses = refuses
        self.written: list[object] = []
        self.done = asyncio.Event()

    def _write(self, call_id: UUID, what: object) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        if call_id == self.refuses:
            raise ValueError("a row that can't be")
        self.written.append(what)
        if isinstance(what, CallEnd):
            self.done.set()

    async def record(self, call_id: UUID, **times: datetime) -> None:
        self._write(call_id, times)

    async def finish(self, call_id: UUID, end: CallEnd) -> None:
        self._write(call_id, end)

    async def open_calls(self, node: str) -> Sequence[AgentCall]:
        return ()


@pytest.mark.parametrize("away", [0, 1, 3])
async def test_notes_keep_their_order(away: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_call_notes, "_AGAIN_SECONDS", 0.01)
    rows, call = Rows(away), uuid4()
    notes = Notes(rows)
    run = asyncio.create_task(notes.run())
    notes.record(call, {"agent_ringing_at": NOW})
    notes.record(call, {"agent_answered_at": NOW})
    notes.finish(call, END)
    async with asyncio.timeout(10):
        await rows.done.wait()
    assert rows.written == [{"agent_ringing_at": NOW}, {"agent_answered_at": NOW}, END]
    run.cancel()


async def test_a_row_that_is_refused_holds_up_no_other() -> None:
    bad, good = uuid4(), uuid4()
    rows = Rows(refuses=bad)
    notes = Notes(rows)
    notes.record(bad, {"agent_ringing_at": NOW})
    notes.finish(good, END)
    await notes.flush()
    assert rows.written == [END]


async def test_who_asks_is_told_that_the_store_is_away() -> None:
    notes = Notes(Rows(away=1))
    notes.finish(uuid4(), END)
    with pytest.raises(StoreUnavailable):
        await notes.flush()
    await notes.flush()
