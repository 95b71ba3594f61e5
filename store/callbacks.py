"""Promised calls of 9090 agents: opened with both deadlines, one open per number and kind. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import Connection, Row, update

from domain.deadlines import promise_at, target_at
from domain.states import CallbackKind, CallbackState, Channel
from store import history
from store.batches import NewRows
from store.callback_claims import unfinished
from store.facts import AdviceAsked
from store.history import Happening, happening
from store.models import Callback, table


@dataclass(frozen=True, slots=True)
class CallbackAsked:
    """A call-back to open; deadlines are counted from `requested_at`."""

    kind: CallbackKind
    msisdn: str
    campaign_id: int | None
    source_id: str
    requested_at: datetime
    registration_id: int | None = None


_callback = table(Callback).c
_OPEN = NewRows(
    Callback,
    (
        *("kind", "msisdn", "campaign_id", "source_id", "requested_at", "registration_id"),
        *("target_at", "promise_at", "state", "attempts_made"),
    ),
    *(_callback.kind, _callback.msisdn, _callback.campaign_id, _callback.requested_at),
    *(_callback.target_at, _callback.promise_at),
)


def open_callbacks(
    connection: Connection, asked: Sequence[CallbackAsked], target_by: time
) -> list[Happening]:
    """Open each call-back, unless its source or its number has one of that kind already.

    Gives what the caller is to add to the history: one promise for each that was opened.
    """
    rows = [_row(callback, target_by) for callback in asked]
    return [_promised(row) for row in _OPEN.run(connection, rows)]


def _row(asked: CallbackAsked, target_by: time) -> tuple[Any, ...]:
    """The values of a new row, in the order of _OPEN."""
    return (
        *(asked.kind, asked.msisdn, asked.campaign_id, asked.source_id),
        *(asked.requested_at, asked.registration_id),
        *(target_at(asked.requested_at, target_by), promise_at(asked.requested_at)),
        *(CallbackState.OPEN, 0),
    )


def _promised(row: Row[*tuple[Any, ...]]) -> Happening:
    return happening(
        "callback_promised",
        row.requested_at,
        msisdn=row.msisdn,
        campaign_id=row.campaign_id,
        callback=row.kind,
        target_at=row.target_at.isoformat(),
        promise_at=row.promise_at.isoformat(),
    )


def count_from(
    connection: Connection, registration_id: int, requested_at: datetime, target_by: time
) -> None:
    """Count the open call-back of a registration from an earlier receipt."""
    connection.execute(
        update(table(Callback))
        .where(
            _callback.registration_id == registration_id,
            unfinished(table(Callback)),
            _callback.requested_at > requested_at,
        )
        .values(
            requested_at=requested_at,
            target_at=target_at(requested_at, target_by),
            promise_at=promise_at(requested_at),
        )
    )


def promise_advice(connection: Connection, asked: Sequence[AdviceAsked], target_by: time) -> None:
    """Open an advice call-back for each subscriber whom key 3 brought to no agent."""
    promised = open_callbacks(
        connection,
        [
            CallbackAsked(
                kind=CallbackKind.ADVICE,
                msisdn=fact.msisdn,
                campaign_id=fact.campaign_id,
                source_id=f"{Channel(fact.channel)}:{fact.source_id}",
                requested_at=fact.at,
            )
            for fact in asked
        ],
        target_by,
    )
    history.add(connection, promised)
