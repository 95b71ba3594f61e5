"""Token buckets and the budget of calls, with the clock in the test's hand. Pure."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.pacing import TokenBucket, budget

rates = st.floats(min_value=0.05, max_value=200, allow_nan=False)
ticks = st.floats(min_value=0.001, max_value=0.1, allow_nan=False)


class Hand:
    """A clock that only a hand moves."""

    def __init__(self, at: float = 0.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def spend(bucket: TokenBucket) -> int:
    count = bucket.available()
    bucket.take(count)
    return count


def calls_in(seconds: float, bucket: TokenBucket, clock: Hand, tick: float) -> int:
    """Ticks as the engine does, taking all that is offered; clock times are not accumulated."""
    began = clock.at
    total = 0
    for number in range(1, round(seconds / tick) + 1):
        clock.at = began + number * tick
        total += spend(bucket)
    return total


def test_a_new_bucket_offers_nothing_at_once_and_one_call_after_its_interval() -> None:
    clock = Hand(1000.0)
    bucket = TokenBucket(2, clock)
    assert spend(bucket) == 0
    clock.at += 0.49
    assert spend(bucket) == 0
    clock.at += 0.02
    assert spend(bucket) == 1
    assert spend(bucket) == 0


def test_asking_spends_nothing() -> None:
    clock = Hand()
    bucket = TokenBucket(1, clock)
    clock.at = 1.0
    assert [bucket.available() for _ in range(5)] == [1] * 5


@pytest.mark.parametrize("tick", [0.02, 0.023, 0.05, 0.053, 0.07, 0.1])
def test_the_long_run_rate_is_the_one_set(tick: float) -> None:
    """Within 1 %, whatever the rhythm of the ticks: 0.05 s is the default, work comes on top."""
    for rate in (1, 3, 5, 7, 9, 10, 11, 15, 20, 50):
        clock = Hand()
        bucket = TokenBucket(rate, clock)
        seconds = 200 / rate
        started = calls_in(seconds, bucket, clock, tick)
        assert started == pytest.approx(rate * seconds, rel=0.01), f"{rate} calls a second"


@settings(max_examples=40)
@given(rate=rates, tick=ticks)
def test_it_never_lets_more_pass_than_the_rate(rate: float, tick: float) -> None:
    clock = Hand()
    bucket = TokenBucket(rate, clock)
    seconds = tick * 500
    assert calls_in(seconds, bucket, clock, tick) <= rate * seconds + 1


@given(rate=rates, stall=st.floats(min_value=0, max_value=1e6))
def test_a_stall_is_not_made_up_by_a_flood(rate: float, stall: float) -> None:
    """After any pause no more than a fifth of a second's calls (or two) go at once."""
    clock = Hand()
    bucket = TokenBucket(rate, clock)
    clock.at = stall
    assert spend(bucket) <= max(2, rate * 0.2)


@given(rate=rates, pauses=st.lists(st.floats(min_value=0, max_value=3600), max_size=30))
def test_no_window_of_time_has_more_than_its_rate_and_one_burst(
    rate: float, pauses: list[float]
) -> None:
    clock = Hand()
    bucket = TokenBucket(rate, clock)
    burst = max(2, rate * 0.2)
    taken: list[tuple[float, int]] = []
    for pause in pauses:
        clock.at += pause
        taken.append((clock.at, spend(bucket)))
    for first, (began, _) in enumerate(taken):
        for last in range(first, len(taken)):
            seconds = taken[last][0] - began
            passed = sum(count for _, count in taken[first : last + 1])
            assert passed <= rate * seconds + burst + 1e-6


def test_a_rate_that_is_raised_holds_from_then_on() -> None:
    clock = Hand()
    bucket = TokenBucket(1, clock)
    assert calls_in(10, bucket, clock, 0.05) == pytest.approx(10, abs=1)
    bucket.rate = 50
    assert calls_in(10, bucket, clock, 0.05) == pytest.approx(500, abs=5)


def test_a_rate_that_is_lowered_holds_from_then_on() -> None:
    clock = Hand()
    bucket = TokenBucket(50, clock)
    calls_in(10, bucket, clock, 0.05)
    bucket.rate = 1
    assert calls_in(10, bucket, clock, 0.05) == pytest.approx(10, abs=2)


def test_a_lowered_rate_takes_the_saved_burst_away() -> None:
    clock = Hand()
    bucket = TokenBucket(1000, clock)
    clock.at = 60.0
    assert bucket.available() > 2
    bucket.rate = 1
    assert bucket.available() <= 2


def test_the_tightest_scope_decides() -> None:
    clock = Hand()
    fast, slow = TokenBucket(1000, clock), TokenBucket(10, clock)
    clock.at = 0.1
    assert budget([fast, slow], [50, 60]) == 1
    assert budget([fast], [50, 7]) == 7
    assert budget([fast], [0, 50]) == 0


def test_more_channels_in_use_than_allowed_is_none_free_and_no_debt() -> None:
    clock = Hand()
    bucket = TokenBucket(1000, clock)
    clock.at = 1.0
    assert budget([bucket], [-3, 50]) == 0
