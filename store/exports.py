"""Attempts, registrations, call-backs and texts, row by row in constant memory. I/O.

Rows are JSON values, times ISO 8601 in UTC. Each page is a short transaction of its own: a slow
reader of the export never holds the database.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select
from sqlalchemy.orm import InstrumentedAttribute

from domain.callbacks import Outcome
from domain.errors import InputError
from store.engine import Store
from store.models import (
    Address,
    Attempt,
    Callback,
    KeyPress,
    MessageIn,
    MessageOut,
    Registration,
    Target,
    table,
)
from store.registrations import LATE

_ROWS_A_PAGE = 1000
_TARGETS_A_PAGE = 500

_Columns = dict[str, InstrumentedAttribute[Any]]
"""The columns of an export by the name they have there."""

_ATTEMPT: _Columns = {
    "attempt_id": Attempt.id,
    "msisdn": Attempt.msisdn,
    "state": Attempt.state,
    "disposition": Attempt.disposition,
    "hangup_cause": Attempt.hangup_cause,
    "tech_cause": Attempt.tech_cause,
    "started_at": Attempt.started_at,
    "ringing_at": Attempt.ringing_at,
    "answered_at": Attempt.answered_at,
    "ended_at": Attempt.ended_at,
    "node": Attempt.node,
    "trunk": Attempt.trunk,
    "script_version": Attempt.script_version,
    "queue_joined_at": Attempt.queue_joined_at,
    "queue_agent_id": Attempt.queue_agent_id,
    "queue_connected_at": Attempt.queue_connected_at,
    "queue_left_at": Attempt.queue_left_at,
    "queue_outcome": Attempt.queue_outcome,
}
_REGISTRATION: _Columns = {
    "registration_id": Registration.id,
    "msisdn": Registration.msisdn,
    "channel": Registration.channel,
    "source_id": Registration.source_id,
    "state": Registration.state,
    "registered_at": Registration.registered_at,
    "evidence": Registration.evidence,
}
_CALLBACK: _Columns = {
    "callback_id": Callback.id,
    "msisdn": Callback.msisdn,
    "kind": Callback.kind,
    "state": Callback.state,
    "source_id": Callback.source_id,
    "registration_id": Callback.registration_id,
    "requested_at": Callback.requested_at,
    "target_at": Callback.target_at,
    "promise_at": Callback.promise_at,
    "ready_at": Callback.ready_at,
    "attempts_made": Callback.attempts_made,
    "outcome": Callback.outcome,
    "outcome_at": Callback.outcome_at,
    "claimed_by": Callback.claimed_by,
    "claimed_at": Callback.claimed_at,
    "closed_at": Callback.closed_at,
    "appointment_day": Callback.appointment_day,
    "appointment_slot": Callback.appointment_slot,
}
_MESSAGE_IN: _Columns = {
    "text_id": MessageIn.id,
    "msisdn": MessageIn.msisdn,
    "source": MessageIn.source,
    "destination": MessageIn.destination,
    "received_at": MessageIn.received_at,
    "state": MessageIn.state,
    "text": MessageIn.text,
    "verdict": MessageIn.verdict,
    "answer": MessageIn.answer,
    "repeat_of": MessageIn.repeat_of,
    "joined_into": MessageIn.joined_into,
    "part_number": MessageIn.part_number,
    "part_total": MessageIn.part_total,
    "data_coding": MessageIn.data_coding,
    "account": MessageIn.account,
    "bind": MessageIn.bind,
    "raw": MessageIn.raw,
}
_MESSAGE_OUT: _Columns = {
    "text_id": MessageOut.id,
    "head_id": MessageOut.head_id,
    "msisdn": MessageOut.msisdn,
    "source": MessageOut.source,
    "purpose": MessageOut.kind,
    "state": MessageOut.state,
    "text": MessageOut.text,
    "part_number": MessageOut.part_number,
    "part_total": MessageOut.part_total,
    "in_reply_to": MessageOut.in_reply_to,
    "campaign_id": MessageOut.campaign_id,
    "tries": MessageOut.tries,
    "unanswered": MessageOut.unanswered,
    "posted_at": MessageOut.posted_at,
    "sending_at": MessageOut.sending_at,
    "responded_at": MessageOut.responded_at,
    "done_at": MessageOut.done_at,
    "status": MessageOut.status,
    "error": MessageOut.error,
    "message_id": MessageOut.message_id,
    "account": MessageOut.account,
    "bind": MessageOut.bind,
}


async def attempts(
    store: Store, campaign_id: int, after: UUID | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Every attempt with its `keys` ({key, at, script_state}), by number, then by start.

    `attempt_id` is the id of the channel in Asterisk. `disposition` is null while the attempt is
    open; `hangup_cause` is Q.850 and `tech_cause` the SIP status, null where none was given.
    After an attempt of the campaign, those that follow it. Raises InputError for any other.
    """
    number = ""
    if after is not None:
        number, rest = await store.read(_attempts_beside, campaign_id, after)
        for row in rest:
            yield row
    while True:
        page, numbers = await store.read(_attempts_page, campaign_id, number)
        for row in page:
            yield row
        if len(numbers) < _TARGETS_A_PAGE:
            return
        number = numbers[-1]


async def registrations(
    store: Store, campaign_id: int, after: int = 0
) -> AsyncIterator[dict[str, Any]]:
    """Every registration that the campaign brought, in the order they were committed.

    `late_since` is the last day of the phase where it came after that, else null.
    """
    where = Registration.campaign_id == campaign_id
    async for row in _by_id(store, _REGISTRATION, where, after=after):
        yield {**row, LATE: row["evidence"].get(LATE)}


async def callbacks(
    store: Store, campaign_id: int, after: int = 0
) -> AsyncIterator[dict[str, Any]]:
    """Every call-back that the campaign promised, in the order they were committed.

    `address` is what the agent confirmed, null where there is none.
    """
    where = Callback.campaign_id == campaign_id
    async for row in _by_id(store, _CALLBACK, where, _with_addresses, after):
        yield row


async def messages(store: Store, since: datetime) -> AsyncIterator[dict[str, Any]]:
    """Every text since then: those that came (`direction` in), then those posted (out), by PDU.

    `raw` is the PDU in hex. In a long text the words stand in one part, to which `joined_into` or
    `head_id` of the others leads.
    """
    async for row in _by_id(store, _MESSAGE_IN, MessageIn.received_at >= since):
        yield {"direction": "in", **row}
    async for row in _by_id(store, _MESSAGE_OUT, MessageOut.posted_at >= since):
        yield {"direction": "out", **row}


def _attempts_page(
    connection: Connection, campaign_id: int, after: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """The attempts of the next numbers, and those numbers."""
    # Paged by number, which has an index with the campaign; the time of a dial has none.
    targets = connection.execute(
        select(Target.id, Target.msisdn)
        .where(Target.campaign_id == campaign_id, Target.msisdn > after)
        .order_by(Target.msisdn)
        .limit(_TARGETS_A_PAGE)
    ).all()
    attempts = _attempts_of(connection, [target.id for target in targets])
    return attempts, [target.msisdn for target in targets]


def _attempts_beside(
    connection: Connection, campaign_id: int, after: UUID
) -> tuple[str, list[dict[str, Any]]]:
    """The number of an attempt, and the attempts of its target that follow it."""
    row = connection.execute(
        select(Attempt.msisdn, Attempt.target_id).where(
            Attempt.id == after, Attempt.campaign_id == campaign_id
        )
    ).first()
    if row is None:
        raise InputError(f"the campaign has no attempt {after}")
    found = _attempts_of(connection, [row.target_id])
    ids = [attempt["attempt_id"] for attempt in found]
    return row.msisdn, found[ids.index(str(after)) + 1 :]


def _attempts_of(connection: Connection, target_ids: Sequence[int]) -> list[dict[str, Any]]:
    rows = connection.execute(
        _select(_ATTEMPT)
        .where(Attempt.target_id.in_(target_ids))
        .order_by(Attempt.msisdn, Attempt.started_at, Attempt.id)
    ).all()
    keys = _keys_of(connection, [row.attempt_id for row in rows])
    return [{**_json(row), "keys": keys.get(row.attempt_id, [])} for row in rows]


def _keys_of(
    connection: Connection, attempt_ids: Sequence[UUID]
) -> dict[UUID, list[dict[str, Any]]]:
    rows = connection.execute(
        select(KeyPress.attempt_id, KeyPress.pressed_at, KeyPress.key, KeyPress.script_state)
        .where(KeyPress.attempt_id.in_(attempt_ids))
        .order_by(KeyPress.attempt_id, KeyPress.pressed_at)
    )
    keys: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        press = {"key": row.key, "at": _text(row.pressed_at), "script_state": row.script_state}
        keys.setdefault(row.attempt_id, []).append(press)
    return keys


_Finish = Callable[[Connection, Sequence[Row[Any]]], list[dict[str, Any]]]
"""Makes the JSON of a page, with what else belongs to its rows."""


async def _by_id(
    store: Store, columns: _Columns, where: Any, finish: _Finish | None = None, after: int = 0
) -> AsyncIterator[dict[str, Any]]:
    """Rows in the order of their first column, a number that only grows."""
    identity = next(iter(columns))
    while True:
        page = await store.read(_page, columns, where, after, finish or _plain)
        for row in page:
            yield row
        if len(page) < _ROWS_A_PAGE:
            return
        after = page[-1][identity]


def _page(
    connection: Connection, columns: _Columns, where: Any, after: int, finish: _Finish
) -> list[dict[str, Any]]:
    identity = next(iter(columns.values()))
    chosen = _select(columns).where(where, identity > after)
    return finish(
        connection, connection.execute(chosen.order_by(identity).limit(_ROWS_A_PAGE)).all()
    )


def _plain(_: Connection, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    return [_json(row) for row in rows]


def _with_addresses(connection: Connection, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    confirmed = [row.callback_id for row in rows if row.outcome == Outcome.CONFIRMED]
    columns = table(Address)
    found = connection.execute(select(columns).where(columns.c.callback_id.in_(confirmed)))
    addresses = {row.callback_id: _json(row) for row in found}
    for address in addresses.values():
        del address["callback_id"]
    return [{**_json(row), "address": addresses.get(row.callback_id)} for row in rows]


def _select(columns: _Columns) -> Any:
    return select(*(column.label(name) for name, column in columns.items()))


def _json(row: Row[Any]) -> dict[str, Any]:
    return {name: _text(value) for name, value in row._mapping.items()}


def _text(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, UUID) else value
