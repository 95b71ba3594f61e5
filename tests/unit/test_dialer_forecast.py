"""The forecast: small tables by hand, and what must hold for any backlog."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.forecast import Pending, Staff, attempts_needed, forecast
from domain.calendar import Calendar, Window
from domain.clock import LOCAL

HOURS = Calendar([Window.parse("07:00-21:00")], call_on_holidays=True)
ALWAYS = Calendar([Window.parse("00:00-24:00")], call_on_holidays=True)
NOW = datetime(2021, 4, 1, 10, 0, tzinfo=LOCAL).astimezone(UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ONE = Staff(agents=1, handling_seconds=60, reach_rate=1.0, max_attempts=5)


def pending(number: int, target: timedelta, ready: timedelta = timedelta(0)) -> Pending:
    return Pending(number, NOW + ready, NOW + target, NOW + target + HOUR)


def test_the_earliest_deadline_is_done_first() -> None:
    found = forecast(
        [pending(1, 3 * HOUR), pending(2, HOUR), pending(3, 2 * HOUR)], ONE, ALWAYS, NOW
    )
    assert found.finishes == {2: NOW + MINUTE, 3: NOW + 2 * MINUTE, 1: NOW + 3 * MINUTE}
    assert found.clears_at == NOW + 3 * MINUTE
    assert found.misses_target == found.misses_promise == frozenset()


def test_two_agents_take_half_the_time() -> None:
    backlog = [pending(number, HOUR) for number in range(60)]
    assert forecast(backlog, ONE, ALWAYS, NOW).clears_at == NOW + HOUR
    two = replace(ONE, agents=2)
    assert forecast(backlog, two, ALWAYS, NOW).clears_at == NOW + HOUR / 2


def test_what_misses_n_plus_1_and_what_misses_the_promise() -> None:
    backlog = [pending(number, 10 * MINUTE) for number in range(90)]
    found = forecast(backlog, ONE, ALWAYS, NOW)
    assert found.misses_target == set(range(10, 90))
    assert found.misses_promise == set(range(70, 90))


def test_the_curve_is_above_what_a_deadline_allows_where_it_is_missed() -> None:
    backlog = [pending(number, 10 * MINUTE) for number in range(90)]
    found = forecast(backlog, ONE, ALWAYS, NOW)
    assert found.curve == ((NOW, 90), (NOW + HOUR, 30), (NOW + 2 * HOUR, 0))
    assert found.allowed_by_target == (90, 0, 0)
    assert found.allowed_by_promise == (90, 90, 0)


def test_work_stops_overnight() -> None:
    backlog = [pending(number, 48 * HOUR) for number in range(660 + 1)]  # 11 hours and a minute
    found = forecast(backlog, ONE, HOURS, NOW)
    assert found.finishes[659] == NOW + 11 * HOUR
    assert found.clears_at == datetime(2021, 4, 2, 7, 1, tzinfo=LOCAL)


def test_who_becomes_ready_later_waits_and_an_earlier_deadline_comes_between() -> None:
    long = replace(ONE, handling_seconds=600)
    backlog = [pending(1, 9 * HOUR), pending(2, HOUR, ready=5 * MINUTE)]
    found = forecast(backlog, long, ALWAYS, NOW)
    assert found.finishes == {2: NOW + 15 * MINUTE, 1: NOW + 20 * MINUTE}
    alone = forecast([backlog[1]], long, ALWAYS, NOW)
    assert alone.finishes == {2: NOW + 15 * MINUTE}


def test_with_nobody_on_duty_nothing_is_ever_done() -> None:
    found = forecast([pending(1, HOUR)], replace(ONE, agents=0), ALWAYS, NOW)
    assert found.finishes == {1: None}
    assert found.misses_target == found.misses_promise == {1}
    assert found.clears_at is None
    assert found.curve == ((NOW, 1),)


def test_with_no_backlog_all_is_done() -> None:
    found = forecast([], ONE, HOURS, NOW)
    assert (found.clears_at, found.curve) == (NOW, ((NOW, 0),))


@pytest.mark.parametrize(
    ("rate", "made", "expected"), [(1.0, 0, 1.0), (0.5, 0, 1.9375), (0.0, 0, 5.0), (0.5, 9, 1.0)]
)
def test_attempts_needed(rate: float, made: int, expected: float) -> None:
    staff = replace(ONE, reach_rate=rate)
    assert attempts_needed(replace(pending(1, HOUR), attempts_made=made), staff) == expected


def test_the_curve_falls_to_nothing() -> None:
    backlog = [pending(number, 9 * HOUR) for number in range(150)]
    counts = [count for _, count in forecast(backlog, ONE, ALWAYS, NOW).curve]
    assert counts == [150, 90, 30, 0]


backlogs = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(-100, 5000), st.integers(0, 6)), max_size=25
).map(
    lambda rows: [
        replace(pending(number, target * MINUTE, ready * MINUTE), attempts_made=made)
        for number, (ready, target, made) in enumerate(rows)
    ]
)
staffs = st.builds(
    Staff,
    agents=st.integers(1, 9),
    handling_seconds=st.floats(1, 7200),
    reach_rate=st.floats(0, 1),
    max_attempts=st.integers(1, 9),
)
SLACK = timedelta(milliseconds=5)


@settings(deadline=None)
@given(backlogs, staffs, st.integers(1, 5))
def test_more_agents_make_nothing_later(backlog: list[Pending], staff: Staff, more: int) -> None:
    few = forecast(backlog, staff, HOURS, NOW).finishes
    many = forecast(backlog, replace(staff, agents=staff.agents + more), HOURS, NOW).finishes
    for number, end in few.items():
        later = many[number]
        assert end is None or (later is not None and later <= end + SLACK)


@settings(deadline=None)
@given(backlogs, staffs)
def test_less_to_do_makes_nothing_later(backlog: list[Pending], staff: Staff) -> None:
    all_of_it = forecast(backlog, staff, HOURS, NOW).finishes
    less = forecast(backlog[:-1], staff, HOURS, NOW).finishes
    for number, end in less.items():
        before = all_of_it[number]
        assert before is None or (end is not None and end <= before + SLACK)


@settings(deadline=None)
@given(backlogs, staffs)
def test_nothing_is_done_before_it_is_ready_or_outside_the_hours(
    backlog: list[Pending], staff: Staff
) -> None:
    found = forecast(backlog, staff, HOURS, NOW)
    assert set(found.finishes) == {one.id for one in backlog}
    for one in backlog:
        end = found.finishes[one.id]
        if end is not None:
            assert end > max(NOW, one.ready_at)
            assert HOURS.is_open(end - SLACK)
        assert (one.id in found.misses_promise) <= (one.id in found.misses_target)
    counts = [count for _, count in found.curve]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == len(backlog)


@settings(deadline=None)
@given(backlogs, staffs)
def test_the_agents_are_never_idle_while_something_is_ready(
    backlog: list[Pending], staff: Staff
) -> None:
    ready = [replace(one, ready_at=NOW) for one in backlog]
    work = sum(attempts_needed(one, staff) for one in ready) * staff.handling_seconds
    found = forecast(ready, staff, ALWAYS, NOW)
    assert found.clears_at is not None
    assert abs((found.clears_at - NOW).total_seconds() - work / staff.agents) < 0.1
