"""What all ends of a claim share: the row under its lock, and the way back to the queue. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, FromClause, RowMapping, bindparam, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from domain.errors import ClaimLost
from domain.states import CallbackState, ClaimEnd
from store.columns import UtcDateTime, fixed
from store.messages import storable
from store.models import Callback, CallbackAttempt, CallbackClaim, table
from store.statements import among

LONGEST_CALL = timedelta(hours=2)
"""An open call of an agent that began earlier than this counts as forgotten."""

_callback, _claim = table(Callback).c, table(CallbackClaim).c
_call = table(CallbackAttempt).c
NO_CLAIM: dict[str, None] = dict.fromkeys(("claim_id", "claimed_by", "claimed_at", "claimed_until"))
"""The columns of a call-back that nobody holds."""


@dataclass(frozen=True, slots=True)
class Freed:
    """A claim that is to end, and its call-back."""

    claim_id: UUID
    callback_id: int


def unfinished(rows: FromClause) -> ColumnElement[bool]:
    """That a call-back still has to be made, in the words of the partial indexes."""
    return or_(
        rows.c.state == fixed(CallbackState.OPEN), rows.c.state == fixed(CallbackState.CLAIMED)
    )


def in_a_call(of: ColumnElement[bool]) -> ColumnElement[bool]:
    """That one of these calls is under way; `forgotten_before` is to be now less LONGEST_CALL."""
    forgotten_before = bindparam("forgotten_before", type_=UtcDateTime)
    is_open = _call.ended_at.is_(None) & (_call.started_at > forgotten_before)
    return select(_call.id).where(of, is_open).exists()


IN_A_CALL = in_a_call(_call.callback_id == _callback.id)
"""That the call-back's call is under way."""

_HELD = (
    select(table(Callback), _claim.agent_id)
    .join(table(CallbackClaim), _claim.callback_id == _callback.id)
    .where(_claim.id == bindparam("of_claim"))
    .with_for_update(of=table(Callback))
)


def held(connection: Connection, claim_id: UUID) -> RowMapping:
    """The call-back of a claim, locked until the transaction ends. Raises ClaimLost."""
    row = connection.execute(_HELD, {"of_claim": claim_id}).mappings().one_or_none()
    if row is None or row["claim_id"] != claim_id:
        raise _lost()
    return row


_NEWEST = (
    select(_claim.id, _claim.ending)
    .where(_claim.callback_id == bindparam("of_callback"))
    .order_by(_claim.claimed_at.desc())
    .limit(1)
)
_LAPSES = {ClaimEnd.EXPIRED, ClaimEnd.OFF_DUTY}
"""How a claim ends of itself: nobody wanted the call-back back."""


_TAKE_UP = (
    update(table(Callback))
    .where(_callback.id == bindparam("of_callback"))
    .values(
        state=fixed(CallbackState.CLAIMED),
        claim_id=bindparam("claim"),
        claimed_by=bindparam("agent"),
        claimed_at=bindparam("now"),
        claimed_until=bindparam("now"),
    )
)


def held_again(connection: Connection, claim_id: UUID, now: datetime) -> RowMapping:
    """The same; a claim that lapsed is taken up again, if nobody took the call-back meanwhile.

    Raises ClaimLost.
    """
    row = connection.execute(_HELD, {"of_claim": claim_id}).mappings().one_or_none()
    if row is None:
        raise _lost()
    if row["claim_id"] == claim_id:
        return row
    # Asked only now, under the lock: how the claim ended may have been written a moment ago.
    newest = connection.execute(_NEWEST, {"of_callback": row["id"]}).one()
    if row["state"] != CallbackState.OPEN or newest.id != claim_id or newest.ending not in _LAPSES:
        raise _lost()
    values = {"of_callback": row["id"], "claim": claim_id, "agent": row["agent_id"], "now": now}
    try:
        with connection.begin_nested():
            connection.execute(_TAKE_UP, values)
    except IntegrityError as error:  # the agent has another one, or somebody talks to this number
        raise _lost() from error
    return row


def _lost() -> ClaimLost:
    return ClaimLost("the call-back is no longer yours: take the next one")


_FREE = (
    update(table(Callback))
    .where(among(_callback.claim_id, "claims"), among(_callback.id, "ids"))
    .values(state=fixed(CallbackState.OPEN), **NO_CLAIM)
)
_END = (
    update(table(CallbackClaim))
    .where(among(_claim.id, "claims"), _claim.ended_at.is_(None))
    .values(ended_at=bindparam("now"), ending=bindparam("how"), reason=bindparam("why"))
)


def free(
    connection: Connection, freed: Sequence[Freed], how: ClaimEnd, now: datetime, why: str | None
) -> None:
    """Put call-backs, which the caller has locked, back into the queue."""
    if freed:
        claims = [one.claim_id for one in freed]
        ids = [one.callback_id for one in freed]
        connection.execute(_FREE, {"claims": claims, "ids": ids})
        end(connection, claims, how, now, why)


def end(
    connection: Connection,
    claims: Sequence[UUID],
    how: ClaimEnd,
    now: datetime,
    why: str | None = None,
) -> None:
    """Write down how claims ended; what has ended stays as it is."""
    reason = None if why is None else storable(why)
    connection.execute(_END, {"claims": claims, "now": now, "how": how, "why": reason})


def freed(rows: Sequence[Any]) -> list[Freed]:
    """Rows of (claim_id, id)."""
    return [Freed(row.claim_id, row.id) for row in rows]
