"""What knobs will come to: by hand, and what must hold whatever is asked. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.expected import late, to_come
from dialer.forecast import Pending, Staff
from dialer.preview import Agents, Knobs, Rates, dials_each, pace, preview
from dialer.retry import RetryRule
from domain.calendar import Calendar, Window
from domain.clock import LOCAL
from domain.dispositions import Disposition

BY_NINE = time(21, 0)
HOURS = Calendar([Window.parse("07:00-21:00")], call_on_holidays=True)
WINDOWS = Calendar([Window.parse("08:00-17:00")], call_on_holidays=True)
NOW = datetime(2021, 4, 1, 10, 0, tzinfo=LOCAL).astimezone(UTC)
HOUR = timedelta(hours=1)
NO_ANSWER, BUSY = Disposition.NO_ANSWER, Disposition.BUSY
OFTEN = {NO_ANSWER: RetryRule(20, 60), BUSY: RetryRule(20, 60)}
KNOBS = Knobs(10.0, 1000, 1, OFTEN, WINDOWS, shared_cps=100.0, shared_channels=1000)
RATES = Rates(500, 0.5, ring_seconds=10, talk_seconds=30, key_1_rate=0.1, missed={NO_ANSWER: 1.0})
STAFF = Staff(agents=10, handling_seconds=180, reach_rate=1.0, max_attempts=5)
AGENTS = Agents(STAFF, HOURS, BY_NINE)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2021, 4, day, hour, minute, tzinfo=LOCAL).astimezone(UTC)


def test_a_plan_by_hand() -> None:
    """10 a second from 10:00: 25,200 an hour short of seven; the rest from 8:00 of the next day."""
    found = preview(270_000, KNOBS, RATES, AGENTS, NOW)
    assert (found.cps, found.limited_by, found.dials) == (10.0, "cps", 270_000)
    assert found.finishes_at == local(2, 8, 30)
    assert found.channels == pytest.approx(10 * (10 + 0.5 * 30))
    assert found.callbacks_a_day == pytest.approx(10 * 0.5 * 0.1 * 9 * 3600)
    assert found.agents_a_day == pytest.approx(10 * 14 * 3600 / 180)
    assert found.measured_calls == 500


@pytest.mark.parametrize(
    ("changed", "cps", "limited_by"),
    [
        ({}, 10.0, "cps"),
        ({"max_channels": 50}, 2.0, "channels"),
        ({"shared_cps": 4.0}, 4.0, "shared_cps"),
        ({"shared_channels": 100}, 4.0, "shared_channels"),
        ({"shared_channels": 0}, 0.0, "shared_channels"),
    ],
)
def test_what_sets_the_limit_is_named(
    changed: dict[str, float], cps: float, limited_by: str
) -> None:
    assert pace(replace(KNOBS, **changed), RATES) == (cps, limited_by)  # type: ignore[arg-type]


def test_without_channels_it_never_ends_and_without_numbers_it_has_ended() -> None:
    stopped = replace(KNOBS, shared_channels=0)
    assert preview(5, stopped, RATES, AGENTS, NOW).finishes_at is None
    assert preview(0, KNOBS, RATES, AGENTS, NOW).finishes_at == NOW


def test_retries_make_it_longer() -> None:
    assert dials_each(RATES, OFTEN, 1) == 1.0
    assert dials_each(RATES, OFTEN, 3) == 1.75
    assert dials_each(replace(RATES, answer_rate=0.0), OFTEN, 4) == 4.0
    assert preview(100, replace(KNOBS, max_attempts=3), RATES, AGENTS, NOW).dials == 175


def test_the_rules_of_retries_bound_them() -> None:
    """Of two numbers one answers; the other is busy or does not answer, half of the time each."""
    rates = replace(RATES, missed={NO_ANSWER: 0.5, BUSY: 0.5})
    never = {way: RetryRule(0, 60) for way in (NO_ANSWER, BUSY)}
    assert dials_each(rates, never, 9) == 1.0
    assert dials_each(rates, {}, 9) == 1.0
    assert dials_each(rates, {BUSY: RetryRule(1, 60)}, 9) == 1.25
    both = {NO_ANSWER: RetryRule(1, 60), BUSY: RetryRule(1, 60)}
    assert dials_each(rates, both, 9) == 1 + 2 * 0.25 + 2 * 0.25**2
    assert dials_each(rates, both, 2) == 1.5


def test_call_backs_beyond_the_agents_are_counted_late() -> None:
    many = replace(AGENTS, staff=replace(STAFF, agents=100))
    enough, too_few = (preview(270_000, KNOBS, RATES, who, NOW) for who in (many, AGENTS))
    assert enough.late_by_target == 0
    assert too_few.late_by_target > 5000
    assert too_few.callbacks_a_day > too_few.agents_a_day
    nobody = replace(AGENTS, staff=replace(STAFF, agents=0))
    assert preview(270_000, KNOBS, RATES, nobody, NOW).late_by_promise > 12_000


KNOBS_OF_ALL = st.builds(
    Knobs,
    cps=st.floats(0.01, 1000),
    max_channels=st.integers(1, 20000),
    max_attempts=st.integers(1, 20),
    retry=st.just(OFTEN),
    windows=st.just(WINDOWS),
    shared_cps=st.floats(0.01, 1000),
    shared_channels=st.integers(0, 20000),
)
RATES_OF_ALL = st.builds(
    Rates,
    calls=st.integers(0, 1000),
    answer_rate=st.floats(0, 1),
    ring_seconds=st.floats(0, 120),
    talk_seconds=st.floats(0, 3600),
    key_1_rate=st.floats(0, 1),
    missed=st.floats(0, 1).map(lambda share: {NO_ANSWER: share, BUSY: 1 - share}),
)


@settings(max_examples=60, deadline=None)
@given(KNOBS_OF_ALL, RATES_OF_ALL, st.integers(0, 10_000), st.floats(1, 10))
def test_a_faster_campaign_ends_no_later_and_keeps_to_every_cap(
    knobs: Knobs, rates: Rates, numbers: int, faster: float
) -> None:
    slow = preview(numbers, knobs, rates, AGENTS, NOW)
    quick = preview(numbers, replace(knobs, cps=knobs.cps * faster), rates, AGENTS, NOW)
    assert quick.cps >= slow.cps
    assert slow.cps <= min(knobs.cps, knobs.shared_cps)
    assert slow.channels <= min(knobs.max_channels, knobs.shared_channels) + 1e-6
    assert slow.channels == pytest.approx(slow.cps * rates.call_seconds)  # Little's law
    if slow.finishes_at is not None:
        assert quick.finishes_at is not None
        assert NOW <= quick.finishes_at <= slow.finishes_at + timedelta(milliseconds=1)
        ended = slow.finishes_at
        assert ended == NOW or WINDOWS.is_open(ended - timedelta(milliseconds=1))


@given(st.floats(0.001, 5), st.floats(1, 4))
def test_to_come_are_as_many_as_the_rate_says_within_the_spans(rate: float, more: float) -> None:
    spans = [(NOW, NOW + HOUR), (NOW + 3 * HOUR, NOW + 4 * HOUR)]
    coming = to_come(rate, spans, BY_NINE, HOURS)
    assert sum(one.count for one in coming) == pytest.approx(rate * 7200)
    assert all(any(a <= one.ready_at < b for a, b in spans) for one in coming)
    assert all(one.target_at == local(2, 21) for one in coming)
    few, many = (
        late(to_come(r, spans, BY_NINE, HOURS), STAFF, HOURS, NOW) for r in (rate, rate * more)
    )
    assert few.by_target <= many.by_target + 1e-6


def test_a_long_backlog_in_groups_is_late_by_as_many() -> None:
    """5,000 call-backs of three minutes: ten agents do 5,000 in 25 hours, nine 4,500."""
    backlog = [Pending(n, NOW, local(2, 21), NOW + 48 * HOUR) for n in range(5000)]
    assert late(backlog, STAFF, HOURS, NOW).by_target == 0
    nine = late(backlog, replace(STAFF, agents=9), HOURS, NOW)
    assert nine.by_target == pytest.approx(500, abs=10)
    assert nine.by_promise == 0
