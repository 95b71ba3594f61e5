"""When a subscriber who was not reached is called again: after a pause, in time. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from domain.calendar import Calendar
from domain.callbacks import Outcome

_SHORTEST_PAUSE = timedelta(minutes=5)
_ROOM = timedelta(minutes=30)
"""What a call that is brought forward needs: it waits for an agent, too."""


@dataclass(frozen=True, slots=True)
class RedialRules:
    """At most `max_attempts` calls, each `pauses[outcome]` after the one before."""

    max_attempts: int
    pauses: Mapping[Outcome, timedelta]


def next_call(
    rules: RedialRules,
    outcome: Outcome,
    *,
    at: datetime,
    attempts_made: int,
    promise_at: datetime,
    hours: Calendar,
) -> datetime | None:
    """When to call again, inside the agents' hours; None: the attempts are used up.

    Where the pause would end past the promise, the last half hour before it is taken, if agents
    are there; a promise that can't be kept does not shorten the pause.
    """
    if attempts_made >= rules.max_attempts:
        return None
    wanted = hours.next_opening(at + rules.pauses[outcome])
    if wanted < promise_at:
        return wanted
    return _in_time(at + _SHORTEST_PAUSE, promise_at, hours) or wanted


def _in_time(earliest: datetime, promise_at: datetime, hours: Calendar) -> datetime | None:
    """The latest moment that leaves room for a call before the promise, or None."""
    spans = takewhile(lambda span: span[0] < promise_at, hours.open_spans(earliest))
    last = max(spans, default=None)
    if last is None:
        return None
    start, end = last[0], min(last[1], promise_at)
    return max(start, end - _ROOM)
