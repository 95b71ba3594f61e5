"""Whether agents keep what a rehearsal promises: the forecast of all its call-backs. Pure.

Talks after key 3 take the same agents' time, and are served before any call-back. Where there are
very many, so many of them in a row are counted as one with so many times the work; of such a row
the last is ready last and the first is due first, so nothing looks better than it is.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from math import ceil

from dialer.forecast import Pending, Staff, forecast
from domain.calendar import Calendar
from domain.clock import to_local
from domain.deadlines import promise_at, target_at

_MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Promises:
    """What becomes of the call-backs that are waiting and those that the campaign promises.

    Attributes:
        promised, made: by local day.
        missed_target, missed_promise: those later than n+1, later than 48 hours, or never made.
        clears_at: when the last one is made; None: never, with these agents.
    """

    total: int
    promised: Mapping[date, int]
    made: Mapping[date, int]
    missed_target: int
    missed_promise: int
    clears_at: datetime | None


def promises(
    backlog: Sequence[Pending],
    promised: Mapping[datetime, int],
    talks: Mapping[datetime, int],
    staff: Staff,
    hours: Calendar,
    *,
    target_by: time,
    now: datetime,
) -> Promises:
    """Let the staff serve the backlog, and what is promised later, from `now` on."""
    coming = [Pending(0, at, target_at(at, target_by), promise_at(at)) for at in _each(promised)]
    callbacks = [*sorted(backlog, key=lambda pending: pending.target_at), *coming]
    once = staff.max_attempts - 1
    talked = [Pending(0, at, at, at, once) for at in _each(talks)]
    size = max(1, ceil((len(callbacks) + len(talked)) / _MOST_ROWS))
    rows = [(row, len(row)) for row in _in_rows(callbacks, size)]
    rows += [(row, 0) for row in _in_rows(talked, size)]  # no call-backs, only work
    pending = [replace(_as_one(row), id=number) for number, (row, _) in enumerate(rows)]
    served = replace(staff, handling_seconds=staff.handling_seconds * size)
    told = forecast(pending, served, hours, now)
    counts = [count for _, count in rows]
    return Promises(
        total=len(callbacks),
        promised=_by_day(promised.items()),
        made=_by_day((end, counts[number]) for number, end in told.finishes.items() if end),
        missed_target=sum(counts[number] for number in told.misses_target),
        missed_promise=sum(counts[number] for number in told.misses_promise),
        clears_at=told.clears_at,
    )


def _each(counts: Mapping[datetime, int]) -> list[datetime]:
    return [at for at, count in counts.items() for _ in range(count)]


def _in_rows(pending: Sequence[Pending], size: int) -> list[Sequence[Pending]]:
    return [pending[first : first + size] for first in range(0, len(pending), size)]


def _as_one(row: Sequence[Pending]) -> Pending:
    ready = max(pending.ready_at for pending in row)
    return replace(row[0], ready_at=ready, attempts_made=min(each.attempts_made for each in row))


def _by_day(counts: Iterable[tuple[datetime, int]]) -> dict[date, int]:
    days: Counter[date] = Counter()
    for at, count in counts:
        days[to_local(at).date()] += count
    return {day: count for day, count in sorted(days.items()) if count}
