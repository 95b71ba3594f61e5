"""What the scheduler does to call-backs: when they are ready, and when to give up. I/O.

Each function is one step of a tick. All are harmless when run twice or on two nodes: each changes
only rows that still stand as they were found, under the row's lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, Row, and_, bindparam, select, update

from domain.callbacks import Outcome
from domain.sla import SlaBounds, SlaState
from domain.states import CallbackKind, CallbackState
from store import history
from store.callback_claims import unfinished
from store.callback_results import cancel_registration
from store.columns import UtcDateTime, fixed
from store.history import Happening, happening
from store.models import Callback, table
from store.statements import among_chosen

AT_ONCE = 500
"""Rows that one transaction looks at."""
RAISED_AT_ONCE = 100
"""Agents get none of those that a transaction is raising, and a day's all become late at once."""


@dataclass(frozen=True, slots=True)
class Unscheduled:
    """A call-back that waits to be told when: new (no outcome), or after a call without result."""

    id: int
    kind: CallbackKind
    msisdn: str
    requested_at: datetime
    promise_at: datetime
    attempts_made: int
    outcome: Outcome | None
    outcome_at: datetime | None


_callback = table(Callback).c
_IS_OPEN = _callback.state == fixed(CallbackState.OPEN)
_UNSCHEDULED = (
    select(table(Callback))
    .where(_IS_OPEN, _callback.ready_at.is_(None))
    .order_by(_callback.id)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True)
)
_READY = (
    update(table(Callback))
    .where(_callback.id == bindparam("of_id"), _IS_OPEN, _callback.ready_at.is_(None))
    .values(ready_at=bindparam("at", type_=UtcDateTime))
)
_GIVE_UP = (
    update(table(Callback))
    .where(_callback.id == bindparam("of_id"), _IS_OPEN, _callback.ready_at.is_(None))
    .values(state=fixed(CallbackState.UNREACHABLE), closed_at=bindparam("now"))
    .returning(table(Callback))
)


def unscheduled(connection: Connection) -> list[Unscheduled]:
    """The next call-backs without a moment at which they are ready, locked."""
    rows = connection.execute(_UNSCHEDULED).all()
    return [
        Unscheduled(
            row.id,
            CallbackKind(row.kind),
            row.msisdn,
            row.requested_at,
            row.promise_at,
            row.attempts_made,
            None if row.outcome is None else Outcome(row.outcome),
            row.outcome_at,
        )
        for row in rows
    ]


def make_ready(connection: Connection, ready: Sequence[tuple[int, datetime]]) -> None:
    """Set when each of these call-backs may be called."""
    if ready:
        connection.execute(_READY, [{"of_id": identity, "at": at} for identity, at in ready])


def give_up(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """End call-backs whose subscriber was not reached in all attempts, and their registrations."""
    for identity in ids:
        values = {"of_id": identity, "now": now}
        row = connection.execute(_GIVE_UP, values).mappings().one_or_none()
        if row is None:
            continue
        told = happening(
            "callback_unreachable",
            now,
            msisdn=row["msisdn"],
            campaign_id=row["campaign_id"],
            callback=row["kind"],
            attempts_made=row["attempts_made"],
        )
        history.add(connection, [told])
        if row["registration_id"] is not None:
            cancel_registration(connection, row, CallbackState.UNREACHABLE, now)


_LEVELS = (SlaState.BROKEN, SlaState.LATE, SlaState.AT_RISK)
"""What is raised, the worst first: who is worse at once is raised once."""
_KINDS = {
    SlaState.BROKEN: "promise_broken",
    SlaState.LATE: "callback_late",
    SlaState.AT_RISK: "callback_at_risk",
}


def _overdue(level: SlaState) -> Any:
    """Some open call-backs beyond a bound that were not raised as this, or as worse, before."""
    deadline = _callback.promise_at if level is SlaState.BROKEN else _callback.target_at
    worse = _LEVELS[: _LEVELS.index(level) + 1]
    chosen = (
        select(_callback.id)
        .where(
            unfinished(table(Callback)),
            # A promise ends after its target, and the index begins with the target.
            _callback.target_at <= bindparam("bound", type_=UtcDateTime),
            deadline <= bindparam("bound", type_=UtcDateTime),
            _callback.warned.is_(None)
            | and_(*(_callback.warned != fixed(raised) for raised in worse)),
        )
        # From the far end: agents, who pass over what is locked, take the first ones meanwhile.
        .order_by(_callback.target_at.desc(), _callback.promise_at.desc(), _callback.id.desc())
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
    )
    return (
        update(table(Callback))
        .where(among_chosen(_callback.id, chosen))
        .values(warned=level)
        .returning(
            _callback.id,
            _callback.msisdn,
            _callback.campaign_id,
            _callback.kind,
            _callback.target_at,
            _callback.promise_at,
        )
    )


_RAISE = {level: _overdue(level) for level in _LEVELS}


@dataclass(frozen=True, slots=True)
class Raised:
    """How many call-backs are newly at each level; `has_more` asks for another step at once."""

    counts: dict[SlaState, int]
    has_more: bool


def raise_deadlines(connection: Connection, bounds: SlaBounds) -> Raised:
    """Raise, once each, some of what is at risk, late or broken."""
    until = {
        SlaState.BROKEN: bounds.now,
        SlaState.LATE: bounds.now,
        SlaState.AT_RISK: bounds.at_risk_until,
    }
    counts: dict[SlaState, int] = {}
    for level in _LEVELS:
        most = RAISED_AT_ONCE - sum(counts.values())
        rows = connection.execute(_RAISE[level], {"bound": until[level], "most": most}).all()
        history.add(connection, [_raised(level, row, bounds.now) for row in rows])
        counts[level] = len(rows)
        if len(rows) == most:
            return Raised(counts, has_more=True)
    return Raised(counts, has_more=False)


def _raised(level: SlaState, row: Row[Any], now: datetime) -> Happening:
    return happening(
        _KINDS[level],
        now,
        msisdn=row.msisdn,
        campaign_id=row.campaign_id,
        once=f"{_KINDS[level]}:{row.id}:{row.promise_at.isoformat()}",
        callback=row.kind,
        target_at=row.target_at.isoformat(),
        promise_at=row.promise_at.isoformat(),
    )
