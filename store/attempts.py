"""Attempts after the dial: what their calls reported, which are still open. I/O."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.dispositions import Disposition
from domain.states import AttemptState
from store import history
from store.columns import fixed
from store.facts import Answered, AttemptEnded, KeyPressed
from store.history import happening, insert_new
from store.models import Attempt, KeyPress

_ORPHANED_AFTER = timedelta(hours=1)
"""A node that has not closed an attempt this long after its deadline will not come back for it."""


async def record_answered(connection: AsyncConnection, facts: Sequence[Answered]) -> None:
    """Move attempts to answered; one that has ended meanwhile only learns when it was answered."""
    await connection.execute(
        update(Attempt.__table__)  # type: ignore[arg-type]
        .where(Attempt.id == bindparam("attempt"))
        .values(
            state=case(
                (Attempt.state == fixed(AttemptState.DIALLING), fixed(AttemptState.ANSWERED)),
                else_=Attempt.state,
            ),
            answered_at=func.coalesce(Attempt.answered_at, bindparam("at")),
        ),
        [{"attempt": fact.attempt_id, "at": fact.at} for fact in facts],
    )
    await history.add(
        connection,
        [
            happening(
                "attempt_answered",
                fact.at,
                msisdn=fact.msisdn,
                campaign_id=fact.campaign_id,
                once=f"answered:{fact.attempt_id}",
                attempt_id=str(fact.attempt_id),
            )
            for fact in facts
        ],
    )


async def record_keys(connection: AsyncConnection, facts: Sequence[KeyPressed]) -> None:
    """Keep each key press once."""
    await connection.execute(
        insert_new(connection, KeyPress),
        [
            {
                "attempt_id": fact.attempt_id,
                "pressed_at": fact.at,
                "key": fact.key,
                "script_state": fact.script_state,
            }
            for fact in facts
        ],
    )


async def record_ended(connection: AsyncConnection, facts: Sequence[AttemptEnded]) -> None:
    """Close attempts. A known end replaces `unknown`; nothing replaces a known end."""
    await connection.execute(
        update(Attempt.__table__)  # type: ignore[arg-type]
        .where(
            Attempt.id == bindparam("attempt"),
            or_(
                Attempt.state != fixed(AttemptState.ENDED),
                Attempt.disposition == fixed(Disposition.UNKNOWN),
            ),
        )
        .values(
            state=AttemptState.ENDED,
            disposition=bindparam("how"),
            hangup_cause=bindparam("cause"),
            tech_cause=bindparam("tech"),
            ringing_at=func.coalesce(Attempt.ringing_at, bindparam("ringing")),
            answered_at=func.coalesce(Attempt.answered_at, bindparam("answered")),
            ended_at=bindparam("at"),
        ),
        [
            {
                "attempt": fact.attempt_id,
                "how": fact.disposition,
                "cause": fact.hangup_cause,
                "tech": fact.tech_cause,
                "ringing": fact.ringing_at,
                "answered": fact.answered_at,
                "at": fact.at,
            }
            for fact in facts
        ],
    )
    await history.add(
        connection,
        [
            happening(
                "attempt_ended",
                fact.at,
                msisdn=fact.msisdn,
                campaign_id=fact.campaign_id,
                once=f"ended:{fact.attempt_id}:{fact.disposition}",
                attempt_id=str(fact.attempt_id),
                disposition=fact.disposition,
                hangup_cause=fact.hangup_cause,
                tech_cause=fact.tech_cause,
            )
            for fact in facts
        ],
    )


async def open_on(connection: AsyncConnection, node: str) -> list[Attempt]:
    """The attempts that have not ended, on one Asterisk node."""
    rows = await connection.execute(
        select(Attempt.__table__).where(
            Attempt.node == node, Attempt.state != fixed(AttemptState.ENDED)
        )
    )
    return [Attempt(**row) for row in rows.mappings()]


async def overdue(connection: AsyncConnection, node: str, now: datetime) -> list[Attempt]:
    """Attempts that should long have ended: past their deadline here, by an hour elsewhere."""
    rows = await connection.execute(
        select(Attempt.__table__).where(
            Attempt.state != fixed(AttemptState.ENDED),
            or_(
                (Attempt.node == node) & (Attempt.deadline_at < now),
                Attempt.deadline_at < now - _ORPHANED_AFTER,
            ),
        )
    )
    return [Attempt(**row) for row in rows.mappings()]


async def adopted(connection: AsyncConnection, attempt_ids: Sequence[UUID]) -> None:
    """Count the take-over of live calls by a new process."""
    await connection.execute(
        update(Attempt).where(Attempt.id.in_(attempt_ids)).values(adoptions=Attempt.adoptions + 1)
    )


async def open_channels(connection: AsyncConnection) -> dict[tuple[int, str], int]:
    """How many attempts are open, by campaign and trunk: the capacity in use."""
    rows = await connection.execute(
        select(Attempt.campaign_id, Attempt.trunk, func.count())
        .where(Attempt.state != fixed(AttemptState.ENDED))
        .group_by(Attempt.campaign_id, Attempt.trunk)
    )
    return {(campaign_id, trunk): count for campaign_id, trunk, count in rows}
