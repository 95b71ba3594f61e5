"""How far a bind's claim runs ahead of its link. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.claim_size import AHEAD_SECONDS, ClaimSize
from tests.texting import Hand

MOST = 200


def sending(rate: float, seconds: float = 3.0) -> tuple[ClaimSize, Hand]:
    """A link that writes evenly."""
    clock = Hand()
    size = ClaimSize(MOST, clock)
    for _ in range(round(rate * seconds)):
        clock.at += 1 / rate
        size.written()
    return size, clock


def test_at_first_it_is_the_room() -> None:
    size = ClaimSize(MOST, Hand())
    assert size.is_due(0)
    assert not size.is_due(1)
    assert size.size(room=20, at_hand=0) == 20


@pytest.mark.parametrize(("rate", "ahead"), [(10, 1), (60, 6), (500, 50), (1500, 150)])
def test_it_runs_ahead_by_what_is_written_in_a_moment(rate: float, ahead: int) -> None:
    size, _ = sending(rate)
    assert size.size(room=0, at_hand=0) == pytest.approx(ahead, abs=2)
    assert size.size(room=7, at_hand=0) == pytest.approx(ahead + 7, abs=2)
    assert not size.is_due(ahead)
    assert size.is_due(ahead // 3)


def test_a_fast_link_claims_all_it_may() -> None:
    size, _ = sending(20_000, 0.5)
    assert size.size(room=0, at_hand=0) == MOST
    assert size.is_due(MOST)


def test_after_a_stall_it_is_the_room_again() -> None:
    size, clock = sending(1000)
    clock.at += 60
    assert size.size(room=10, at_hand=0) in (10, 11)


@given(
    st.lists(st.tuples(st.floats(0, 2), st.integers(0, 400)), max_size=30),
    st.integers(0, 100),
    st.integers(0, 500),
)
def test_never_more_at_hand_than_the_room_and_what_was_written_lately(
    bursts: list[tuple[float, int]], room: int, at_hand: int
) -> None:
    clock = Hand()
    size, busiest = ClaimSize(MOST, clock), 0
    times: list[float] = []
    for pause, count in bursts:
        clock.at += pause
        for _ in range(count):
            size.written()
            times.append(clock.at)
    busiest = max((sum(t - AHEAD_SECONDS < x <= t for x in times) for t in set(times)), default=0)
    claimed = size.size(room, at_hand)
    assert 1 <= claimed <= MOST
    assert claimed == 1 or claimed + at_hand <= room + busiest + 1
