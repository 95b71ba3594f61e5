"""Attempts, registrations, call-backs and texts, row by row in constant memory. I/O.

Rows are JSON values, times ISO 8601 in UTC. Each page is a short transaction of its own: a slow
reader of the export never holds the database.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from domain.callbacks import Outcome
from domain.errors import InputError
from store.engine import Store
from store.export_columns import ATTEMPT, CALLBACK, MESSAGE_IN, MESSAGE_OUT, REGISTRATION, Columns
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
from store.settled import settled

_ROWS_A_PAGE = 1000
_TARGETS_A_PAGE = 500


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
    """Every registration that the campaign brought, by id: go on after the last for what is new.

    `late_since` is the last day of the phase where it came after that, else null.
    """
    where = Registration.campaign_id == campaign_id
    async for row in _by_id(store, REGISTRATION, where, after=after):
        yield {**row, LATE: row["evidence"].get(LATE)}


async def callbacks(
    store: Store, campaign_id: int, after: int = 0
) -> AsyncIterator[dict[str, Any]]:
    """Every call-back that the campaign promised, by id: go on after the last for what is new.

    `address` is what the agent confirmed, null where there is none.
    """
    where = Callback.campaign_id == campaign_id
    async for row in _by_id(store, CALLBACK, where, _with_addresses, after):
        yield row


async def messages(store: Store, since: datetime) -> AsyncIterator[dict[str, Any]]:
    """Every text since then: those that came (`direction` in), then those posted (out), by PDU.

    `raw` is the PDU in hex. In a long text the words stand in one part, to which `joined_into` or
    `head_id` of the others leads.
    """
    async for row in _by_id(store, MESSAGE_IN, MessageIn.received_at >= since):
        yield {"direction": "in", **row}
    async for row in _by_id(store, MESSAGE_OUT, MessageOut.posted_at >= since):
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
        _select(ATTEMPT)
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
    store: Store, columns: Columns, where: Any, finish: _Finish | None = None, after: int = 0
) -> AsyncIterator[dict[str, Any]]:
    """Rows in the order of their first column, the id; who goes on after the last misses none."""
    identity, column = next(iter(columns.items()))
    last = await settled(store, column)
    while True:
        page = await store.read(_page, columns, where, (after, last), finish or _plain)
        for row in page:
            yield row
        if len(page) < _ROWS_A_PAGE:
            return
        after = page[-1][identity]


def _page(
    connection: Connection, columns: Columns, where: Any, span: tuple[int, int], finish: _Finish
) -> list[dict[str, Any]]:
    identity = next(iter(columns.values()))
    chosen = _select(columns).where(where, identity > span[0], identity <= span[1])
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


def _select(columns: Columns) -> Any:
    return select(*(column.label(name) for name, column in columns.items()))


def _json(row: Row[Any]) -> dict[str, Any]:
    return {name: _text(value) for name, value in row._mapping.items()}


def _text(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, UUID) else value
