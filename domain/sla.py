"""How a call-back stands against its two deadlines: n+1 and the promised 48 hours. Pure.

Each state is a range of `target_at` or `promise_at`, so that rows and code agree on it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from domain.clock import LOCAL, to_local


class SlaState(StrEnum):
    """The worst first."""

    BROKEN = "broken"  # past promise_at: more than 48 hours
    LATE = "late"  # past target_at
    AT_RISK = "at_risk"  # target_at is nearer than the margin
    DUE_TODAY = "due_today"  # target_at is on this local day
    FRESH = "fresh"


@dataclass(frozen=True, slots=True)
class SlaBounds:
    """What divides the states at one moment: broken, else late, and so on, by a deadline `<=`."""

    now: datetime
    at_risk_until: datetime
    today_until: datetime


def sla_bounds(now: datetime, margin: timedelta) -> SlaBounds:
    """The bounds at `now` (aware; a naive one raises ValueError), all in UTC."""
    tomorrow = to_local(now).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time(), LOCAL).astimezone(UTC)
    return SlaBounds(now.astimezone(UTC), (now + margin).astimezone(UTC), midnight)


def sla_state(
    target_at: datetime, promise_at: datetime, now: datetime, margin: timedelta
) -> SlaState:
    """How an open call-back stands at `now`; `margin` before its target it is at risk."""
    bounds = sla_bounds(now, margin)
    if promise_at <= bounds.now:
        return SlaState.BROKEN
    if target_at <= bounds.now:
        return SlaState.LATE
    if target_at <= bounds.at_risk_until:
        return SlaState.AT_RISK
    return SlaState.DUE_TODAY if target_at < bounds.today_until else SlaState.FRESH
