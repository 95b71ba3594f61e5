"""How many agents there are to judge by: now, and when they were last there. I/O."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, literal_column, or_, select

from domain.states import AttemptState, Duty
from store.columns import UtcDateTime, fixed
from store.models import Agent, Attempt, DutySpan, table

_NONE = timedelta()
_agent, _span, _attempt = table(Agent).c, table(DutySpan).c, table(Attempt).c
_PRESENT = select(func.count()).where(_agent.duty != fixed(Duty.OFF))
_ON = select(func.count()).where(_agent.duty == fixed(Duty.ON))
_SPANS = select(_span.since, _span.until).where(
    _span.since < bindparam("end", type_=UtcDateTime),
    or_(_span.until.is_(None), _span.until > bindparam("start", type_=UtcDateTime)),
)
# By the bare column SQLite would group by the campaigns' index, and go over all attempts ever made.
_CAMPAIGN = _attempt.campaign_id + literal_column("0")
_IN_THE_AIR = (
    select(_CAMPAIGN, _attempt.state, func.count())
    .where(
        _attempt.state != fixed(AttemptState.ENDED),
        _attempt.node == bindparam("of_node"),
        _attempt.queue_joined_at.is_(None),
    )
    .group_by(_CAMPAIGN, _attempt.state)
)


def present(connection: Connection) -> int:
    """The agents on duty; those who pause are there, too: they come back."""
    return int(connection.execute(_PRESENT).scalar_one())


def ready(connection: Connection) -> int:
    """The agents on duty who do not pause."""
    return int(connection.execute(_ON).scalar_one())


def mean_present(connection: Connection, start: datetime, end: datetime) -> float:
    """How many were on duty or paused between two moments, on average."""
    spans = connection.execute(_SPANS, {"start": start, "end": end})
    there = sum(((min(until or end, end) - max(since, start)) for since, until in spans), _NONE)
    return there / (end - start)


def in_the_air(connection: Connection, node: str) -> list[tuple[int, AttemptState, int]]:
    """A node's open dials by campaign and state, without those who wait for an agent already."""
    rows = connection.execute(_IN_THE_AIR, {"of_node": node})
    return [(campaign, AttemptState(state), count) for campaign, state, count in rows]
