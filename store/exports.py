"""A campaign's attempts, registrations and call-backs, row by row in constant memory. I/O.

Rows are JSON values, times ISO 8601 in UTC. Each page is a short transaction of its own: a slow
reader of the export never holds the database.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select
from sqlalchemy.orm import InstrumentedAttribute

from store.engine import Store
from store.models import Attempt, Callback, KeyPress, Registration, Target

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
}


async def attempts(store: Store, campaign_id: int) -> AsyncIterator[dict[str, Any]]:
    """Every attempt with its `keys` ({key, at, script_state}), by number, then by start.

    `attempt_id` is the id of the channel in Asterisk. `disposition` is null while the attempt is
    open; `hangup_cause` is Q.850 and `tech_cause` the SIP status, null where none was given.
    """
    after = ""
    while True:
        page, numbers = await store.read(_attempts_page, campaign_id, after)
        for row in page:
            yield row
        if len(numbers) < _TARGETS_A_PAGE:
            return
        after = numbers[-1]


async def registrations(store: Store, campaign_id: int) -> AsyncIterator[dict[str, Any]]:
    """Every registration that the campaign brought, in the order they were committed."""
    async for row in _by_id(store, _REGISTRATION, Registration.campaign_id == campaign_id):
        yield row


async def callbacks(store: Store, campaign_id: int) -> AsyncIterator[dict[str, Any]]:
    """Every call-back that the campaign promised, in the order they were committed."""
    async for row in _by_id(store, _CALLBACK, Callback.campaign_id == campaign_id):
        yield row


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


async def _by_id(store: Store, columns: _Columns, where: Any) -> AsyncIterator[dict[str, Any]]:
    """Rows in the order of their first column, a number that only grows."""
    identity = next(iter(columns.values()))
    after = 0
    while True:
        page = await store.read(_page, columns, where, identity, after)
        for row in page:
            yield _json(row)
        if len(page) < _ROWS_A_PAGE:
            return
        after = page[-1][0]


def _page(
    connection: Connection, columns: _Columns, where: Any, identity: Any, after: int
) -> Sequence[Any]:
    chosen = _select(columns).where(where, identity > after)
    return connection.execute(chosen.order_by(identity).limit(_ROWS_A_PAGE)).all()


def _select(columns: _Columns) -> Any:
    return select(*(column.label(name) for name, column in columns.items()))


def _json(row: Row[Any]) -> dict[str, Any]:
    return {name: _text(value) for name, value in row._mapping.items()}


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
