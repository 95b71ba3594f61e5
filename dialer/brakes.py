"""When the dialler slows by itself, how far, and when it lets go again. Pure.

Three causes, each judged every few seconds from what the rows say:

* promise: with the agents there are, call-backs would miss n+1 or the 48 hours;
* queue: those who press 3 would wait too long for an agent;
* congestion: a trunk refuses calls: a circuit breaker that stops it, then probes.

The first two have a ladder of factors, each twice the one below. They go down at once, as far as
they must, and up by one step, not before the last change is `hold` old: so they do not flap. The
lowest step is not zero: a brake never stops a campaign for good, and what it waits for shows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.dispositions import Disposition

FACTORS = (1.0, 0.5, 0.25, 0.125, 0.0625)
"""What a rate is multiplied by, the fastest first."""
LOWEST = FACTORS[-1]
_DOUBLE = 2.0
_LONGEST_PAUSE = timedelta(minutes=10)
_REMEMBERED = timedelta(hours=1)
"""A breaker that opens again so soon after it closed pauses longer than the last time."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a brake stands, and since when; `until` and `trips` are a breaker's."""

    factor: float
    since: datetime
    until: datetime | None = None
    trips: int = 0


def moved(before: Standing, wanted: float, now: datetime, hold: timedelta) -> float:
    """The factor from now on, where `wanted` of FACTORS would be right."""
    if wanted <= before.factor:
        return wanted
    if now - before.since < hold:
        return before.factor
    return min(wanted, before.factor * _DOUBLE)


def step_at_most(ratio: float) -> float:
    """The fastest step that is not above a ratio; the lowest one if all are."""
    return next((factor for factor in FACTORS if factor <= ratio), LOWEST)


def promise_wanted(late_at: Callable[[float], float], tolerated: float) -> float:
    """The fastest step at which no more call-backs than `tolerated` would be late.

    `late_at` gives the forecast's number for a factor; it never falls as the factor rises.
    """
    return next((factor for factor in FACTORS if late_at(factor) <= tolerated), LOWEST)


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """What is on its way to the agents, and what they can take within the tolerable wait.

    `expected` are those of the calls in the air who will press 3.
    """

    waiting: int
    free_agents: int
    busy_agents: int
    expected: float
    talk_seconds: float
    tolerable_seconds: float

    @property
    def room(self) -> float:
        """How many more would be answered in time: free agents, and those who get free by then."""
        turns = self.tolerable_seconds / max(1.0, self.talk_seconds)
        return self.free_agents + self.busy_agents * turns - self.waiting


def queue_wanted(before: Standing, load: QueueLoad, now: datetime, hold: timedelta) -> float:
    """The step that the queue asks for.

    The calls in the air follow a new factor only after a while. Until `hold` has passed they count
    as those of the full rate; then as those of the rate that the brake leaves. It lets go one step
    where twice the calls would find room, too.
    """
    ratio = _ratio(load)
    if ratio >= _DOUBLE:
        return min(1.0, before.factor * _DOUBLE)
    if ratio >= 1.0:
        return before.factor
    has_settled = now - before.since >= hold
    return min(before.factor, step_at_most(before.factor * ratio if has_settled else ratio))


def _ratio(load: QueueLoad) -> float:
    if load.room < 0:
        return 0.0
    return load.room / load.expected if load.expected else _DOUBLE


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """A breaker opens when `share` of the last `calls` ends were refusals of the trunk."""

    calls: int
    share: float
    probes: int
    pause: timedelta


def is_refusal(disposition: Disposition) -> bool | None:
    """Whether an end speaks against the trunk; None where it says nothing about it."""
    if disposition in (Disposition.NOT_DIALLED, Disposition.UNKNOWN):
        return None
    return disposition in (Disposition.CONGESTION, Disposition.UNEXPECTED_CAUSE)


def breaker(
    before: Standing, refusals: Sequence[bool], rule: BreakerRule, now: datetime
) -> Standing:
    """How the breaker stands from now on; factor 0 is open, and half open once `until` is past.

    `refusals` are the ends that tell something, the last ones: of a closed breaker at most
    `rule.calls` since it closed, of a half open one at most `rule.probes` calls begun since
    `until`.
    """
    if before.factor > 0:
        return _opened(before, rule, now) if _is_bad(refusals, rule.calls, rule) else before
    if before.until is None or now < before.until or len(refusals) < rule.probes:
        return before
    if _is_bad(refusals, rule.probes, rule):
        return _opened(before, rule, now)
    return replace(before, factor=1.0, since=now, until=None)


def _is_bad(refusals: Sequence[bool], needed: int, rule: BreakerRule) -> bool:
    return len(refusals) >= needed and sum(refusals) >= rule.share * len(refusals)


def _opened(before: Standing, rule: BreakerRule, now: datetime) -> Standing:
    is_again = before.factor == 0 or now - before.since < _REMEMBERED
    trips = before.trips + 1 if is_again else 1
    pause = min(_LONGEST_PAUSE, rule.pause * 2 ** min(trips - 1, 16))
    return Standing(0.0, now, now + max(pause, rule.pause), trips)
