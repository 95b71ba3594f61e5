"""How a campaign's calls of the last hour went: answers, keys, seconds. I/O.

Measured on the newest calls only, so that it is quick whatever the size of the campaign.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Integer, bindparam, func, select, tuple_

from domain.dispositions import Disposition
from domain.states import TargetState
from store.columns import UtcDateTime, fixed
from store.models import Attempt, KeyPress, Target, table

MEASURED_OVER = timedelta(hours=1)
STILL_TALKING = timedelta(minutes=4)
"""Younger calls don't count: of those only the short ones have ended."""
MOST_CALLS = 1000
ENOUGH_CALLS = 50
"""With fewer the rates are a guess."""


@dataclass(frozen=True, slots=True)
class PaceFigures:
    """Rates from 0 to 1, means in seconds, measured over `calls` that have ended.

    Attributes:
        ring_seconds: from the dial to the answer or the end.
        talk_seconds: from the answer to the end, of those answered.
        key_1_rate, key_3_rate: of the calls answered.
        agent_seconds: of those whom key 3 brought to an agent, from there to the end.
        missed: how those not answered ended, as shares of them.
    """

    calls: int
    answer_rate: float
    ring_seconds: float
    talk_seconds: float
    key_1_rate: float
    key_3_rate: float
    agent_seconds: float
    missed: Mapping[Disposition, float]

    @property
    def is_measured(self) -> bool:
        """Whether there were enough calls to go by."""
        return self.calls >= ENOUGH_CALLS


_MISSED = {Disposition.NO_ANSWER: 0.6, Disposition.UNREACHABLE: 0.2, Disposition.BUSY: 0.2}
GUESSED = PaceFigures(0, 0.4, 15.0, 30.0, 0.05, 0.02, 180.0, _MISSED)
"""What a plan may begin with before anything was dialled."""

_attempt, _key, _target = table(Attempt).c, table(KeyPress).c, table(Target).c
_TIME = UtcDateTime()
_by_start = tuple_(_attempt.campaign_id, _attempt.started_at)
_LAST = (
    select(
        _attempt.started_at,
        _attempt.answered_at,
        _attempt.ended_at,
        _attempt.queue_connected_at,
        _attempt.disposition,
        *(
            # A count, not EXISTS: that would read every such key there ever was, into a table.
            select(func.count())
            .where(_key.attempt_id == _attempt.id, _key.key == key)
            .scalar_subquery()
            .label(f"key_{key}")
            for key in ("1", "3")
        ),
    )
    .where(
        # Pairs, and their order, are those of one index: PostgreSQL would else read all attempts of
        # the campaign to find a thousand.
        _by_start >= tuple_(bindparam("campaign", type_=Integer), bindparam("since", type_=_TIME)),
        _by_start <= tuple_(bindparam("campaign", type_=Integer), bindparam("until", type_=_TIME)),
        _attempt.ended_at.is_not(None),
        _attempt.disposition != fixed(Disposition.NOT_DIALLED),
    )
    .order_by(_attempt.campaign_id.desc(), _attempt.started_at.desc())
    .limit(MOST_CALLS)
)
_READY = select(func.count()).where(
    _target.campaign_id == bindparam("campaign"), _target.state == fixed(TargetState.READY)
)


def measured(connection: Connection, campaign_id: int, now: datetime) -> PaceFigures:
    """What the last hour's calls were like; GUESSED where too few have ended."""
    until = now - STILL_TALKING
    values = {"campaign": campaign_id, "since": until - MEASURED_OVER, "until": until}
    rows = connection.execute(_LAST, values).all()
    if len(rows) < ENOUGH_CALLS:
        return GUESSED
    answered = [row for row in rows if row.answered_at is not None]
    rings = [(row.answered_at or row.ended_at) - row.started_at for row in rows]
    advised = [row for row in answered if row.queue_connected_at is not None]
    talks = [row.ended_at - row.answered_at for row in answered]
    return PaceFigures(
        calls=len(rows),
        answer_rate=len(answered) / len(rows),
        ring_seconds=_mean(rings),
        talk_seconds=_mean(talks),
        key_1_rate=sum(row.key_1 > 0 for row in answered) / max(1, len(answered)),
        key_3_rate=sum(row.key_3 > 0 for row in answered) / max(1, len(answered)),
        agent_seconds=_mean([row.ended_at - row.queue_connected_at for row in advised])
        or GUESSED.agent_seconds,
        missed=_shares([row.disposition for row in rows if row.answered_at is None]),
    )


def numbers_left(connection: Connection, campaign_id: int) -> int:
    """How many numbers of a campaign wait for a dial."""
    return int(connection.execute(_READY, {"campaign": campaign_id}).scalar_one())


def _shares(endings: list[str]) -> dict[Disposition, float]:
    return {Disposition(word): count / len(endings) for word, count in Counter(endings).items()}


def _mean(spans: list[timedelta]) -> float:
    return sum((span.total_seconds() for span in spans), 0.0) / max(1, len(spans))
