"""The calls of agents to subscribers: a row each, written ahead of both legs. I/O.

The row's id is the channel id of the subscriber's leg; the agent's leg is "agent-{id}". What is
told twice is harmless: the first time of each step stands, and so does the first end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select, update

from domain.dispositions import Disposition
from domain.errors import ClaimLost
from store.callback_claims import LONGEST_CALL, held
from store.models import Callback, CallbackAttempt, table
from store.statements import insert_new

STEPS = ("agent_ringing_at", "agent_answered_at", "subscriber_dialled_at", "subscriber_answered_at")
"""The times that `record` takes, in the order of a call."""


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call that is to be made by Asterisk `node`; `id` is fresh."""

    id: UUID
    claim_id: UUID
    node: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call whose end is not known yet."""

    id: UUID
    callback_id: int
    claim_id: UUID
    agent_id: int
    msisdn: str
    started_at: datetime
    agent_answered_at: datetime | None = None
    subscriber_dialled_at: datetime | None = None
    subscriber_answered_at: datetime | None = None


_call, _callback = table(CallbackAttempt).c, table(Callback).c
_BEGIN = insert_new(CallbackAttempt, _call.id)


def begin(connection: Connection, call: NewCall) -> OpenCall:
    """Write a call ahead of it. Commit before anything is dialled.

    Raises ClaimLost where the claim is not held any more, or has a call under way.
    """
    row = held(connection, call.claim_id)
    values = {
        "id": call.id,
        "callback_id": row["id"],
        "claim_id": call.claim_id,
        "agent_id": row["claimed_by"],
        "started_at": call.started_at,
    }
    given = {**values, "node": call.node}
    if connection.execute(_BEGIN[connection.dialect.name], given).first() is None:
        raise ClaimLost("a call of this call-back is under way already")
    return OpenCall(**values, msisdn=row["msisdn"])


def record(connection: Connection, call_id: UUID, /, **times: datetime) -> None:
    """Note when a step of the call came, by the names in STEPS; a second time changes nothing."""
    if unknown := times.keys() - set(STEPS):
        raise TypeError(f"a call has no {', '.join(sorted(unknown))}")
    connection.execute(
        update(table(CallbackAttempt))
        .where(_call.id == call_id)
        .values({name: func.coalesce(_call[name], at) for name, at in times.items()})
    )


def finish(
    connection: Connection,
    call_id: UUID,
    ended_at: datetime,
    disposition: Disposition,
    hangup_cause: int | None = None,
    tech_cause: int | None = None,
) -> bool:
    """End a call; the first end stands. False where it had ended, or never was."""
    return (
        _finish(
            connection,
            _call.id == call_id,
            {
                "ended_at": ended_at,
                "disposition": disposition,
                "hangup_cause": hangup_cause,
                "tech_cause": tech_cause,
            },
        )
        > 0
    )


def forget(connection: Connection, now: datetime) -> int:
    """End, as unknown, the calls that nobody has ended for longer than any call may last."""
    values = {"ended_at": now, "disposition": Disposition.UNKNOWN}
    return _finish(connection, _call.started_at <= now - LONGEST_CALL, values)


def _finish(connection: Connection, which: ColumnElement[bool], values: dict[str, object]) -> int:
    ending = update(table(CallbackAttempt)).where(which, _call.ended_at.is_(None)).values(values)
    return connection.execute(ending).rowcount


def open_calls(connection: Connection, node: str) -> Sequence[OpenCall]:
    """The calls of an Asterisk without an end, the oldest first: compared with its channels."""
    rows = connection.execute(
        select(
            *(_call[name] for name in ("id", "callback_id", "claim_id", "agent_id", "started_at")),
            *(_call[name] for name in STEPS[1:]),
            _callback.msisdn,
        )
        .join(table(Callback), _callback.id == _call.callback_id)
        .where(_call.node == node, _call.ended_at.is_(None))
        .order_by(_call.started_at, _call.id)
    )
    return [OpenCall(**row) for row in rows.mappings()]
