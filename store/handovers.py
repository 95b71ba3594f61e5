"""Key 3 on the attempt: when the subscriber began to wait, who took the call, how it ended. I/O.

The wait is from `queue_joined_at` to `queue_connected_at`, else to `queue_left_at`; the talk from
`queue_connected_at` to `queue_left_at`.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, case, func, update

from domain.states import QueueOutcome
from store.columns import UtcDateTime, fixed
from store.facts import AgentConnected, HandedOver, LeftAgents
from store.models import Attempt, table

_attempt = table(Attempt).c
_at = bindparam("at", type_=UtcDateTime)
_later = bindparam("deadline", type_=UtcDateTime)
_BY_ID = update(table(Attempt)).where(_attempt.id == bindparam("attempt"))

_HAND_OVER = _BY_ID.values(
    queue_joined_at=func.coalesce(_attempt.queue_joined_at, _at),
    deadline_at=case((_attempt.deadline_at < _later, _later), else_=_attempt.deadline_at),
)
_CONNECT = _BY_ID.values(
    queue_connected_at=func.coalesce(_attempt.queue_connected_at, _at),
    queue_agent_id=func.coalesce(_attempt.queue_agent_id, bindparam("agent")),
    queue_outcome=fixed(QueueOutcome.CONNECTED),
)
_LEAVE = _BY_ID.values(
    queue_left_at=func.coalesce(_attempt.queue_left_at, _at),
    queue_outcome=func.coalesce(_attempt.queue_outcome, bindparam("outcome")),
)


def record_handed_over(connection: Connection, facts: Sequence[HandedOver]) -> None:
    """The subscriber waits; the attempt may stay open for longer than a call without agents."""
    connection.execute(
        _HAND_OVER,
        [
            {"attempt": fact.attempt_id, "at": fact.at, "deadline": fact.deadline_at}
            for fact in facts
        ],
    )


def record_connected(connection: Connection, facts: Sequence[AgentConnected]) -> None:
    """An agent took the call: that outcome stays, whatever is told before or after."""
    connection.execute(
        _CONNECT,
        [{"attempt": fact.attempt_id, "at": fact.at, "agent": fact.agent_id} for fact in facts],
    )


def record_left(connection: Connection, facts: Sequence[LeftAgents]) -> None:
    """The waiting or the talk is over; the first end told stays."""
    connection.execute(
        _LEAVE,
        [{"attempt": fact.attempt_id, "at": fact.at, "outcome": fact.outcome} for fact in facts],
    )
