"""The agents' queue: one call-back at a time each, the earliest deadline first. I/O.

A claim is a lease: who holds it renews it, else `expire` gives it back. Every operation on a claim
names it by its UUID, so that a late hand never touches another's claim. The call-backs of one
number are served one after the other, never by two agents at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import (
    Connection,
    Integer,
    RowMapping,
    Update,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    update,
)

from domain.calendar import Calendar
from domain.callbacks import Outcome
from domain.errors import ClaimLost, InputError, NotOnDuty
from domain.states import CallbackKind, CallbackState, ClaimEnd, Duty
from store.callback_claims import (
    IN_A_CALL,
    LONGEST_CALL,
    Freed,
    free,
    freed,
    held,
    unfinished,
)
from store.columns import UtcDateTime, fixed
from store.models import Agent, Callback, CallbackClaim, table

_FREED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Taken:
    """A call-back that is this agent's until `claimed_until`, unless the claim is renewed."""

    claim_id: UUID
    callback_id: int
    kind: CallbackKind
    msisdn: str
    campaign_id: int | None
    registration_id: int | None
    requested_at: datetime
    target_at: datetime
    promise_at: datetime
    attempts_made: int
    outcome: str | None
    claimed_at: datetime
    claimed_until: datetime


_callback, _claim, _agent = table(Callback).c, table(CallbackClaim).c, table(Agent).c
_sibling, _own = table(Callback).alias("sibling"), table(Callback).alias("own")

_ONE = literal_column("1", Integer)
_DUTY = select(_agent.duty).where(_agent.agent_id == bindparam("agent")).with_for_update()
# PostgreSQL counts on few rows where a table has grown since it was last analysed, and then reads
# and sorts the whole queue at every claim (20 ms with 5,000). The index has the order already.
_DUTY_AND_PLAN = {
    "sqlite": _DUTY,
    "postgresql": _DUTY.add_columns(
        func.set_config("enable_sort", "off", True),
        func.set_config("enable_bitmapscan", "off", True),
    ),
}
_MAY_GO_FIRST = or_(
    _sibling.c.outcome.is_(None),
    _sibling.c.outcome != fixed(Outcome.CALL_LATER),
    _sibling.c.ready_at <= bindparam("now", type_=UtcDateTime),
)
"""Not what the subscriber put off to a later day: the number's other promise would be broken."""
_BEFORE_IT = (
    select(_sibling.c.id)
    .where(
        _sibling.c.msisdn == _callback.msisdn,
        _sibling.c.id != _callback.id,
        unfinished(_sibling),
        or_(
            _sibling.c.state == fixed(CallbackState.CLAIMED),
            _MAY_GO_FIRST
            & or_(
                _sibling.c.promise_at < _callback.promise_at,
                (_sibling.c.promise_at == _callback.promise_at) & (_sibling.c.id < _callback.id),
            ),
        ),
    )
    .limit(_ONE)
    .scalar_subquery()
    .is_not(None)
)
"""As a value, which PostgreSQL looks up row by row: an EXISTS may become a join of all rows."""
_HAS_ONE = (
    select(_own.c.id)
    .where(_own.c.claimed_by == bindparam("agent"), _own.c.state == fixed(CallbackState.CLAIMED))
    .exists()
)
_NEXT = (
    select(_callback.id)
    .where(
        unfinished(table(Callback)),
        _callback.state == fixed(CallbackState.OPEN),
        _callback.ready_at <= bindparam("now", type_=UtcDateTime),
        ~_BEFORE_IT,
        ~_HAS_ONE,
    )
    .order_by(_callback.target_at, _callback.promise_at, _callback.id)
    .limit(_ONE)
    .with_for_update(skip_locked=True, of=table(Callback))
    .scalar_subquery()
)
_MAKE_CLAIMED = {
    "state": fixed(CallbackState.CLAIMED),
    "claim_id": bindparam("claim"),
    "claimed_by": bindparam("agent"),
    "claimed_at": bindparam("now", type_=UtcDateTime),
    "claimed_until": bindparam("until"),
}
_TAKE = (
    update(table(Callback))
    .where(_callback.id == _NEXT)
    .values(_MAKE_CLAIMED)
    .returning(table(Callback))
)
_TAKE_THIS = (
    update(table(Callback))
    .where(_callback.id == bindparam("this"), _callback.state == fixed(CallbackState.OPEN))
    .values(_MAKE_CLAIMED)
    .returning(table(Callback))
)
_OWN = select(table(Callback)).where(
    _callback.claimed_by == bindparam("agent"), _callback.state == fixed(CallbackState.CLAIMED)
)
_RENEW = (
    update(table(Callback))
    .where(
        _callback.id
        == select(_claim.callback_id).where(_claim.id == bindparam("claim")).scalar_subquery(),
        _callback.claim_id == bindparam("claim"),
    )
    .values(claimed_until=bindparam("until"))
    .returning(_callback.id)
)


def take_next(
    connection: Connection, agent_id: int, now: datetime, lease: timedelta, hours: Calendar
) -> Taken | None:
    """Claim the next call-back for an agent; None where nothing is ready, or outside the hours.

    An agent holds one at a time: who has one gets it again. Raises NotOnDuty.
    """
    _require_duty(connection, agent_id)
    taken = _claimed(connection, _TAKE, agent_id, now, lease) if hours.is_open(now) else None
    if taken is not None:
        return taken
    own = current(connection, agent_id)
    if own is not None:
        renew(connection, own.claim_id, now, lease)
    return own


def current(connection: Connection, agent_id: int) -> Taken | None:
    """What the agent holds."""
    row = connection.execute(_OWN, {"agent": agent_id}).mappings().one_or_none()
    return None if row is None else _taken(row)


def renew(connection: Connection, claim_id: UUID, now: datetime, lease: timedelta) -> bool:
    """Hold a claim until `now + lease`; False where it is lost."""
    values = {"claim": claim_id, "until": now + lease}
    return connection.execute(_RENEW, values).scalar_one_or_none() is not None


def give_back(
    connection: Connection,
    claim_id: UUID,
    now: datetime,
    reason: str | None = None,
    how: ClaimEnd = ClaimEnd.GIVEN_BACK,
) -> bool:
    """Put a claimed call-back back into the queue; False where the claim was lost already."""
    try:
        row = held(connection, claim_id)
    except ClaimLost:
        return False
    free(connection, [Freed(claim_id, row["id"])], how, now, reason)
    return True


_EXPIRED = (
    select(_callback.claim_id, _callback.id)
    .where(
        _callback.state == fixed(CallbackState.CLAIMED),
        _callback.claimed_until <= bindparam("now", type_=UtcDateTime),
        ~IN_A_CALL,
    )
    .limit(_FREED_AT_ONCE)
    .with_for_update(skip_locked=True, of=table(Callback))
)


def expire(connection: Connection, now: datetime) -> int:
    """Give back what nobody renewed, but not in the middle of a call; tell how many."""
    rows = connection.execute(_EXPIRED, {"now": now, "forgotten_before": now - LONGEST_CALL}).all()
    free(connection, freed(rows), ClaimEnd.EXPIRED, now, None)
    return len(rows)


_THIS = select(table(Callback)).where(_callback.id == bindparam("this")).with_for_update()


def assign(
    connection: Connection, callback_id: int, agent_id: int, now: datetime, lease: timedelta
) -> Taken:
    """Hand one call-back to one agent, from the queue or from another agent, ready or not.

    Raises NotOnDuty, and InputError where it is closed, the agent has one, or its number is held.
    """
    _require_duty(connection, agent_id)
    if (own := current(connection, agent_id)) is not None and own.callback_id != callback_id:
        raise InputError("the agent has a call-back already")
    row = connection.execute(_THIS, {"this": callback_id}).mappings().one_or_none()
    if row is None or row["closed_at"] is not None:
        raise InputError("the call-back is closed")
    if row["claimed_by"] == agent_id:
        return _taken(row)
    if row["claim_id"] is not None:
        free(connection, [Freed(row["claim_id"], row["id"])], ClaimEnd.RELEASED, now, None)
    if _is_held(connection, row["msisdn"]):
        raise InputError("another agent is talking to this number")
    taken = _claimed(connection, _TAKE_THIS, agent_id, now, lease, this=callback_id)
    if taken is None:
        raise InputError("the call-back is closed")
    return taken


def _is_held(connection: Connection, msisdn: str) -> bool:
    chosen = select(_callback.id).where(
        _callback.msisdn == msisdn, _callback.state == fixed(CallbackState.CLAIMED)
    )
    return connection.execute(chosen).first() is not None


def _require_duty(connection: Connection, agent_id: int) -> None:
    """Locks the agent's row: claims of one agent, and going off duty, come one after the other."""
    statement = _DUTY_AND_PLAN[connection.dialect.name]
    duty = connection.execute(statement, {"agent": agent_id}).scalar_one_or_none()
    if duty != Duty.ON:
        raise NotOnDuty("go on duty first: call-backs are handed to agents on duty only")


def _claimed(
    connection: Connection,
    statement: Update,
    agent_id: int,
    now: datetime,
    lease: timedelta,
    **more: int,
) -> Taken | None:
    values = {"claim": uuid4(), "agent": agent_id, "now": now, "until": now + lease, **more}
    row = connection.execute(statement, values).mappings().one_or_none()
    if row is None:
        return None
    connection.execute(
        _REMEMBER,
        {"id": values["claim"], "callback_id": row["id"], "agent_id": agent_id, "claimed_at": now},
    )
    return _taken(row)


_REMEMBER = table(CallbackClaim).insert()


def _taken(row: RowMapping) -> Taken:
    return Taken(
        claim_id=row["claim_id"],
        callback_id=row["id"],
        kind=CallbackKind(row["kind"]),
        **{name: row[name] for name in _AS_THEY_ARE},
    )


_AS_THEY_ARE = (
    *("msisdn", "campaign_id", "registration_id", "requested_at", "target_at", "promise_at"),
    *("attempts_made", "outcome", "claimed_at", "claimed_until"),
)
