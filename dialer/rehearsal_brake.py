"""The promise brake of a rehearsal: judged as a server does, on the rehearsal's own clock. Pure.

The agents make call-backs in the order of their deadlines, as one stream of work; talks after key 3
take the same agents' time. A server judges every few seconds, a rehearsal every ten minutes: as
deadlines are a day ahead, that changes little. What it may let go meanwhile, it does in one go.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dialer.brakes import Standing, moved
from dialer.forecast import Pending, Staff, attempts_needed
from dialer.promise_outlook import Outlook, PromiseRule, judge
from domain.calendar import Calendar
from domain.deadlines import promise_at, target_at

JUDGED_EVERY = 600.0
"""Seconds between two judgements."""
_LONG_AGO = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BrakeRule:
    """What a server has in its settings and rows; `per_second`: call-backs at full rate."""

    rule: PromiseRule
    hold: timedelta
    staff: Staff
    backlog: Sequence[Pending]
    windows: Calendar
    per_second: float


class PromiseBrake:
    """How the brake stands; times are seconds since the start, and come in order.

    Attributes:
        factor: what the rate is multiplied by.
    """

    def __init__(self, rule: BrakeRule, start: datetime) -> None:
        self._rule = rule
        self._start = start
        self._standing = Standing(1.0, start - _LONG_AGO)
        self._spans = deque(
            ((opens - start).total_seconds(), (closes - start).total_seconds())
            for opens, closes in rule.rule.hours.open_spans(start)
        )
        self._waiting = deque(sorted(rule.backlog, key=lambda one: one.target_at))
        self._served_until = 0.0
        self._talked = 0.0
        self._promised: float = 0
        self._next_id = 1 + max((one.id for one in rule.backlog), default=0)
        self.next_judgement = 0.0

    @property
    def factor(self) -> float:
        return self._standing.factor

    def promise(self) -> None:
        """A call-back is promised."""
        self._promised += 1

    def talk(self) -> None:
        """An agent talks after key 3."""
        self._talked += self._rule.staff.handling_seconds

    def judge(self, seconds: float) -> float:
        """The factor from now on."""
        now = self._start + timedelta(seconds=seconds)
        self._serve(seconds)
        self._take_in(now)
        coming = [(self._rule.per_second, self._rule.windows)]
        seen = Outlook(list(self._waiting), self._rule.staff, coming)
        wanted, _ = judge(seen, self._rule.rule, now)
        self._standing = _moved_since(self._standing, wanted, now, self._rule.hold)
        self.next_judgement = seconds + JUDGED_EVERY
        return self.factor

    def _take_in(self, now: datetime) -> None:
        """What was promised since the last judgement, as one."""
        if self._promised:
            rule = self._rule.rule
            ready, due = rule.hours.next_opening(now), target_at(now, rule.target_by)
            new = Pending(self._next_id, ready, due, promise_at(now), count=self._promised)
            self._waiting.append(new)
            self._next_id += 1
            self._promised = 0

    def _serve(self, seconds: float) -> None:
        """What the agents have done since the last judgement."""
        work = self._rule.staff.agents * self._open_until(seconds)
        talked = min(work, self._talked)
        self._talked -= talked
        work -= talked
        while self._waiting and work > 0:
            first = self._waiting.popleft()
            staff = self._rule.staff
            each = staff.handling_seconds * attempts_needed(first, staff)
            if each * first.count > work:
                self._waiting.appendleft(replace(first, count=first.count - work / each))
            work -= each * first.count

    def _open_until(self, seconds: float) -> float:
        """The agents' hours since the last time."""
        total = 0.0
        while self._spans:
            opens, closes = self._spans[0]
            total += max(0.0, min(closes, seconds) - max(opens, self._served_until))
            if closes > seconds:
                break
            self._spans.popleft()
        self._served_until = seconds
        return total


def _moved_since(before: Standing, wanted: float, now: datetime, hold: timedelta) -> Standing:
    """Where the brake stands now; it may have let go several steps since the last judgement."""
    factor = moved(before, wanted, now, hold)
    if factor <= before.factor:
        return before if factor == before.factor else Standing(factor, now)
    at = before.since + hold
    while factor < wanted and at + hold <= now:
        factor, at = moved(Standing(factor, at), wanted, at + hold, hold), at + hold
    return Standing(factor, max(at, now - hold))
