"""What follows from an ended attempt: the target waits for another dial, or is done. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, or_, select, update

from domain.dispositions import Disposition
from domain.states import AttemptState, TargetState
from store.columns import UtcDateTime, fixed
from store.models import Attempt, Target, table
from store.statements import among


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An ended attempt that the retry rules have not judged yet.

    `alike` counts the target's attempts with this disposition, this one included.
    """

    attempt_id: UUID
    target_id: int
    campaign_id: int
    disposition: Disposition
    ended_at: datetime
    attempts_made: int
    alike: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the target: `not_before` for another dial, or None and it is done."""

    attempt_id: UUID
    target_id: int
    outcome: Disposition
    attempts_made: int
    not_before: datetime | None


_attempt, _target = table(Attempt).c, table(Target).c
_later = table(Attempt).alias("later").c
_UNSETTLED = (
    select(
        *(_attempt.id, _attempt.target_id, _attempt.campaign_id, _attempt.disposition),
        *(_attempt.ended_at, _target.attempts_made),
    )
    .join(table(Target), _target.id == _attempt.target_id)
    .where(_attempt.state == fixed(AttemptState.ENDED), _attempt.settled_at.is_(None))
    .order_by(_attempt.ended_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, of=table(Attempt))
)
_ALIKE = (
    select(_attempt.target_id, _attempt.disposition, func.count())
    .where(
        among(_attempt.target_id, "target_ids"),
        _attempt.disposition.is_not(None),
    )
    .group_by(_attempt.target_id, _attempt.disposition)
)
_SETTLE = (
    update(table(Attempt)).where(among(_attempt.id, "ids")).values(settled_at=bindparam("now"))
)
_MOVE_ON = (
    update(table(Target))
    .where(
        _target.id == bindparam("target"),
        or_(
            _target.state != fixed(TargetState.DONE),
            _target.outcome == fixed(Disposition.UNKNOWN),
        ),
        # A later dial of the target has the last word on it.
        ~select(_later.id)
        .where(
            _later.target_id == bindparam("target"),
            _later.started_at
            > select(_attempt.started_at)
            .where(_attempt.id == bindparam("attempt"))
            .scalar_subquery(),
        )
        .exists(),
    )
    .values(
        state=bindparam("next_state"),
        outcome=bindparam("how"),
        attempts_made=bindparam("made"),
        not_before=func.coalesce(bindparam("due", type_=UtcDateTime), _target.not_before),
    )
)


def unsettled(connection: Connection, limit: int) -> list[Unsettled]:
    """The oldest ended attempts that await a verdict; locked, so that one node judges each."""
    rows = connection.execute(_UNSETTLED, {"limit": limit}).all()
    if not rows:
        return []
    ids = [row.target_id for row in rows]
    alike = {
        (target_id, disposition): count
        for target_id, disposition, count in connection.execute(_ALIKE, {"target_ids": ids})
    }
    return [
        Unsettled(
            attempt_id=row.id,
            target_id=row.target_id,
            campaign_id=row.campaign_id,
            disposition=Disposition(row.disposition),
            ended_at=row.ended_at,
            attempts_made=row.attempts_made,
            alike=alike[row.target_id, row.disposition],
        )
        for row in rows
    ]


def settle(connection: Connection, verdicts: Sequence[Verdict], now: datetime) -> None:
    """Carry verdicts out, but for targets that were dialled again or came to a known end."""
    if not verdicts:
        return
    ids = [verdict.attempt_id for verdict in verdicts]
    connection.execute(_SETTLE, {"ids": ids, "now": now})
    connection.execute(_MOVE_ON, [_target_values(verdict) for verdict in verdicts])


def _target_values(verdict: Verdict) -> dict[str, Any]:
    done = verdict.not_before is None
    return {
        "attempt": verdict.attempt_id,
        "target": verdict.target_id,
        "next_state": TargetState.DONE if done else TargetState.READY,
        "how": verdict.outcome if done else None,
        "made": verdict.attempts_made,
        "due": verdict.not_before,
    }
