"""What a forecast starts from: the call-backs still to be made, the staff, and its pace. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import Connection, func, select

from domain.callbacks import RETRIED
from domain.states import Duty
from store.callback_claims import unfinished
from store.models import Agent, Callback, CallbackClaim, table

DEFAULT_HANDLING_SECONDS = 180.0
DEFAULT_REACH_RATE = 0.6
"""Until enough results are there to measure by."""

_MEASURED, _ENOUGH = 500, 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call-back still to be made; `ready_at` is None until the scheduler has said when."""

    id: int
    ready_at: datetime | None
    target_at: datetime
    promise_at: datetime
    attempts_made: int


@dataclass(frozen=True, slots=True)
class Workload:
    """`handling_seconds` from claim to result (median); `reach_rate` of the results, 0 to 1.

    Both are a guess unless `is_measured`.
    """

    waiting: Sequence[Waiting]
    agents: int
    handling_seconds: float
    reach_rate: float
    is_measured: bool


_callback, _claim, _agent = table(Callback).c, table(CallbackClaim).c, table(Agent).c


def workload(connection: Connection) -> Workload:
    """How much there is to do and how fast it goes, by the last 500 results."""
    rows = connection.execute(
        select(
            _callback.id,
            _callback.ready_at,
            _callback.target_at,
            _callback.promise_at,
            _callback.attempts_made,
        ).where(unfinished(table(Callback)))
    )
    agents = connection.execute(select(func.count()).where(_agent.duty == Duty.ON))
    waiting = [Waiting(*row) for row in rows]
    return Workload(waiting, agents.scalar_one(), *_pace(connection))


def _pace(connection: Connection) -> tuple[float, float, bool]:
    """How long one takes, how many are reached, and whether that was measured."""
    results = connection.execute(
        select(_claim.claimed_at, _claim.ended_at, _claim.outcome)
        .where(_claim.ended_at.is_not(None), _claim.outcome.is_not(None))
        .order_by(_claim.ended_at.desc())
        .limit(_MEASURED)
    ).all()
    if len(results) < _ENOUGH:
        return DEFAULT_HANDLING_SECONDS, DEFAULT_REACH_RATE, False
    seconds = [(ended_at - claimed_at).total_seconds() for claimed_at, ended_at, _ in results]
    reached = sum(outcome not in RETRIED for _, _, outcome in results)
    return median(seconds), reached / len(results), True
