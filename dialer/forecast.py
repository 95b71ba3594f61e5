"""When the agents will have made the promised calls, and which will be late. Pure.

A fluid model: the agents on duty are one stream of work that always serves the earliest deadline
that is ready, inside the agents' hours. A call-back costs the handling time of as many attempts as
it takes, on average, to reach a subscriber. More agents never make any call-back later.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import pairwise

from domain.calendar import Calendar

_CURVE_DAYS = 14
_LEAST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Pending:
    """A call-back still to be made; `ready_at` may be past. It may stand for `count` alike."""

    id: int
    ready_at: datetime
    target_at: datetime
    promise_at: datetime
    attempts_made: int = 0
    count: float = 1.0


@dataclass(frozen=True, slots=True)
class Staff:
    """Who works how fast: `reach_rate` is the share of attempts that reach the subscriber."""

    agents: int
    handling_seconds: float
    reach_rate: float
    max_attempts: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will be.

    Attributes:
        finishes: by id of the call-back, when it is done; None: never, with this staff.
        misses_target, misses_promise: ids of those done after n+1, after 48 hours, or never.
        clears_at: when the last one is done; None: never. With no backlog: now.
        curve: the number still open at moments an hour apart, the first one now.
        allowed_by_target, allowed_by_promise: the number that may be open at these moments if
            every call-back is made by n+1, by 48 hours: a curve above it means misses.
    """

    finishes: dict[int, datetime | None]
    misses_target: frozenset[int]
    misses_promise: frozenset[int]
    clears_at: datetime | None
    curve: tuple[tuple[datetime, int], ...]
    allowed_by_target: tuple[int, ...]
    allowed_by_promise: tuple[int, ...]


def forecast(backlog: Sequence[Pending], staff: Staff, hours: Calendar, now: datetime) -> Forecast:
    """What becomes of the backlog if the staff stays as it is and nobody else registers."""
    finishes = _finishes(backlog, staff, hours, now)
    ends = list(finishes.values())
    known = [end for end in ends if end is not None]
    curve = _curve(ends, now)
    moments = [at for at, _ in curve]
    return Forecast(
        finishes=finishes,
        misses_target=frozenset(p.id for p in backlog if _after(finishes[p.id], p.target_at)),
        misses_promise=frozenset(p.id for p in backlog if _after(finishes[p.id], p.promise_at)),
        clears_at=max(known, default=now) if len(known) == len(ends) else None,
        curve=curve,
        allowed_by_target=_left_after([p.target_at for p in backlog], moments),
        allowed_by_promise=_left_after([p.promise_at for p in backlog], moments),
    )


def attempts_needed(pending: Pending, staff: Staff) -> float:
    """How many more attempts a call-back takes on average, the cap included: at least one."""
    left = max(1, staff.max_attempts - pending.attempts_made)
    missed = 1 - min(1.0, max(0.0, staff.reach_rate))
    return float(sum(missed**attempt for attempt in range(left)))


def _finishes(
    backlog: Sequence[Pending], staff: Staff, hours: Calendar, now: datetime
) -> dict[int, datetime | None]:
    finishes: dict[int, datetime | None] = dict.fromkeys((p.id for p in backlog), None)
    if staff.agents <= 0 or not backlog:
        return finishes
    line = _Line(hours, now)
    for identity, seconds in _served(backlog, staff, line):
        finishes[identity] = line.moment(seconds)
    return finishes


def _served(
    backlog: Sequence[Pending], staff: Staff, line: "_Line"
) -> list[tuple[int, float | None]]:
    """Serve by deadline, on the line of working seconds: the id and the end of each call-back."""
    coming = [(line.seconds(p.ready_at), p) for p in backlog]
    coming.sort(key=lambda pair: pair[0])
    ready: list[tuple[datetime, datetime, int, float]] = []
    ends: list[tuple[int, float | None]] = []
    at, index = 0.0, 0
    while index < len(coming) or ready:
        if not ready:
            at = max(at, coming[index][0])
        while index < len(coming) and coming[index][0] <= at:
            pending = coming[index][1]
            each = max(_LEAST_SECONDS, staff.handling_seconds) * attempts_needed(pending, staff)
            work = each * pending.count
            heappush(ready, (pending.target_at, pending.promise_at, pending.id, work))
            index += 1
        if at == _NEVER:
            ends += [(identity, None) for _, _, identity, _ in ready]
            break
        target, promise, identity, work = heappop(ready)
        until = coming[index][0] if index < len(coming) else _NEVER
        if at + work / staff.agents <= until:
            at += work / staff.agents
            ends.append((identity, at))
        else:  # something with an earlier deadline may come meanwhile
            heappush(ready, (target, promise, identity, work - (until - at) * staff.agents))
            at = until
    return ends


_NEVER = float("inf")


class _Line:
    """The agents' hours from `now` on, laid end to end: working seconds to moments and back."""

    def __init__(self, hours: Calendar, now: datetime) -> None:
        self._spans = list(hours.open_spans(now))
        lengths = [(end - start).total_seconds() for start, end in self._spans]
        self._begins = [0.0]
        for length in lengths:
            self._begins.append(self._begins[-1] + length)

    def seconds(self, at: datetime) -> float:
        """How much working time there is before a moment."""
        for begin, (start, end) in zip(self._begins, self._spans, strict=False):
            if at < end:
                return begin + max(0.0, (at - start).total_seconds())
        return _NEVER

    def moment(self, seconds: float | None) -> datetime | None:
        """When so much working time has passed; None: later than we look."""
        if seconds is None:
            return None
        for (begin, next_begin), (start, _) in zip(
            pairwise(self._begins), self._spans, strict=True
        ):
            if seconds <= next_begin:
                return start + timedelta(seconds=seconds - begin)
        return None


def _after(end: datetime | None, deadline: datetime) -> bool:
    return end is None or end > deadline


def _curve(ends: Sequence[datetime | None], now: datetime) -> tuple[tuple[datetime, int], ...]:
    """How many are open each hour, until nothing changes any more, or for two weeks."""
    known = [end for end in ends if end is not None]
    never = len(ends) - len(known)
    moments = [now + timedelta(hours=hour) for hour in range(_CURVE_DAYS * 24 + 1)]
    points = []
    for at, left in zip(moments, _left_after(known, moments), strict=True):
        points.append((at, left + never))
        if not left:
            break
    return tuple(points)


def _left_after(ends: Sequence[datetime], moments: Sequence[datetime]) -> tuple[int, ...]:
    """How many of the ends come after each moment."""
    in_order = sorted(ends)
    return tuple(len(in_order) - bisect_right(in_order, at) for at in moments)
