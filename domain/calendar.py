"""When calls may be made: windows of local days, without the public holidays of Vietnam. Pure.

A window lies within one local day: its start is inclusive, its end exclusive, and none crosses
midnight. The holidays come from the `holidays` package; an override settles a date either way,
since the government moves days off every year. Rules: domain.md §6.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Self

from holidays import country_holidays

from domain.clock import LOCAL, to_local
from domain.errors import InputError

_DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALL_DAYS = frozenset(range(7))
_MIDNIGHT = time(0, 0)
_WINDOW = re.compile(r"(?:(?P<days>[a-z,-]+) +)?(?P<start>\S+?) *- *(?P<end>\S+)", re.IGNORECASE)
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_SEARCH_DAYS = 400


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of the local day on some weekdays.

    Attributes:
        start: the first moment that is open.
        end: the first moment that is closed again; 00:00 stands for 24:00.
        days: weekdays as in `date.weekday`, Monday is 0.

    Raises:
        InputError: the window is empty, crosses midnight or has no day.
    """

    start: time
    end: time
    days: frozenset[int] = ALL_DAYS

    def __post_init__(self) -> None:
        if self.end != _MIDNIGHT and self.start >= self.end:
            raise InputError(
                f"calling window {self.start:%H:%M}-{self.end:%H:%M}: the end must come after the "
                "start on the same day (24:00 at most)"
            )
        if not self.days or not self.days <= ALL_DAYS:
            raise InputError("calling window: at least one day, mon to sun, is needed")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "08:00-17:00", "mon-fri 08:00-17:00", "sat,sun 09:00-11:30" or "00:00-24:00".

        Raises:
            InputError: the text is not such a window.
        """
        found = _WINDOW.fullmatch(text.strip())
        if found is None:
            raise InputError(f'calling window "{text}": write it as "mon-fri 08:00-17:00"')
        end = found["end"]
        return cls(
            start=_parse_time(found["start"], text),
            end=_MIDNIGHT if end == "24:00" else _parse_end(end, text),
            days=_parse_days(found["days"], text),
        )


class Calendar:
    """Answers, for every dial, whether calls may be made now.

    The spans of a local day are worked out once and kept, so that asking is a look-up.
    """

    def __init__(
        self,
        windows: Iterable[Window],
        *,
        call_on_holidays: bool = False,
        holiday_overrides: Mapping[date, bool] | None = None,
    ) -> None:
        """Take the windows and the override table (local date → is it a holiday).

        Raises:
            InputError: there is no window at all.
        """
        self._windows = tuple(windows)
        self.call_on_holidays = call_on_holidays
        if not self._windows:
            raise InputError("no calling window is set: give at least one, such as 08:00-17:00")
        self._overrides = dict(holiday_overrides or {})
        self._spans: dict[date, tuple[tuple[datetime, datetime], ...]] = {}

    def is_open(self, at_utc: datetime) -> bool:
        """Tell whether a call may start at this moment (aware; a naive one raises ValueError)."""
        return any(start <= at_utc < end for start, end in self._day(to_local(at_utc).date()))

    def next_opening(self, at_utc: datetime) -> datetime:
        """Give the first moment, from `at_utc` on, when a call may start, in UTC.

        Raises:
            InputError: nothing opens within 400 days.
        """
        for start, _ in self.open_spans(at_utc):
            return start
        raise InputError(
            f"no calling window opens within {_SEARCH_DAYS} days: check the windows and holidays"
        )

    def open_spans(self, since_utc: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Give the open spans from a moment on, in UTC, for the next 400 days; ends exclusive."""
        today = to_local(since_utc).date()
        for offset in range(_SEARCH_DAYS):
            for start, end in self._day(today + timedelta(days=offset)):
                if since_utc < end:
                    yield max(start, since_utc.astimezone(UTC)), end

    def is_holiday(self, day: date) -> bool:
        """Tell whether a local day is a public holiday, the override table first."""
        override = self._overrides.get(day)
        return day in public_holidays(day.year) if override is None else override

    def _day(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """Give the open spans of a local day as UTC moments, the earliest first."""
        spans = self._spans.get(day)
        if spans is None:
            spans = self._spans[day] = self._spans_of(day)
        return spans

    def _spans_of(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        if not self.call_on_holidays and self.is_holiday(day):
            return ()
        windows = (window for window in self._windows if day.weekday() in window.days)
        return tuple(sorted(_span(window, day) for window in windows))


@lru_cache(maxsize=32)
def public_holidays(year: int) -> frozenset[date]:
    """Give the public holidays of Vietnam in a year, compensatory days off included."""
    return frozenset(country_holidays("VN", years=year))


def _span(window: Window, day: date) -> tuple[datetime, datetime]:
    last_day = day + timedelta(days=1) if window.end == _MIDNIGHT else day
    start = datetime.combine(day, window.start, LOCAL)
    end = datetime.combine(last_day, window.end, LOCAL)
    return start.astimezone(UTC), end.astimezone(UTC)


def _parse_time(text: str, window: str) -> time:
    found = _TIME.fullmatch(text)
    if found is None:
        raise InputError(f'calling window "{window}": "{text}" is not a time such as 08:00')
    return time(int(found[1]), int(found[2]))


def _parse_end(text: str, window: str) -> time:
    """Read an end before midnight; 00:00 would silently mean the whole evening."""
    end = _parse_time(text, window)
    if end == _MIDNIGHT:
        raise InputError(f'calling window "{window}": write midnight as 24:00')
    return end


def _parse_days(text: str | None, window: str) -> frozenset[int]:
    if text is None:
        return ALL_DAYS
    days: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if first not in _DAY_NAMES or last not in _DAY_NAMES:
            raise InputError(f'calling window "{window}": days are mon tue wed thu fri sat sun')
        begin, end = _DAY_NAMES.index(first), _DAY_NAMES.index(last)
        if begin > end:
            raise InputError(f'calling window "{window}": "{part}" runs over the end of the week')
        days.update(range(begin, end + 1))
    return frozenset(days)
