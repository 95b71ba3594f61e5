"""What the desks see of call-backs: the queue by its deadlines, one call-back, the days. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, case, func, select, tuple_
from sqlalchemy.sql.elements import Case

from domain.sla import SlaBounds, SlaState
from store.callback_claims import unfinished
from store.models import Address, Callback, CallbackAttempt, CallbackClaim, table

_callback, _claim = table(Callback).c, table(CallbackClaim).c
_call, _address = table(CallbackAttempt).c, table(Address).c
_UNFINISHED = unfinished(table(Callback))

Place = tuple[datetime, datetime, int]
"""Where a page ended: target_at, promise_at and id of its last row."""


@dataclass(frozen=True, slots=True)
class Page:
    """Call-backs in the order they are served, each with its `sla`; `next` is None at the end."""

    rows: Sequence[RowMapping]
    next: Place | None


def sla_counts(connection: Connection, bounds: SlaBounds) -> dict[SlaState, int]:
    """How many call-backs still to be made stand where against their deadlines."""
    state = _sla(bounds)
    rows = connection.execute(select(state, func.count()).where(_UNFINISHED).group_by(state))
    found = {SlaState(word): count for word, count in rows}
    return {state: found.get(state, 0) for state in SlaState}


def queue(
    connection: Connection,
    bounds: SlaBounds,
    limit: int,
    sla: SlaState | None = None,
    after: Place | None = None,
) -> Page:
    """A page of the call-backs still to be made, the earliest deadline first."""
    order = (_callback.target_at, _callback.promise_at, _callback.id)
    chosen = select(table(Callback), _sla(bounds).label("sla")).where(_UNFINISHED)
    if sla is not None:
        chosen = chosen.where(_is(sla, bounds))
    if after is not None:
        # The first condition alone would do, but SQLite takes its start from the second.
        chosen = chosen.where(tuple_(*order) > tuple_(*after), _callback.target_at >= after[0])
    rows = connection.execute(chosen.order_by(*order).limit(limit)).mappings().all()
    last = rows[-1] if len(rows) == limit else None
    return Page(rows, None if last is None else (last["target_at"], last["promise_at"], last["id"]))


def _sla(bounds: SlaBounds) -> Case[Any]:
    """`domain.sla.sla_state`, in SQL."""
    return case(
        (_callback.promise_at <= bounds.now, SlaState.BROKEN),
        (_callback.target_at <= bounds.now, SlaState.LATE),
        (_callback.target_at <= bounds.at_risk_until, SlaState.AT_RISK),
        (_callback.target_at < bounds.today_until, SlaState.DUE_TODAY),
        else_=SlaState.FRESH,
    )


def _is(state: SlaState, bounds: SlaBounds) -> ColumnElement[bool]:
    """The same as ranges of the deadlines, which an index serves."""
    target, promise = _callback.target_at, _callback.promise_at
    ranges = {
        # A target comes before its promise.
        SlaState.BROKEN: and_(target <= bounds.now, promise <= bounds.now),
        SlaState.LATE: and_(target <= bounds.now, promise > bounds.now),
        SlaState.AT_RISK: and_(target > bounds.now, target <= bounds.at_risk_until),
        SlaState.DUE_TODAY: and_(target > bounds.at_risk_until, target < bounds.today_until),
        SlaState.FRESH: and_(target > bounds.at_risk_until, target >= bounds.today_until),
    }
    return ranges[state]


@dataclass(frozen=True, slots=True)
class Story:
    """One call-back, whole: its row, the confirmed address, its claims and calls in order."""

    callback: RowMapping
    address: RowMapping | None
    claims: Sequence[RowMapping]
    calls: Sequence[RowMapping]


def story(connection: Connection, callback_id: int) -> Story | None:
    """One call-back with its history, or None where there is no such."""
    row = connection.execute(select(table(Callback)).where(_callback.id == callback_id))
    callback = row.mappings().one_or_none()
    if callback is None:
        return None
    address = connection.execute(select(table(Address)).where(_address.callback_id == callback_id))
    claims = connection.execute(
        select(table(CallbackClaim))
        .where(_claim.callback_id == callback_id)
        .order_by(_claim.claimed_at)
    )
    calls = connection.execute(
        select(table(CallbackAttempt))
        .where(_call.callback_id == callback_id)
        .order_by(_call.started_at)
    )
    return Story(
        callback, address.mappings().one_or_none(), claims.mappings().all(), calls.mappings().all()
    )
