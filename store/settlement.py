"""What follows from an ended attempt: the target waits for another dial, or is done. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.dispositions import Disposition
from domain.states import AttemptState, TargetState
from store.columns import fixed
from store.models import Attempt, Target


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


async def unsettled(connection: AsyncConnection, limit: int) -> list[Unsettled]:
    """The oldest ended attempts that await a verdict; locked, so that one node judges each."""
    rows = (
        await connection.execute(
            select(
                *(Attempt.id, Attempt.target_id, Attempt.campaign_id, Attempt.disposition),
                *(Attempt.ended_at, Target.attempts_made),
            )
            .join(Target, Target.id == Attempt.target_id)
            .where(Attempt.state == fixed(AttemptState.ENDED), Attempt.settled_at.is_(None))
            .order_by(Attempt.ended_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=Attempt)
        )
    ).all()
    alike = await _alike(connection, [row.target_id for row in rows])
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


async def _alike(
    connection: AsyncConnection, target_ids: Sequence[int]
) -> dict[tuple[int, str], int]:
    if not target_ids:
        return {}
    rows = await connection.execute(
        select(Attempt.target_id, Attempt.disposition, func.count())
        .where(Attempt.target_id.in_(target_ids), Attempt.disposition.is_not(None))
        .group_by(Attempt.target_id, Attempt.disposition)
    )
    return {(target_id, str(disposition)): count for target_id, disposition, count in rows}


async def settle(connection: AsyncConnection, verdicts: Sequence[Verdict], now: datetime) -> None:
    """Carry verdicts out; one that was carried out before changes nothing."""
    if not verdicts:
        return
    await connection.execute(
        update(Attempt.__table__)  # type: ignore[arg-type]
        .where(Attempt.id.in_([verdict.attempt_id for verdict in verdicts]))
        .values(settled_at=now)
    )
    await connection.execute(
        update(Target.__table__)  # type: ignore[arg-type]
        .where(Target.id == bindparam("target"), Target.state == fixed(TargetState.CLAIMED))
        .values(
            state=bindparam("next_state"),
            outcome=bindparam("how"),
            attempts_made=bindparam("made"),
            not_before=func.coalesce(bindparam("when"), Target.not_before),
        ),
        [_target_values(verdict) for verdict in verdicts],
    )


def _target_values(verdict: Verdict) -> dict[str, Any]:
    done = verdict.not_before is None
    return {
        "target": verdict.target_id,
        "next_state": TargetState.DONE if done else TargetState.READY,
        "how": verdict.outcome if done else None,
        "made": verdict.attempts_made,
        "when": verdict.not_before,
    }
