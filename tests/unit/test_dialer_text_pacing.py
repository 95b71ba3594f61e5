"""The rate of a text campaign, from one moment in its row; and how much may be under way. Pure."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.text_pacing import due, due_after, room
from tests.rows import NOW

SECOND = timedelta(seconds=1)


def sent(rate: float, ticks: list[float], before: datetime | None = None) -> list[datetime]:
    """When texts are posted, of which there is no end, by ticks so many seconds apart."""
    at, due_at, times = NOW, before, []
    for pause in ticks:
        at += timedelta(seconds=pause)
        if count := due(due_at, at, rate):
            due_at = due_after(due_at, at, rate, count)
            times += [at] * count
    return times


@pytest.mark.parametrize("rate", [0.5, 1, 4, 33.3, 1000])
def test_the_rate_is_kept_and_used(rate: float) -> None:
    found = sent(rate, [0.25] * 400)
    assert len(found) == pytest.approx(rate * 100, abs=rate * 0.26 + 1)


@given(st.floats(0.01, 1000), st.lists(st.floats(0.01, 30), min_size=1, max_size=60))
def test_no_span_of_time_has_more_than_its_rate_and_a_burst(
    rate: float, ticks: list[float]
) -> None:
    found = sent(rate, ticks)
    for first in range(0, len(found), max(1, len(found) // 20)):
        spent = (found[-1] - found[first]).total_seconds()
        assert len(found) - first <= spent * rate + 0.5 * rate + 1 + 1e-3


def test_a_stall_is_not_made_up_by_a_flood() -> None:
    assert due(NOW, NOW + timedelta(hours=1), 100) == 51


def test_a_quicker_rate_holds_at_once() -> None:
    """At one text in 100 seconds the next one is far off; tuned, it need not wait for that."""
    due_at = due_after(NOW, NOW, 0.01, 1)
    assert due(due_at, NOW + SECOND, 0.01) == 0
    assert due(due_at, NOW + SECOND, 10) == 0
    later = due_after(due_at, NOW + SECOND, 10, 0)
    assert due(later, NOW + SECOND * 1.11, 10) == 1


@pytest.mark.parametrize(
    ("under_way", "answered", "rate", "free"),
    [
        (0, 0, 100, 2),  # nobody has answered yet
        (2, 0, 100, 0),
        (5, 40, 100, 35),
        (50, 40, 100, 0),
        (0, 1000, 10, 10),  # never more than the rate of LOOK_BACK
        (0, 0, 0.1, 1),
    ],
)
def test_no_more_is_under_way_than_will_soon_be_sent(
    under_way: int, answered: int, rate: float, free: int
) -> None:
    assert room(under_way, answered, rate) == free
