"""Calling windows to the second, weekends, Tết and the override table. Pure."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calendar import ALL_DAYS, Calendar, Window, public_holidays
from domain.clock import LOCAL
from domain.errors import InputError

DAILY = Window.parse("08:00-17:00")


def local(text: str) -> datetime:
    """Read a local wall time as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("08:00-17:00", Window(time(8), time(17))),
        ("8:00 - 17:30", Window(time(8), time(17, 30))),
        ("  mon-fri 08:00-17:00 ", Window(time(8), time(17), frozenset(range(5)))),
        ("SAT,sun 09:00-11:30", Window(time(9), time(11, 30), frozenset({5, 6}))),
        ("mon,wed-fri 09:00-11:30", Window(time(9), time(11, 30), frozenset({0, 2, 3, 4}))),
        ("tue 09:00-24:00", Window(time(9), time(0), frozenset({1}))),
        ("00:00-24:00", Window(time(0), time(0), ALL_DAYS)),
    ],
)
def test_windows_are_read(text: str, window: Window) -> None:
    assert Window.parse(text) == window


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "write it as"),
        ("08:00", "write it as"),
        ("all day", "write it as"),
        ("17:00-08:00", "the end must come after"),  # crosses midnight
        ("08:00-08:00", "the end must come after"),
        ("22:00-00:00", "24:00"),
        ("08:00-25:00", "not a time"),
        ("24:00-24:00", "not a time"),
        ("08:60-17:00", "not a time"),
        ("8-17", "not a time"),
        ("monday 08:00-17:00", "mon tue wed"),
        ("mon- 08:00-17:00", "mon tue wed"),
        ("mon,,fri 08:00-17:00", "mon tue wed"),
        ("sat-mon 08:00-17:00", "end of the week"),
    ],
)
def test_bad_windows_are_named(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        Window.parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("days", [frozenset[int](), frozenset({7}), frozenset({-1, 0})])
def test_a_window_needs_weekdays(days: frozenset[int]) -> None:
    with pytest.raises(InputError, match="at least one day"):
        Window(time(8), time(17), days)


def test_a_calendar_needs_a_window() -> None:
    with pytest.raises(InputError, match="no calling window"):
        Calendar([])


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-03-04T07:59:59.999999", False),
        ("2026-03-04T08:00:00", True),
        ("2026-03-04T16:59:59.999999", True),
        ("2026-03-04T17:00:00", False),
        ("2026-03-04T00:30:00", False),
        ("2026-03-07T10:00:00", True),  # Saturday
    ],
)
def test_start_is_inclusive_and_end_exclusive(at: str, is_open: bool) -> None:
    assert Calendar([DAILY]).is_open(local(at)) is is_open


def test_any_zone_may_ask_and_no_naive_moment() -> None:
    calendar = Calendar([DAILY])
    assert calendar.is_open(datetime(2026, 3, 4, 8, 0, tzinfo=LOCAL))
    assert not calendar.is_open(datetime(2026, 3, 4, 10, 0, tzinfo=UTC))
    with pytest.raises(ValueError, match="naive"):
        calendar.is_open(datetime(2026, 3, 4, 8, 0))  # noqa: DTZ001 - the point of the test


def test_the_whole_day_has_no_gap_at_midnight() -> None:
    calendar = Calendar([Window.parse("00:00-24:00")])
    for at in ("2026-03-04T00:00:00", "2026-03-04T23:59:59.999999", "2026-03-05T00:00:00"):
        assert calendar.is_open(local(at))


def test_24_00_ends_with_the_day() -> None:
    calendar = Calendar([Window.parse("tue 20:00-24:00")])
    assert calendar.is_open(local("2026-03-03T23:59:59.999999"))
    assert not calendar.is_open(local("2026-03-04T00:00:00"))


def test_weekends_and_a_lunch_break() -> None:
    windows = ["mon-fri 08:00-11:30", "mon-fri 13:30-17:00", "sat 08:00-11:30"]
    calendar = Calendar([Window.parse(text) for text in windows])
    assert calendar.is_open(local("2026-03-06T11:29:59"))
    assert not calendar.is_open(local("2026-03-06T11:30"))
    assert calendar.next_opening(local("2026-03-06T12:00")) == local("2026-03-06T13:30")
    assert not calendar.is_open(local("2026-03-07T13:30"))
    assert calendar.next_opening(local("2026-03-07T12:00")) == local("2026-03-09T08:00")


def test_overlapping_windows_out_of_order() -> None:
    calendar = Calendar([Window.parse("10:00-17:00"), Window.parse("08:00-12:00")])
    assert calendar.is_open(local("2026-03-04T11:00"))
    assert calendar.next_opening(local("2026-03-04T01:00")) == local("2026-03-04T08:00")


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        ("2026-03-04T07:00", "2026-03-04T08:00"),
        ("2026-03-04T08:00", "2026-03-04T08:00"),
        ("2026-03-04T12:34:56", "2026-03-04T12:34:56"),  # open: now
        ("2026-03-04T17:00", "2026-03-05T08:00"),
        ("2026-03-04T23:59:59", "2026-03-05T08:00"),
        ("2026-02-15T16:59:59", "2026-02-15T16:59:59"),
        ("2026-02-15T17:00", "2026-02-21T08:00"),  # over Tết, 16–20 February 2026
        ("2026-02-18T10:00", "2026-02-21T08:00"),
    ],
)
def test_next_opening(at: str, opening: str) -> None:
    found = Calendar([DAILY]).next_opening(local(at))
    assert found == local(opening)
    assert found.tzinfo is UTC


def test_next_opening_on_weekdays_over_tet() -> None:
    calendar = Calendar([Window.parse("mon-fri 08:00-17:00")])
    assert calendar.next_opening(local("2026-02-13T17:00")) == local("2026-02-23T08:00")


def test_public_holidays_of_vietnam() -> None:
    """The days of the campaign's own season, and a compensatory day (3 May 2021)."""
    fixed = {date(2021, 1, 1), date(2021, 4, 30), date(2021, 5, 1), date(2021, 9, 2)}
    lunar = {date(2021, 2, 12), date(2021, 4, 21)}
    assert fixed | lunar | {date(2021, 5, 3)} <= public_holidays(2021)
    assert date(2021, 3, 26) not in public_holidays(2021)


def test_no_calls_on_holidays_unless_the_campaign_says_so() -> None:
    reunification_day = local("2026-04-30T10:00")
    assert not Calendar([DAILY]).is_open(reunification_day)
    assert Calendar([DAILY], call_on_holidays=True).is_open(reunification_day)


def test_a_holiday_is_a_local_day() -> None:
    """1 January begins at 17:00 UTC of 31 December."""
    calendar = Calendar([Window.parse("00:00-24:00")])
    assert calendar.is_open(local("2025-12-31T23:59:59"))
    assert not calendar.is_open(local("2026-01-01T00:00"))
    assert not calendar.is_open(local("2026-01-01T23:59:59"))
    assert calendar.is_open(local("2026-01-02T00:00"))


def test_the_override_table_wins_both_ways() -> None:
    overrides = {date(2026, 4, 30): False, date(2026, 3, 4): True}
    calendar = Calendar([DAILY], holiday_overrides=overrides)
    assert calendar.is_open(local("2026-04-30T10:00"))
    assert not calendar.is_open(local("2026-03-04T10:00"))
    assert calendar.is_holiday(date(2026, 3, 4))
    assert not calendar.is_holiday(date(2026, 4, 30))
    assert calendar.next_opening(local("2026-03-04T10:00")) == local("2026-03-05T08:00")


def test_a_calendar_that_never_opens_says_so() -> None:
    days = {date.fromordinal(date(2026, 3, 1).toordinal() + n): True for n in range(500)}
    with pytest.raises(InputError, match="400 days"):
        Calendar([DAILY], holiday_overrides=days).next_opening(local("2026-03-04T10:00"))


def _window(hours: tuple[int, int], days: frozenset[int]) -> Window:
    first, last = hours
    end = time(0) if last == 24 * 4 else time(last // 4, last % 4 * 15)
    return Window(time(first // 4, first % 4 * 15), end, days)


quarters = st.tuples(st.integers(0, 24 * 4 - 1), st.integers(1, 24 * 4)).filter(
    lambda q: q[0] < q[1]
)
weekdays = st.frozensets(st.integers(0, 6), min_size=1)
given_windows = st.lists(st.tuples(quarters, weekdays), min_size=1, max_size=4)
april = st.integers(0, 25 * 24 * 60 * 60).map(
    lambda seconds: datetime(2021, 4, 14, 17, tzinfo=UTC) + timedelta(seconds=seconds)
)
overrides = st.dictionaries(st.dates(date(2021, 4, 15), date(2021, 5, 10)), st.booleans())
FREE = {date(2021, 4, 21), date(2021, 4, 30), date(2021, 5, 1), date(2021, 5, 3)}


def _may_call(
    windows: list[tuple[tuple[int, int], frozenset[int]]],
    on_holidays: bool,
    decided: dict[date, bool],
    at: datetime,
) -> bool:
    """The rule in other words: Vietnam is seven hours ahead all year."""
    local = at + timedelta(hours=7)
    if not on_holidays and decided.get(local.date(), local.date() in FREE):
        return False
    quarter = (local.hour * 60 + local.minute) // 15
    return any(
        first <= quarter < last and local.weekday() in days for (first, last), days in windows
    )


def _calendar(
    windows: list[tuple[tuple[int, int], frozenset[int]]],
    on_holidays: bool,
    decided: dict[date, bool],
) -> Calendar:
    return Calendar(
        [_window(hours, days) for hours, days in windows],
        call_on_holidays=on_holidays,
        holiday_overrides=decided,
    )


@given(given_windows, st.booleans(), overrides, april)
def test_it_is_open_in_a_window_of_the_weekday_that_is_no_holiday(
    windows: list[tuple[tuple[int, int], frozenset[int]]],
    on_holidays: bool,
    decided: dict[date, bool],
    at: datetime,
) -> None:
    calendar = _calendar(windows, on_holidays, decided)
    assert calendar.is_open(at) is _may_call(windows, on_holidays, decided, at)


@settings(max_examples=50)
@given(given_windows, st.booleans(), overrides, april)
def test_the_next_opening_is_the_first_moment_that_is_open(
    windows: list[tuple[tuple[int, int], frozenset[int]]],
    on_holidays: bool,
    decided: dict[date, bool],
    at: datetime,
) -> None:
    calendar = _calendar(windows, on_holidays, decided)
    opening = calendar.next_opening(at)
    assert opening >= at
    assert calendar.is_open(opening)
    quarter = timedelta(minutes=15)
    waited = min((opening - at) // quarter, 14 * 24 * 4)
    assert not any(calendar.is_open(at + n * quarter) for n in range(waited))
    assert opening == at or not calendar.is_open(opening - timedelta(microseconds=1))
