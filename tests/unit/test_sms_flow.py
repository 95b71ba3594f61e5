"""Window and rate of one bind, with the clock in the test's hand. Pure."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pacing import TokenBucket
from sms.flow import Flow
from tests.texting import Hand

OK, THROTTLED, QUEUE_FULL, PERMANENT = 0x00, 0x58, 0x14, 0x0B


def spend(flow: Flow, outstanding: int = 0) -> int:
    count = flow.room(outstanding)
    for _ in range(count):
        flow.take()
    return count


def sent_in(seconds: float, flow: Flow, clock: Hand) -> int:
    """How many leave when each is answered at once and every offer is taken."""
    began, total = clock.at, 0
    for tick in range(1, round(seconds * 100) + 1):
        clock.at = began + tick / 100
        total += spend(flow)
    return total


def test_the_window_alone() -> None:
    flow = Flow(10, None, Hand())
    assert [flow.room(outstanding) for outstanding in (0, 3, 10, 12)] == [10, 7, 0, 0]
    assert flow.wait_seconds(10) is None
    assert flow.trouble is None


def test_the_rate_counts_pdus() -> None:
    clock = Hand()
    flow = Flow(100, 20.0, clock)
    assert sent_in(10, flow, clock) == pytest.approx(200, abs=2)


def test_a_slow_rate_is_kept_by_whoever_waits_as_told() -> None:
    clock = Hand()
    flow = Flow(10, 1.0, clock)
    began, total = clock.at, 0
    while clock.at < began + 60:
        if not spend(flow):
            waits = flow.wait_seconds(0)
            assert waits is not None
            clock.at += waits
        else:
            total += 1
    assert total == pytest.approx(60, abs=1)


def test_an_account_may_be_stopped_and_let_go() -> None:
    clock = Hand()
    account = TokenBucket(0.0, clock)
    flow = Flow(10, None, clock, account)
    clock.at += 10
    assert flow.room(0) == 0
    assert flow.wait_seconds(0) == 0.05
    account.rate = 1000.0
    clock.at += 0.1
    assert flow.room(0) == 10
    assert flow.wait_seconds(0) == 0.005


def test_the_binds_of_an_account_share_a_bucket() -> None:
    clock = Hand()
    account = TokenBucket(30.0, clock)
    flows = [Flow(100, 20.0, clock, account) for _ in range(2)]
    began, totals = clock.at, [0, 0]
    for tick in range(1, 1001):
        clock.at = began + tick / 100
        for place in (tick % 2, 1 - tick % 2):
            totals[place] += spend(flows[place])
    assert sum(totals) == pytest.approx(300, abs=3)
    assert max(totals) <= 202


def test_throttled_pauses_once_for_all_that_was_on_its_way() -> None:
    clock = Hand()
    flow = Flow(10, None, clock)
    assert flow.answered(THROTTLED, 9)
    assert not any(flow.answered(THROTTLED, left) for left in range(8, -1, -1))
    assert flow.room(0) == 0
    assert flow.wait_seconds(0) == pytest.approx(1.0)
    assert flow.trouble == "the SMSC throttles us: paused for 1.0 s"
    clock.at += 1.01
    assert flow.trouble == "the SMSC throttled us: 1.0 a second, slowly more"
    assert flow.room(0) == 0
    clock.at += 1.0
    assert flow.room(0) == 1
    assert not flow.answered(QUEUE_FULL, 0)
    assert flow.trouble == (
        "the SMSC throttled us: 1.1 a second, slowly more; the SMSC is busy: window 5 of 10"
    )


def test_throttled_again_and_again_doubles_the_pause_up_to_thirty_seconds() -> None:
    clock = Hand()
    flow = Flow(10, None, clock)
    pauses = []
    for _ in range(7):
        assert flow.answered(THROTTLED, 0)
        pause = flow.wait_seconds(0)
        assert pause is not None
        pauses.append(round(pause, 3))
        clock.at += pause + 0.1
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    clock.at += 31  # as long in peace as the pause was
    assert flow.answered(THROTTLED, 0)
    assert flow.wait_seconds(0) == pytest.approx(1.0)


def talk(seconds: float, flow: Flow, clock: Hand, status: Callable[[], int]) -> int:
    """How many an SMSC takes that answers at once, where every offer is taken."""
    began, taken = clock.at, 0
    for tick in range(1, round(seconds * 100) + 1):
        clock.at = began + tick / 100
        for _ in range(spend(flow)):
            said = status()
            taken += said == OK
            flow.answered(said, 0)
    return taken


@pytest.mark.parametrize("seconds", [1, 5, 60, 600])
@pytest.mark.parametrize("rate", [None, 100.0])
def test_however_long_it_was_throttled_a_bind_is_soon_back_at_its_speed(
    rate: float | None, seconds: int
) -> None:
    clock = Hand()
    flow = Flow(1 if rate is None else 100, rate, clock)
    talk(5, flow, clock, lambda: OK)  # 100/s
    talk(seconds, flow, clock, lambda: THROTTLED)
    clock.at += flow.wait_seconds(0) or 0.0  # the rest of the last pause
    assert talk(10, flow, clock, lambda: OK) > 10 * 100 / 8
    talk(20, flow, clock, lambda: OK)
    assert talk(1, flow, clock, lambda: OK) > 95


def test_what_was_taken_before_a_pause_says_nothing_of_the_speed_after_it() -> None:
    clock = Hand()
    flow = Flow(100, 100.0, clock)
    talk(5, flow, clock, lambda: OK)
    for _ in range(2):
        talk(0.05, flow, clock, lambda: THROTTLED)
        assert not flow.answered(OK, 0)  # was on its way
        clock.at += flow.wait_seconds(0) or 0.0
    assert talk(1, flow, clock, lambda: OK) > 20


def test_a_bind_that_had_little_to_send_is_not_slow_for_long() -> None:
    """What it sent then says little of what the SMSC can take."""
    clock = Hand()
    flow = Flow(100, 100.0, clock)
    clock.at += 60
    flow.take()
    assert flow.answered(THROTTLED, 0)
    talk(75, flow, clock, lambda: OK)
    assert talk(1, flow, clock, lambda: OK) > 95


@pytest.mark.parametrize("rate", [None, 100.0])
def test_after_a_pause_it_goes_at_half_speed_and_slowly_faster(rate: float | None) -> None:
    clock = Hand()
    flow = Flow(1 if rate is None else 100, rate, clock)
    assert sent_in(5, flow, clock) == pytest.approx(500, rel=0.02)  # 100/s
    flow.answered(THROTTLED, 0)
    clock.at += 1.0
    speeds = [sent_in(1, flow, clock) for _ in range(12)]
    assert speeds[0] == pytest.approx(52, abs=4)
    assert speeds[5] == pytest.approx(73, abs=4)
    assert speeds[11] == pytest.approx(100, abs=4)
    assert (flow.trouble is None) == (rate is not None)


@pytest.mark.parametrize("peace", [45.0, 1e6])
def test_a_bind_without_a_rate_has_none_again_after_peace(peace: float) -> None:
    clock = Hand()
    flow = Flow(50, None, clock)
    flow.answered(THROTTLED, 0)
    clock.at += 1.0
    assert flow.room(0) == 0
    clock.at += peace
    assert [spend(flow) for _ in range(3)] == [50, 50, 50]


@pytest.mark.parametrize("before", [0, 5], ids=["from the start", "after better times"])
def test_a_throttling_smsc_gets_most_of_what_it_would_take(before: int) -> None:
    """It takes 20 a second, we have no rate set: no storm of refusals, and no long silence."""
    clock = Hand()
    flow = Flow(10, None, clock)
    talk(before, flow, clock, lambda: OK)  # 1000/s
    smsc = TokenBucket(20.0, clock)
    refused = 0

    def status() -> int:
        nonlocal refused
        if smsc.available() > 0:
            smsc.take(1)
            return OK
        refused += 1
        return THROTTLED

    accepted = talk(300, flow, clock, status)
    assert accepted > 0.6 * 20 * 300
    assert refused < 0.1 * accepted


def test_a_full_queue_halves_the_window_once_a_flight_and_successes_widen_it() -> None:
    flow = Flow(16, None, Hand())
    for left in range(15, -1, -1):  # 16 on their way, all refused
        assert not flow.answered(QUEUE_FULL, left)
    assert flow.window == 8
    assert flow.trouble == "the SMSC is busy: window 8 of 16"
    flow.answered(QUEUE_FULL, 0)
    assert flow.window == 4
    for _ in range(4):
        flow.answered(OK, 0)
    assert flow.window == 5
    for _ in range(1000):
        flow.answered(OK, 0)
    assert flow.window == 16


def test_a_full_queue_for_one_at_a_time_is_a_pause() -> None:
    clock = Hand()
    flow = Flow(2, None, clock)
    assert not flow.answered(QUEUE_FULL, 0)
    assert flow.window == 1
    assert flow.answered(QUEUE_FULL, 0)
    assert flow.room(0) == 0
    clock.at += 1.01
    assert flow.room(0) == 0
    clock.at += 1.0
    assert flow.room(0) == 1


def test_unanswered_submits_halve_the_window_once_a_flight() -> None:
    flow = Flow(16, None, Hand())
    for left in range(15, -1, -1):
        flow.unanswered(left)
    assert flow.window == 8


def test_other_refusals_change_nothing() -> None:
    flow = Flow(16, None, Hand())
    assert not flow.answered(PERMANENT, 3)
    assert flow.room(0) == 16


def test_a_new_connection_begins_anew() -> None:
    clock = Hand()
    flow = Flow(16, None, clock)
    flow.answered(QUEUE_FULL, 0)
    flow.answered(THROTTLED, 0)
    flow.reset()
    assert flow.room(0) == 16
    assert flow.trouble is None
    assert flow.answered(THROTTLED, 0)
    assert flow.wait_seconds(0) == pytest.approx(1.0)


@given(
    st.integers(1, 200),
    st.sampled_from([None, 0.5, 20.0, 2000.0]),
    st.lists(st.tuples(st.sampled_from([OK, THROTTLED, QUEUE_FULL, PERMANENT, None]),
                       st.floats(0, 5)), max_size=60),
)  # fmt: skip
def test_whatever_the_smsc_says_the_window_holds_and_room_comes_back(
    window: int, rate: float | None, answers: list[tuple[int | None, float]]
) -> None:
    clock = Hand()
    flow = Flow(window, rate, clock)
    outstanding = 0
    for status, passes in answers:
        outstanding += spend(flow, outstanding)
        assert outstanding <= window
        if outstanding:
            outstanding -= 1
            if status is None:
                flow.unanswered(outstanding)
            else:
                flow.answered(status, outstanding)
        assert 1 <= flow.window <= window
        clock.at += passes
    for _ in range(100):
        if flow.room(0):
            return
        waits = flow.wait_seconds(0)
        assert waits is not None
        assert 0 < waits <= 30
        clock.at += waits
    raise AssertionError("no room ever")
