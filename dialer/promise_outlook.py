"""Whether the agents can keep what a pace of dialling promises: the brake's judgement. Pure.

Asked by the brake of a server every few seconds (`dialer.brake_promise`), and by a rehearsal on its
own clock (`dialer.rehearsal_brake`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from dialer.brakes import promise_wanted
from dialer.expected import late, to_come
from dialer.forecast import Pending, Staff
from domain.calendar import Calendar

_AHEAD = timedelta(hours=1)
"""How much more calling is to be forecast. Deadlines are a day ahead: there is time to slow."""
_LEAST_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class PromiseRule:
    """When agents call back, until when on the next day, and which share may be late."""

    hours: Calendar
    target_by: time
    late_share: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the promise is judged by: the work that waits, who does it, and what is to come.

    `coming`: call-backs a second at full rate, and when those calls are made. No `staff`: nobody to
    judge by.
    """

    backlog: Sequence[Pending]
    staff: Staff | None
    coming: Sequence[tuple[float, Calendar]]


def judge(seen: Outlook, rule: PromiseRule, now: datetime) -> tuple[float, str]:
    """The step that the promise asks for, and why. What is not measured yet is not guessed."""
    staff, hours = seen.staff, rule.hours
    if staff is None:
        return 1.0, "nobody has been on duty for a week"

    coming = [
        pending
        for rate, windows in seen.coming
        for pending in to_come(rate, next_hour(windows, now), rule.target_by, hours)
    ]

    def late_at(factor: float) -> float:
        slowed = [replace(pending, count=pending.count * factor) for pending in coming]
        return late([*seen.backlog, *slowed], staff, hours, now).worst

    everything = sum(pending.count for pending in [*seen.backlog, *coming])
    tolerated = rule.late_share * everything
    wanted = promise_wanted(late_at, tolerated)
    if wanted == 1.0:
        return wanted, f"the call-backs will be in time with {staff.agents} agents"
    return wanted, (
        f"with {staff.agents} agents, {late_at(1.0):.0f} of {everything:.0f} call-backs would be "
        "late within an hour of full rate"
    )


def own_cps(cps: float, max_channels: int, seconds_a_dial: float) -> float:
    """What a campaign's own rate and channels allow."""
    return min(cps, max_channels / max(_LEAST_SECONDS, seconds_a_dial))


def next_hour(windows: Calendar, now: datetime) -> list[tuple[datetime, datetime]]:
    """The next hour of calling, or what is left of it until the windows close."""
    first = next(windows.open_spans(now), None)
    return [] if first is None else [(first[0], min(first[1], first[0] + _AHEAD))]
