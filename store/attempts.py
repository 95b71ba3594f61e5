"""Attempts after the dial: what their calls reported, which are still open. I/O."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, case, func, literal_column, null, or_, select, update

from domain.dispositions import Disposition
from domain.states import AttemptState
from store.columns import UtcDateTime, fixed
from store.facts import Answered, AttemptEnded, KeyPressed
from store.models import Attempt, KeyPress, table
from store.statements import insert_new

_ORPHANED_AFTER = timedelta(hours=1)
"""A node that has not closed an attempt this long after its deadline will not come back for it."""

_attempt = table(Attempt).c
_OPEN = _attempt.state != fixed(AttemptState.ENDED)

_ANSWER = (
    update(table(Attempt))
    .where(_attempt.id == bindparam("attempt"))
    .values(
        state=case(
            (_attempt.state == fixed(AttemptState.DIALLING), fixed(AttemptState.ANSWERED)),
            else_=_attempt.state,
        ),
        answered_at=func.coalesce(_attempt.answered_at, bindparam("at", type_=UtcDateTime)),
    )
)
_END = (
    update(table(Attempt))
    .where(
        _attempt.id == bindparam("attempt"),
        or_(
            _OPEN,
            (_attempt.disposition == fixed(Disposition.UNKNOWN))
            & (bindparam("how", type_=_attempt.disposition.type) != fixed(Disposition.UNKNOWN)),
        ),
    )
    .values(
        state=fixed(AttemptState.ENDED),
        disposition=bindparam("how"),
        hangup_cause=bindparam("cause"),
        tech_cause=bindparam("tech"),
        ringing_at=func.coalesce(_attempt.ringing_at, bindparam("ringing", type_=UtcDateTime)),
        answered_at=func.coalesce(_attempt.answered_at, bindparam("answered", type_=UtcDateTime)),
        ended_at=bindparam("at"),
        settled_at=null(),  # an end that has become known is judged anew
    )
)
_KEEP_KEYS = insert_new(KeyPress)
# By the bare column SQLite would group by the campaigns' index, and go over all attempts ever made.
_CAMPAIGN = _attempt.campaign_id + literal_column("0")
_IN_USE = (
    select(_CAMPAIGN, _attempt.trunk, func.count()).where(_OPEN).group_by(_CAMPAIGN, _attempt.trunk)
)


def record_answered(connection: Connection, facts: Sequence[Answered]) -> None:
    """Move attempts to answered; one that has ended meanwhile only learns when it was answered."""
    connection.execute(_ANSWER, [{"attempt": fact.attempt_id, "at": fact.at} for fact in facts])


def record_keys(connection: Connection, facts: Sequence[KeyPressed]) -> None:
    """Keep each key press once."""
    connection.execute(
        _KEEP_KEYS[connection.dialect.name],
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


def record_ended(connection: Connection, facts: Sequence[AttemptEnded]) -> None:
    """Close attempts. A known end replaces `unknown`; nothing replaces a known end."""
    connection.execute(
        _END,
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


def open_on(connection: Connection, node: str) -> list[Attempt]:
    """The attempts that have not ended, on one Asterisk node."""
    rows = connection.execute(select(table(Attempt)).where(_attempt.node == node, _OPEN))
    return [Attempt(**row) for row in rows.mappings()]


def overdue(connection: Connection, node: str, now: datetime) -> list[Attempt]:
    """Attempts that should long have ended: past their deadline here, by an hour elsewhere."""
    rows = connection.execute(
        select(table(Attempt)).where(
            _OPEN,
            or_(
                (_attempt.node == node) & (_attempt.deadline_at < now),
                _attempt.deadline_at < now - _ORPHANED_AFTER,
            ),
        )
    )
    return [Attempt(**row) for row in rows.mappings()]


def still_live(connection: Connection, now: datetime) -> tuple[int, datetime | None]:
    """How many calls may be live, and until when at the latest; those that should have ended long
    ago are not.
    """
    chosen = select(func.count(), func.max(_attempt.deadline_at)).where(
        _OPEN, _attempt.deadline_at > now
    )
    count, until = connection.execute(chosen).one()
    return int(count), until


def adopted(connection: Connection, attempt_ids: Sequence[UUID]) -> None:
    """Count the take-over of live calls by a new process."""
    connection.execute(
        update(table(Attempt))
        .where(_attempt.id.in_(attempt_ids))
        .values(adoptions=_attempt.adoptions + 1)
    )


def open_channels(connection: Connection) -> dict[tuple[int, str], int]:
    """How many attempts are open, by campaign and trunk: the capacity in use."""
    rows = connection.execute(_IN_USE)
    return {(campaign_id, trunk): count for campaign_id, trunk, count in rows}
