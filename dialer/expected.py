"""What a pace of dialling brings the agents, and which call-backs would then be late. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from dialer.forecast import Pending, Staff, forecast
from domain.calendar import Calendar
from domain.deadlines import promise_at, target_at

_GROUPS = 120
"""Call-backs to come are forecast in so many groups: thousands one by one would take seconds."""
_AT_MOST_ALONE = 1000

Spans = Iterable[tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class Late:
    """How many call-backs would be late: after n+1, after the 48 hours."""

    by_target: float
    by_promise: float

    @property
    def worst(self) -> float:
        """One that misses both counts once."""
        return max(self.by_target, self.by_promise)


def to_come(per_second: float, spans: Spans, target_by: time, hours: Calendar) -> list[Pending]:
    """The call-backs that a rate asks for within some spans of time, evenly, in a few groups."""
    known = [(start, end) for start, end in spans if start < end]
    seconds = sum((end - start).total_seconds() for start, end in known)
    if per_second <= 0 or not seconds:
        return []
    each = seconds / _GROUPS
    asked = [
        at for start, end in known for at in _moments(start, (end - start).total_seconds(), each)
    ]
    count = per_second * seconds / len(asked)
    return [
        Pending(
            number,
            hours.next_opening(at),
            target_at(at, target_by),
            promise_at(at),
            count=count,
        )
        for number, at in enumerate(asked, start=1)
    ]


def late(backlog: Sequence[Pending], staff: Staff, hours: Calendar, now: datetime) -> Late:
    """How many of a backlog would be late that could be in time.

    Deadlines that are past, or come before the call-back is ready, are nobody's choice any more.
    """
    grouped = [replace(p, id=number) for number, p in enumerate(_grouped(backlog, now))]
    told = forecast(grouped, staff, hours, now)
    return Late(
        sum(p.count for p in grouped if p.id in told.misses_target and _can(p, p.target_at, now)),
        sum(p.count for p in grouped if p.id in told.misses_promise and _can(p, p.promise_at, now)),
    )


def _can(pending: Pending, deadline: datetime, now: datetime) -> bool:
    return max(pending.ready_at, now) < deadline


def _moments(start: datetime, seconds: float, each: float) -> list[datetime]:
    count = max(1, round(seconds / each))
    return [start + timedelta(seconds=seconds * (n + 0.5) / count) for n in range(count)]


def _grouped(backlog: Sequence[Pending], now: datetime) -> Sequence[Pending]:
    """A long backlog in groups of those that come one after the other all the same."""
    if len(backlog) <= _AT_MOST_ALONE:
        return backlog
    size = len(backlog) // _AT_MOST_ALONE + 1
    alike: dict[tuple[datetime, bool, int], list[Pending]] = {}
    for pending in sorted(backlog, key=lambda p: (p.promise_at, p.ready_at)):
        key = (pending.target_at, pending.ready_at <= now, pending.attempts_made)
        alike.setdefault(key, []).append(pending)
    return [_as_one(row[n : n + size]) for row in alike.values() for n in range(0, len(row), size)]


def _as_one(row: Sequence[Pending]) -> Pending:
    return Pending(
        row[0].id,
        max(p.ready_at for p in row),
        row[0].target_at,
        row[0].promise_at,
        row[0].attempts_made,
        sum(p.count for p in row),
    )
