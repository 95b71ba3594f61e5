"""What a campaign's knobs will come to, before they are turned: finish, channels, call-backs. Pure.

Channels by Little's law: calls a second times the mean seconds of a call. Call-backs against the
agents by the forecast. Pauses between the dials of one number are not waited for: a campaign ends
no earlier than this says, unless more people answer than in the last hour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cache
from itertools import takewhile
from math import ceil

from dialer.expected import late, to_come
from dialer.forecast import Pending, Staff, attempts_needed
from dialer.retry import RetryRules
from domain.calendar import Calendar
from domain.dispositions import Disposition

_DAY = timedelta(days=1)
_WAYS_FOLLOWED = 3


@dataclass(frozen=True, slots=True)
class Knobs:
    """What of a campaign's row decides how fast it is; `shared_…` of its trunk and the server."""

    cps: float
    max_channels: int
    max_attempts: int
    retry: RetryRules
    windows: Calendar
    shared_cps: float
    shared_channels: int


@dataclass(frozen=True, slots=True)
class Rates:
    """What calls are like: rates from 0 to 1, means in seconds; `calls` were measured.

    `missed` has the shares of how those end that nobody answers.
    """

    calls: int
    answer_rate: float
    ring_seconds: float
    talk_seconds: float
    key_1_rate: float
    missed: Mapping[Disposition, float]

    @property
    def call_seconds(self) -> float:
        """How long a dial holds its channel on average."""
        return self.ring_seconds + self.answer_rate * self.talk_seconds


@dataclass(frozen=True, slots=True)
class Agents:
    """Who makes the call-backs, when, and what waits for them already."""

    staff: Staff
    hours: Calendar
    target_by: time
    backlog: Sequence[Pending] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Preview:
    """What will be, if nothing else changes.

    Attributes:
        cps: calls a second that really start: rate and channels of all scopes allow no more.
        limited_by: what allows no more: `cps`, `channels`, `shared_cps` or `shared_channels`.
        channels: calls at once, on average.
        dials: how many are left, retries included.
        finishes_at: the last of them, inside the windows; None: not within 400 days.
        callbacks_a_day: registrations of a whole day of calls.
        agents_a_day: call-backs that the agents can finish in a day.
        late_by_target, late_by_promise: call-backs that would miss n+1, the 48 hours, if a day
            is dialled like this.
        measured_calls: how many calls the rates were measured on; 0: they are a guess.
    """

    cps: float
    limited_by: str
    channels: float
    dials: int
    finishes_at: datetime | None
    callbacks_a_day: float
    agents_a_day: float
    late_by_target: int
    late_by_promise: int
    measured_calls: int


def preview(numbers: int, knobs: Knobs, rates: Rates, agents: Agents, now: datetime) -> Preview:
    """What becomes of so many numbers that wait for a dial."""
    cps, limited_by = pace(knobs, rates)
    dials = ceil(numbers * dials_each(rates, knobs.retry, knobs.max_attempts) - 1e-9)
    finished = finish(dials, cps, knobs.windows, now)
    key_1_a_second = cps * rates.answer_rate * rates.key_1_rate
    day = list(_within(knobs.windows, now, min(finished or now + _DAY, now + _DAY)))
    coming = to_come(key_1_a_second, day, agents.target_by, agents.hours)
    misses = late([*agents.backlog, *coming], agents.staff, agents.hours, now)
    return Preview(
        cps=cps,
        limited_by=limited_by,
        channels=cps * rates.call_seconds,
        dials=dials,
        finishes_at=finished,
        callbacks_a_day=key_1_a_second * _open_seconds(knobs.windows, now),
        agents_a_day=_agents_a_day(agents, now),
        late_by_target=round(misses.by_target),
        late_by_promise=round(misses.by_promise),
        measured_calls=rates.calls,
    )


def pace(knobs: Knobs, rates: Rates) -> tuple[float, str]:
    """Calls a second that can start, and what sets the limit."""
    seconds = max(0.1, rates.call_seconds)
    limits = {
        "cps": knobs.cps,
        "channels": knobs.max_channels / seconds,
        "shared_cps": knobs.shared_cps,
        "shared_channels": knobs.shared_channels / seconds,
    }
    name = min(limits, key=lambda key: limits[key])
    return limits[name], name


def dials_each(rates: Rates, retry: RetryRules, max_attempts: int) -> float:
    """How often a number is dialled on average, until it answers or no rule allows one dial more.

    Of how calls are missed the most frequent ways are followed; after the others there is no retry.
    """
    missed = 1 - min(1.0, max(0.0, rates.answer_rate))
    frequent = sorted(rates.missed, key=lambda way: -rates.missed[way])[:_WAYS_FOLLOWED]
    ways = [(missed * rates.missed[way], retry[way].max) for way in frequent if way in retry]

    @cache
    def dials(alike: tuple[int, ...]) -> float:
        """From the next one on; `alike` counts the misses of each way so far."""
        if sum(alike) + 1 >= max_attempts:
            return 1.0
        again = (
            share * dials((*alike[:way], alike[way] + 1, *alike[way + 1 :]))
            for way, (share, most) in enumerate(ways)
            if alike[way] < most
        )
        return 1.0 + sum(again)

    return dials((0,) * len(ways))


def finish(dials: int, cps: float, windows: Calendar, now: datetime) -> datetime | None:
    """When so many have begun, inside the windows; None: not within 400 days."""
    left = dials / cps if cps > 0 else float("inf")
    if not dials:
        return now
    for start, end in windows.open_spans(now):
        if left <= (end - start).total_seconds():
            return start + timedelta(seconds=left)
        left -= (end - start).total_seconds()
    return None


def _within(
    calendar: Calendar, since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """The open spans between two moments."""
    spans = takewhile(lambda span: span[0] < until, calendar.open_spans(since))
    return [(start, min(end, until)) for start, end in spans]


def _open_seconds(calendar: Calendar, now: datetime) -> float:
    """How long a day is open: the next 24 hours from an opening on, so that a night counts not."""
    first = next(calendar.open_spans(now), None)
    if first is None:
        return 0.0
    spans = _within(calendar, first[0], first[0] + _DAY)
    return sum((end - start).total_seconds() for start, end in spans)


def _agents_a_day(agents: Agents, now: datetime) -> float:
    staff = agents.staff
    fresh = Pending(0, now, now, now)
    each = max(1.0, staff.handling_seconds) * attempts_needed(fresh, staff)
    return staff.agents * _open_seconds(agents.hours, now) / each
