"""What all ends of a claim share: the row under its lock, and the way back to the queue. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, FromClause, RowMapping, bindparam, or_, select, update
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


IN_A_CALL: ColumnElement[bool] = (
    select(_call.id)
    .where(
        _call.callback_id == _callback.id,
        _call.ended_at.is_(None),
        _call.started_at > bindparam("forgotten_before", type_=UtcDateTime),
    )
    .exists()
)
"""That the call-back's call is under way; `forgotten_before` is to be now less LONGEST_CALL."""

_HELD = (
    select(table(Callback))
    .join(table(CallbackClaim), _claim.callback_id == _callback.id)
    .where(_claim.id == bindparam("of_claim"))
    .with_for_update(of=table(Callback))
)


def held(connection: Connection, claim_id: UUID) -> RowMapping:
    """The call-back of a claim, locked until the transaction ends. Raises ClaimLost."""
    row = connection.execute(_HELD, {"of_claim": claim_id}).mappings().one_or_none()
    if row is None or row["claim_id"] != claim_id:
        raise ClaimLost("the call-back is no longer yours: take the next one")
    return row


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
