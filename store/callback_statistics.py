"""What agents did in a span of time, counted from claims, calls and spans of duty. I/O."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from domain.callbacks import RETRIED, Outcome
from domain.states import Duty
from store.models import CallbackAttempt, CallbackClaim, DutySpan, table

_claim, _call, _span = table(CallbackClaim).c, table(CallbackAttempt).c, table(DutySpan).c


@dataclass
class Work:
    """What one agent did, or all of them; times in seconds.

    Attributes:
        outcomes: results told, by outcome.
        reached: results of subscribers who were spoken to.
        reach_rate: their share of the results, 0 to 1; None without a result.
        handling_seconds: the median from claim to result; None without a result.
        calls, answered: calls begun, and those the subscriber answered.
        talk_seconds: with subscribers, all calls together.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    handling: list[float] = field(default_factory=list)
    calls: int = 0
    answered: int = 0
    talk_seconds: float = 0.0
    on_seconds: float = 0.0
    paused_seconds: float = 0.0

    @property
    def results(self) -> int:
        return self.outcomes.total()

    @property
    def reached(self) -> int:
        return sum(count for outcome, count in self.outcomes.items() if outcome not in RETRIED)

    @property
    def reach_rate(self) -> float | None:
        return self.reached / self.results if self.results else None

    @property
    def handling_seconds(self) -> float | None:
        return median(self.handling) if self.handling else None


def work_of_agents(
    connection: Connection, start: datetime, end: datetime, now: datetime
) -> dict[int, Work]:
    """What each agent did from `start` until before `end`; what goes on counts until `now`."""
    found: dict[int, Work] = {}
    for row in _results(connection, start, end):
        work = found.setdefault(row.agent_id, Work())
        work.outcomes[Outcome(row.outcome)] += 1
        work.handling.append((row.ended_at - row.claimed_at).total_seconds())
    for row in _calls(connection, start, end):
        work = found.setdefault(row.agent_id, Work())
        work.calls += 1
        if row.subscriber_answered_at is not None:
            work.answered += 1
            talked = (row.ended_at or now) - row.subscriber_answered_at
            work.talk_seconds += talked.total_seconds()
    for row in _spans(connection, start, end):
        _add_span(found.setdefault(row.agent_id, Work()), row, start, min(end, now))
    return found


def together(works: dict[int, Work]) -> Work:
    """All agents as one."""
    total = Work()
    for work in works.values():
        total.outcomes += work.outcomes
        total.handling += work.handling
        total.calls += work.calls
        total.answered += work.answered
        total.talk_seconds += work.talk_seconds
        total.on_seconds += work.on_seconds
        total.paused_seconds += work.paused_seconds
    return total


def _results(connection: Connection, start: datetime, end: datetime) -> Any:
    return connection.execute(
        select(_claim.agent_id, _claim.outcome, _claim.claimed_at, _claim.ended_at).where(
            _claim.ended_at >= start, _claim.ended_at < end, _claim.outcome.is_not(None)
        )
    )


def _calls(connection: Connection, start: datetime, end: datetime) -> Any:
    return connection.execute(
        select(_call.agent_id, _call.subscriber_answered_at, _call.ended_at).where(
            _call.started_at >= start, _call.started_at < end
        )
    )


def _spans(connection: Connection, start: datetime, end: datetime) -> Any:
    return connection.execute(
        select(table(DutySpan)).where(
            _span.since < end, or_(_span.until.is_(None), _span.until > start)
        )
    )


def _add_span(work: Work, row: Row[Any], start: datetime, end: datetime) -> None:
    until = end if row.until is None else min(row.until, end)
    seconds = max(0.0, (until - max(row.since, start)).total_seconds())
    if row.duty == Duty.ON:
        work.on_seconds += seconds
    else:
        work.paused_seconds += seconds
