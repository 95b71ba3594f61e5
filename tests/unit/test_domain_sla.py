"""Where a call-back stands against n+1 and the 48 hours, to the microsecond."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deadlines import promise_at, target_at
from domain.sla import SlaState, sla_bounds, sla_state

MARGIN = timedelta(hours=3)
TICK = timedelta(microseconds=1)
REGISTERED = datetime(2021, 4, 1, 3, 0, tzinfo=UTC)  # a Thursday, 10:00 local
TARGET, PROMISE = target_at(REGISTERED), promise_at(REGISTERED)
MIDNIGHT = datetime(2021, 4, 1, 17, 0, tzinfo=UTC)  # 2 April begins


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (REGISTERED, SlaState.FRESH),
        (MIDNIGHT - TICK, SlaState.FRESH),
        (MIDNIGHT, SlaState.DUE_TODAY),
        (TARGET - MARGIN - TICK, SlaState.DUE_TODAY),
        (TARGET - MARGIN, SlaState.AT_RISK),
        (TARGET - TICK, SlaState.AT_RISK),
        (TARGET, SlaState.LATE),
        (PROMISE - TICK, SlaState.LATE),
        (PROMISE, SlaState.BROKEN),
        (PROMISE + timedelta(days=30), SlaState.BROKEN),
    ],
)
def test_each_state_begins_at_its_moment(now: datetime, state: SlaState) -> None:
    assert sla_state(TARGET, PROMISE, now, MARGIN) is state


def test_a_margin_over_midnight_makes_it_at_risk_the_evening_before() -> None:
    wide = timedelta(hours=24)
    assert sla_state(TARGET, PROMISE, TARGET - wide, wide) is SlaState.AT_RISK
    assert sla_state(TARGET, PROMISE, TARGET - wide - TICK, wide) is SlaState.FRESH


def test_holidays_move_no_deadline() -> None:
    eve = datetime(2021, 4, 29, 8, 0, tzinfo=UTC)  # 30 April and 1 May are public holidays
    assert target_at(eve) == datetime(2021, 4, 30, 14, 0, tzinfo=UTC)
    assert promise_at(eve) == eve + timedelta(hours=48)


@pytest.mark.parametrize("minutes", [-1, 0, 1])
def test_midnight_decides_day_n(minutes: int) -> None:
    at = MIDNIGHT + timedelta(minutes=minutes)
    evening = datetime(2021, 4, 2 if minutes < 0 else 3, 14, 0, tzinfo=UTC)
    assert target_at(at) == evening


def test_a_naive_moment_has_no_bounds() -> None:
    with pytest.raises(ValueError, match="naive"):
        sla_bounds(datetime(2021, 4, 1), MARGIN)  # noqa: DTZ001


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 40 * 3600))
def test_time_only_makes_it_worse(first: int, more: int, margin: int) -> None:
    order = list(reversed(SlaState))
    states = [
        order.index(
            sla_state(TARGET, PROMISE, REGISTERED + timedelta(seconds=s), timedelta(seconds=margin))
        )
        for s in (first, first + more)
    ]
    assert states == sorted(states)
