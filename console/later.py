"""The moments at which "call later" may be: every half hour inside the agents' hours. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from domain.calendar import Calendar
from domain.clock import LOCAL, to_local

_STEP = timedelta(minutes=30)
_DAYS_AHEAD = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Moment:
    """A choice; `is_past_promise` where it breaks the 48 hours."""

    at: datetime
    is_past_promise: bool

    @property
    def value(self) -> str:
        """As a form sends it: UTC, ISO 8601."""
        return self.at.isoformat()

    @property
    def hour(self) -> str:
        """As a person reads it."""
        return f"{to_local(self.at):%H:%M}"


@dataclass(frozen=True, slots=True)
class Day:
    """A local day and its moments."""

    day: date
    moments: tuple[Moment, ...]


def days(now: datetime, promise_at: datetime, hours: Calendar) -> list[Day]:
    """The choices from the next half hour on, to the end of the third day after this one."""
    by_day: dict[date, list[Moment]] = {}
    for at in _half_hours(now, hours):
        moment = Moment(at, at >= promise_at)
        by_day.setdefault(to_local(at).date(), []).append(moment)
    return [Day(day, tuple(moments)) for day, moments in by_day.items()]


def read(value: str) -> datetime | None:
    """The moment of a form; None where it is none."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None


def _half_hours(now: datetime, hours: Calendar) -> Iterator[datetime]:
    last_day = (to_local(now) + _DAYS_AHEAD).date()
    for start, end in hours.open_spans(now):
        at = _next_half_hour(start, now)
        while at < end and to_local(at).date() <= last_day:
            yield at
            at += _STEP
        if to_local(start).date() > last_day:
            return


def _next_half_hour(start: datetime, now: datetime) -> datetime:
    """The first full or half hour from `start` on that is still to come."""
    midnight = datetime.combine(to_local(start).date(), time(), LOCAL).astimezone(UTC)
    steps = -(-(start - midnight) // _STEP)
    at = midnight + steps * _STEP
    return at if at > now else at + _STEP
