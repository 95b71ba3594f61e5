"""When a subscriber who was not reached is called again: pauses, hours, and the 48 hours."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.callback_rules import RedialRules, next_call
from domain.calendar import Calendar, Window
from domain.callbacks import RETRIED, Outcome
from domain.clock import LOCAL

HOURS = Calendar([Window.parse("07:00-21:00")], call_on_holidays=True)
RULES = RedialRules(
    max_attempts=4,
    pauses={
        Outcome.NO_ANSWER: timedelta(hours=2),
        Outcome.BUSY: timedelta(minutes=15),
        Outcome.SWITCHED_OFF: timedelta(hours=4),
    },
)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2021, 4, day, hour, minute, tzinfo=LOCAL).astimezone(UTC)


@pytest.mark.parametrize(
    ("outcome", "at", "promise_at", "expected"),
    [
        (Outcome.NO_ANSWER, local(1, 10), local(3, 9), local(1, 12)),
        (Outcome.BUSY, local(1, 10), local(3, 9), local(1, 10, 15)),
        (Outcome.SWITCHED_OFF, local(1, 10), local(3, 9), local(1, 14)),
        # The pause ends after the evening's close: the next morning.
        (Outcome.NO_ANSWER, local(1, 20), local(3, 9), local(2, 7)),
        # It would end past the promise: the last half hour before it.
        (Outcome.NO_ANSWER, local(2, 8), local(2, 9), local(2, 8, 30)),
        # Tomorrow is past the promise, which ends in the night: this evening's last half hour.
        (Outcome.SWITCHED_OFF, local(2, 18), local(2, 23), local(2, 20, 30)),
        # The promise is a minute away: as soon as five minutes have passed, there is no time.
        (Outcome.NO_ANSWER, local(2, 8, 59), local(2, 9), local(2, 10, 59)),
        # Ten minutes are left: five minutes from now.
        (Outcome.NO_ANSWER, local(2, 8, 50), local(2, 9), local(2, 8, 55)),
        # The promise was broken before: the usual pause.
        (Outcome.BUSY, local(5, 9), local(2, 9), local(5, 9, 15)),
        # It ends before the agents come: nothing fits.
        (Outcome.NO_ANSWER, local(1, 20, 58), local(2, 6), local(2, 7)),
    ],
)
def test_next_call(
    outcome: Outcome, at: datetime, promise_at: datetime, expected: datetime
) -> None:
    found = next_call(RULES, outcome, at=at, attempts_made=1, promise_at=promise_at, hours=HOURS)
    assert found == expected


def test_the_attempts_come_to_an_end() -> None:
    moments = [
        next_call(
            RULES,
            Outcome.BUSY,
            at=local(1, 10),
            attempts_made=made,
            promise_at=local(3, 9),
            hours=HOURS,
        )
        for made in range(1, 6)
    ]
    assert [moment is None for moment in moments] == [False, False, False, True, True]


def test_a_holiday_is_worked_unless_it_is_set_otherwise() -> None:
    closed = Calendar([Window.parse("07:00-21:00")], call_on_holidays=False)
    at, promise_at = local(29, 20), local(30, 23)  # 30 April is a holiday

    def found(hours: Calendar) -> datetime | None:
        return next_call(
            RULES, Outcome.NO_ANSWER, at=at, attempts_made=1, promise_at=promise_at, hours=hours
        )

    assert found(HOURS) == local(30, 7)
    assert found(closed) == local(29, 20, 30)  # the last half hour before the promise ends


@given(
    st.sampled_from(sorted(RETRIED)),
    st.datetimes(datetime(2021, 4, 1), datetime(2021, 5, 5), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(hours=-10), timedelta(hours=60)),
)
def test_it_is_always_inside_the_hours_and_later_than_now(
    outcome: Outcome, at: datetime, left: timedelta
) -> None:
    promise_at = at + left
    found = next_call(RULES, outcome, at=at, attempts_made=1, promise_at=promise_at, hours=HOURS)
    assert found is not None
    assert found >= at + timedelta(minutes=5)
    assert HOURS.is_open(found)
    if found >= promise_at:  # then nothing would have fitted
        first = HOURS.next_opening(at + timedelta(minutes=5))
        assert first >= promise_at
