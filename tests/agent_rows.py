"""Rows of agents' calls in an SQLite file of their own: what ivr's port asks of the store. I/O."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.dispositions import Disposition
from ivr.agent_call_setting import AgentCall, CallEnd

_TIMES = (
    "agent_ringing_at",
    "agent_answered_at",
    "subscriber_dialled_at",
    "subscriber_answered_at",
    "ended_at",
)
_COLUMNS = ("id", "phone", "msisdn", "started_at", *_TIMES)
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS calls ({", ".join(_COLUMNS)}, disposition, hangup_cause, tech_cause)
"""


class AgentRows:
    """Fulfils CallLog."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._run(_SCHEMA)

    def begin(self, call: AgentCall) -> None:
        """The row that is committed before anything is dialled."""
        values = (str(call.call_id), call.phone, call.msisdn, call.started_at.isoformat())
        self._run("INSERT INTO calls (id, phone, msisdn, started_at) VALUES (?, ?, ?, ?)", *values)

    async def record(self, call_id: UUID, **times: datetime) -> None:
        for name, at in times.items():
            assert name in _TIMES
            sql = f"UPDATE calls SET {name} = coalesce({name}, ?) WHERE id = ?"  # noqa: S608
            self._run(sql, at.isoformat(), str(call_id))

    async def finish(self, call_id: UUID, end: CallEnd) -> None:
        sql = (
            "UPDATE calls SET disposition = ?, hangup_cause = ?, tech_cause = ?, ended_at = ?"
            " WHERE id = ? AND (ended_at IS NULL OR disposition = 'unknown')"
        )
        values = (end.disposition, end.hangup_cause, end.tech_cause, end.ended_at.isoformat())
        self._run(sql, *values, str(call_id))

    async def open_calls(self, node: str) -> Sequence[AgentCall]:
        return [
            AgentCall(
                UUID(row["id"]),
                row["phone"],
                row["msisdn"],
                datetime.fromisoformat(row["started_at"]),
                *(datetime.fromisoformat(row[n]) if row[n] else None for n in _TIMES[1:4]),
            )
            for row in self.rows()
            if row["ended_at"] is None
        ]

    def row(self, call_id: UUID) -> dict[str, Any]:
        """What is known of a call."""
        [row] = [row for row in self.rows() if row["id"] == str(call_id)]
        return row

    def rows(self) -> list[dict[str, Any]]:
        """All rows."""
        return self._run("SELECT * FROM calls")

    def ended(self, call_id: UUID) -> Disposition | None:
        """How it ended, once it has."""
        word = self.row(call_id)["disposition"]
        return Disposition(word) if word else None

    def _run(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self._file, timeout=10)) as file, file:
            file.row_factory = sqlite3.Row
            return [dict(row) for row in file.execute(sql, values)]
