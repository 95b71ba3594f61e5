"""A campaign rehearsed on a fast clock: its rules against a simulated carrier. Pure.

A simulation by events. The clock jumps to the next moment at which a call may start: when the
slowest token bucket holds as many tokens as it may, a channel comes free, a number is due or a
window opens. Rates, windows and retries are the real rules (TokenBucket, Calendar, next_dial).
Targets of the same history and the same phase are one number; calls of one kind last equally long,
so that channels come free in the order in which they were taken. So a million targets take seconds.
The brake of the promise slows it as it would a server; the queue's and the trunk's have nothing to
go by here.
"""

from bisect import bisect
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from random import Random

from dialer.rehearsal_agents import Agents
from dialer.rehearsal_brake import JUDGED_EVERY, BrakeRule, PromiseBrake
from dialer.rehearsal_carrier import (
    Ending,
    Lengths,
    Rates,
    Reaction,
    bounds_of,
    endings,
    seconds_of,
)
from dialer.rehearsal_outcome import Dialled, Hour
from dialer.rehearsal_targets import Targets
from dialer.retry import RetryRules
from domain.calendar import Calendar
from domain.dispositions import Disposition
from domain.pacing import TokenBucket, budget

_MINUTE, _HOUR = 60.0, 3600.0
_NEVER = float("inf")
_MOST_AT_ONCE_SECONDS = 0.2
_SLACK = 1e-6
"""Of a token: rounding must not keep a bucket just short of a whole one."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the campaign's row says, and what holds besides.

    Attributes:
        ceilings: (cps, channels) of the server and its trunk.
        apart_seconds: the least from one dial of a number to the next (the cap of advertising).
        brake: None where nothing slows it.
    """

    cps: float
    max_channels: int
    max_attempts: int
    ring_timeout_seconds: float
    retry: RetryRules
    calendar: Calendar
    ceilings: Sequence[tuple[float, int]] = ()
    apart_seconds: float = 0.0
    brake: BrakeRule | None = None


Audience = Mapping[tuple[int, int, int | None], int]
"""Targets by (attempts made, minutes from the start until they are due, and until the phase of
their place has closed: None where it does not)."""


def rehearse(
    rules: Rules,
    audience: Audience,
    rates: Rates,
    agents: Agents,
    *,
    start: datetime,
    hours: float,
    seed: int,
    lengths: Lengths | None = None,
) -> Dialled:
    """Dial the audience from `start` (aware) on, for so many hours at most.

    The same arguments give the same result.
    """
    run = _Run(rules, rates, lengths or Lengths(), agents, start, hours * _HOUR, Random(seed))
    for (made, minutes, closes), count in audience.items():
        run.targets.expect((made, (), closes), minutes, count)
    return run.to_the_end()


@dataclass
class _Run:
    """One rehearsal under way; times are seconds since the start."""

    rules: Rules
    rates: Rates
    lengths: Lengths
    agents: Agents
    start: datetime
    end: float
    chance: Random
    now: float = 0.0
    in_use: int = 0
    by_hour: dict[int, Hour] = field(default_factory=dict)
    by_ending: Counter[Ending] = field(default_factory=Counter)
    promised: Counter[int] = field(default_factory=Counter)
    slowed: float = 0.0

    def __post_init__(self) -> None:
        rules = self.rules
        caps = [(rules.cps, rules.max_channels), *rules.ceilings]
        self._buckets = [TokenBucket(rate, lambda: self.now) for rate, _ in caps]
        self._most_channels = min(channels for _, channels in caps)
        self._full_rate = min(rate for rate, _ in caps)
        self._step = _step_of(self._full_rate)
        self._brake = None if rules.brake is None else PromiseBrake(rules.brake, self.start)
        self._spans = deque(
            ((opens - self.start).total_seconds(), (closes - self.start).total_seconds())
            for opens, closes in rules.calendar.open_spans(self.start)
        )
        self._bounds, self._kinds = bounds_of(endings(self.rates))
        self._seconds = {
            kind: seconds_of(kind, self.lengths, rules.ring_timeout_seconds) for kind in self._kinds
        }
        # One queue for each length of call: what began first ends first.
        self._ending: dict[float, deque[float]] = {
            seconds: deque() for seconds in self._seconds.values()
        }
        self._asking: deque[float] = deque()
        self.targets = Targets(rules.retry, rules.max_attempts, rules.apart_seconds)
        whole_hour = self.start.replace(minute=0, second=0, microsecond=0)
        self._into_hour = (self.start - whole_hour).total_seconds()

    def to_the_end(self) -> Dialled:
        """Until no target is left, or the hours are over."""
        while (moment := self._next_moment()) is not None:
            self._pass_to(moment)
            self._release()
            self.targets.bring_due(moment)
            free = self._most_channels - self.in_use
            count = min(budget(self._buckets, (free,)), self.targets.ready)
            if count:
                self._dial(count)
        self.now = self.end
        self._release()
        self.targets.bring_due(self.end)
        return self._told()

    def _next_moment(self) -> float | None:
        """When a call may start next; None: no more."""
        moment = self.now + self._step
        if not self.targets.ready:
            if (due := self.targets.next_due) is None:
                return None
            moment = max(moment, due)
        if self.in_use >= self._most_channels:
            moment = max(moment, self._first_release())
        while self._spans and self._spans[0][1] <= moment:
            self._spans.popleft()
        if not self._spans:
            return None
        moment = max(moment, self._spans[0][0])
        return moment if moment < self.end else None

    def _pass_to(self, moment: float) -> None:
        """Let time go by; the brake is judged where it is due."""
        brake = self._brake
        if brake is not None and brake.factor < 1:
            self.slowed += min(moment - self.now, JUDGED_EVERY)
        self.now = moment
        if brake is not None and moment >= brake.next_judgement:
            rate = self._full_rate * brake.judge(moment)
            self._buckets[0].rate = min(self.rules.cps, rate)
            self._step = _step_of(rate)

    # -- channels

    def _first_release(self) -> float:
        held = [queue[0] for queue in self._ending.values() if queue]
        asked = self.agents.first_release()
        return min([*held, *islice(self._asking, 1), _NEVER if asked is None else asked])

    def _release(self) -> None:
        """Give back the channels of calls that are over by now."""
        now = self.now
        for queue in self._ending.values():
            while queue and queue[0] <= now:
                queue.popleft()
                self.in_use -= 1
        while self._asking and self._asking[0] <= now:
            asked = self._asking.popleft()
            if not self.agents.ask(asked):
                self._promise(asked)
            elif self._brake is not None:
                self._brake.talk()
        self.in_use -= self.agents.release(now)

    # -- dialling

    def _dial(self, count: int) -> None:
        hour = self._hour()
        hour.calls += count
        self.in_use += count
        hour.channels = max(hour.channels, self.in_use)
        if self._brake is not None:
            hour.factor = min(hour.factor, self._brake.factor)
        for history, number in self.targets.take(count):
            for _ in range(number):
                kind = self._kinds[bisect(self._bounds, self.chance.random())]
                ends = self.now + self._seconds[kind]
                self.targets.settle(history, kind[0], self.now, ends)
                self._hold(kind, ends, hour)

    def _hold(self, kind: Ending, ends: float, hour: Hour) -> None:
        """The channel of a call, and what its subscriber asks for."""
        self.by_ending[kind] += 1
        disposition, reaction = kind
        if disposition is Disposition.ANSWERED:
            hour.answered += 1
        if reaction is Reaction.KEY_3:
            hour.transfers += 1
            self._asking.append(ends)
            return
        if reaction is Reaction.KEY_1:
            hour.registered += 1
            self._promise(ends)
        self._ending[self._seconds[kind]].append(ends)

    def _promise(self, at: float) -> None:
        self.promised[int(at // _MINUTE)] += 1
        if self._brake is not None:
            self._brake.promise()

    def _hour(self) -> Hour:
        number = int((self.now + self._into_hour) // _HOUR)
        hour = self.by_hour.get(number)
        if hour is None:
            at = self.start + timedelta(seconds=number * _HOUR - self._into_hour)
            hour = self.by_hour[number] = Hour(at)
        return hour

    # -- the result

    def _told(self) -> Dialled:
        targets = self.targets
        last = self.start + timedelta(seconds=targets.last_end)
        return Dialled(
            finished_at=None if targets.waiting else last,
            done=targets.done,
            waiting=targets.waiting,
            closed=targets.closed,
            hours=list(self.by_hour.values()),
            endings=self.by_ending,
            promised=self._by_minute(self.promised),
            talks=self._by_minute(self.agents.talks),
            most_attempts=targets.most_attempts,
            slowed_seconds=self.slowed,
        )

    def _by_minute(self, counts: Mapping[int, int]) -> dict[datetime, int]:
        return {
            self.start + timedelta(minutes=minute): count
            for minute, count in sorted(counts.items())
        }


def _step_of(rate: float) -> float:
    """Seconds from one look at a bucket of this rate to the next, when it is full."""
    tokens = max(1, int(rate * _MOST_AT_ONCE_SECONDS))
    return (tokens + _SLACK) / rate
