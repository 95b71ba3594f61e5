"""When a brake is drawn and let go: at once down, slowly up, without flapping, never for good."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.brakes import (
    FACTORS,
    LOWEST,
    BreakerRule,
    QueueLoad,
    Standing,
    breaker,
    is_refusal,
    moved,
    promise_wanted,
    queue_wanted,
    step_at_most,
)
from domain.dispositions import Disposition

NOW = datetime(2021, 4, 1, 3, 0, tzinfo=UTC)
HOLD = timedelta(seconds=60)
TICK = timedelta(seconds=5)
RULE = BreakerRule(calls=10, share=0.5, probes=3, pause=timedelta(seconds=30))
STEPS = st.sampled_from(FACTORS)


def ticks(before: Standing, wanted: list[float]) -> list[float]:
    """The factor after each tick."""
    factors, standing = [], before
    for number, step in enumerate(wanted, start=1):
        at = NOW + number * TICK
        factor = moved(standing, step, at, HOLD)
        if factor != standing.factor:
            standing = Standing(factor, at)
        factors.append(standing.factor)
    return factors


@given(STEPS, STEPS)
def test_constant_input_moves_one_way_and_stays(begun: float, wanted: float) -> None:
    factors = ticks(Standing(begun, NOW), [wanted] * 100)
    assert factors == sorted(factors, reverse=wanted <= begun)
    assert factors[-1] == wanted


@given(STEPS, st.lists(STEPS, max_size=30))
def test_it_always_opens_again(begun: float, history: list[float]) -> None:
    needed = int(len(FACTORS) * HOLD / TICK)
    assert ticks(Standing(begun, NOW), [*history, *[1.0] * needed])[-1] == 1.0


@given(st.lists(STEPS, min_size=2, max_size=120))
def test_it_goes_down_at_once_and_up_no_sooner_than_it_was_held(wanted: list[float]) -> None:
    factors = ticks(Standing(1.0, NOW - HOLD), wanted)
    changed_at, before = -1000, 1.0
    for at, (step, factor) in enumerate(zip(wanted, factors, strict=True)):
        assert factor <= max(before, step)
        if step <= before:
            assert factor == step
        elif factor > before:
            assert factor == min(step, before * 2)
            assert at - changed_at >= HOLD / TICK
        if factor != before:
            changed_at, before = at, factor


@given(st.floats(0, 2))
def test_a_step_is_the_fastest_that_the_ratio_allows(ratio: float) -> None:
    step = step_at_most(ratio)
    assert step in FACTORS
    assert step <= max(ratio, LOWEST)
    assert step == 1.0 or step * 2 > ratio


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 50))
def test_more_late_call_backs_never_let_it_dial_faster(
    slope: float, more: float, tolerated: float
) -> None:
    few = promise_wanted(lambda factor: slope * factor, tolerated)
    many = promise_wanted(lambda factor: (slope + more) * factor, tolerated)
    assert many <= few
    assert few == LOWEST or slope * few <= tolerated


def load(
    *, waiting: int = 0, free: int = 4, busy: int = 0, expected: float = 0.0, talk: float = 120
) -> QueueLoad:
    return QueueLoad(waiting, free, busy, expected, talk, tolerable_seconds=30)


SETTLED = NOW - HOLD


@pytest.mark.parametrize(
    ("before", "of", "wanted"),
    [
        (1.0, load(), 1.0),
        (1.0, load(expected=4), 1.0),
        (1.0, load(expected=4.1), 0.5),
        (1.0, load(expected=8), 0.5),
        (1.0, load(waiting=3, expected=4), 0.25),
        (1.0, load(waiting=5), LOWEST),
        (1.0, load(free=0, busy=8, expected=2), 1.0),  # eight talks of 120 s: two end within 30 s
        (1.0, load(free=0, busy=8, expected=4), 0.5),
        (0.5, load(expected=5), 0.25),  # settled: what is on its way is that of half the rate
        (0.5, load(expected=3), 0.5),  # twice as many would not find room
        (0.5, load(expected=2), 1.0),
        (0.25, load(), 0.5),
    ],
)
def test_the_queue(before: float, of: QueueLoad, wanted: float) -> None:
    assert queue_wanted(Standing(before, SETTLED), of, NOW, HOLD) == wanted


def test_calls_begun_before_the_brake_draw_it_no_further() -> None:
    fresh = Standing(0.5, NOW - TICK)
    assert queue_wanted(fresh, load(expected=8), NOW, HOLD) == 0.5
    assert queue_wanted(Standing(0.5, SETTLED), load(expected=8), NOW, HOLD) == 0.25


LOADS = st.builds(
    load,
    waiting=st.integers(0, 20),
    free=st.integers(0, 20),
    busy=st.integers(0, 20),
    expected=st.floats(0, 100),
)


@given(LOADS, STEPS, st.integers(1, 20), st.floats(0.1, 50))
def test_more_who_wait_or_will_press_3_never_let_it_dial_faster(
    of: QueueLoad, begun: float, waiting: int, expected: float
) -> None:
    before = Standing(begun, SETTLED)
    more_wait = QueueLoad(
        of.waiting + waiting, of.free_agents, of.busy_agents, of.expected, 120, 30
    )
    more_come = QueueLoad(
        of.waiting, of.free_agents, of.busy_agents, of.expected + expected, 120, 30
    )
    wanted = queue_wanted(before, of, NOW, HOLD)
    assert queue_wanted(before, more_wait, NOW, HOLD) <= wanted
    assert queue_wanted(before, more_come, NOW, HOLD) <= wanted


@settings(deadline=None)
@given(LOADS, STEPS)
def test_a_constant_queue_does_not_make_it_flap(of: QueueLoad, begun: float) -> None:
    standing, factors = Standing(begun, NOW), [begun]
    for number in range(1, 200):
        at = NOW + number * TICK
        factor = moved(standing, queue_wanted(standing, of, at, HOLD), at, HOLD)
        if factor != standing.factor:
            standing = Standing(factor, at)
            factors.append(factor)
    assert factors in (sorted(factors), sorted(factors, reverse=True))


@settings(deadline=None)
@given(LOADS, st.integers(4, 30))
def test_a_queue_that_follows_the_rate_finds_its_step(of: QueueLoad, lag: int) -> None:
    """The calls in the air follow the factor after a while: it settles all the same."""
    if of.room <= 0:
        return
    hold, standing, past, changes = lag * TICK, Standing(1.0, NOW), [1.0] * lag, [0]
    for number in range(1, 40 * lag):
        at = NOW + number * TICK
        past.append(standing.factor)
        now = load(
            waiting=of.waiting,
            free=of.free_agents,
            busy=of.busy_agents,
            expected=of.expected * past[-lag],
        )
        factor = moved(standing, queue_wanted(standing, now, at, hold), at, hold)
        if factor != standing.factor:
            standing = Standing(factor, at)
            changes.append(number)
    assert changes[-1] < 30 * lag
    assert standing.factor == LOWEST or of.expected * standing.factor <= of.room + 1e-9


def test_a_breaker_opens_probes_and_closes() -> None:
    shut = Standing(1.0, NOW - timedelta(days=1))
    assert breaker(shut, [True] * 9, RULE, NOW) == shut
    assert breaker(shut, [True] * 4 + [False] * 6, RULE, NOW) == shut
    opened = breaker(shut, [True] * 5 + [False] * 5, RULE, NOW)
    assert opened == Standing(0.0, NOW, NOW + RULE.pause, 1)
    later = NOW + RULE.pause
    assert breaker(opened, [False] * 3, RULE, later - TICK) == opened
    assert breaker(opened, [False] * 2, RULE, later) == opened
    closed = breaker(opened, [False, True, False], RULE, later)
    assert (closed.factor, closed.since, closed.until) == (1.0, later, None)


def test_its_pause_grows_up_to_ten_minutes_and_is_short_again_after_an_hour() -> None:
    standing, at, pauses = Standing(1.0, NOW - timedelta(days=1)), NOW, []
    for _ in range(8):
        standing = breaker(standing, [True] * 10, RULE, at)
        assert standing.until is not None
        pauses.append((standing.until - at).total_seconds())
        at = standing.until
    assert pauses == [30, 60, 120, 240, 480, 600, 600, 600]
    closed = breaker(standing, [False] * 3, RULE, at)
    again = breaker(closed, [True] * 10, RULE, at + timedelta(minutes=5))
    assert again.trips == 9
    much_later = breaker(closed, [True] * 10, RULE, at + timedelta(minutes=61))
    assert much_later.until == at + timedelta(minutes=61) + RULE.pause


@given(st.lists(st.lists(st.booleans(), max_size=10), max_size=40))
def test_a_breaker_always_closes_again_once_calls_go_through(rounds: list[list[bool]]) -> None:
    standing, at = Standing(1.0, NOW), NOW
    for refusals in rounds:
        at += TICK
        standing = breaker(standing, refusals, RULE, at)
    at = max(at, standing.until or at)
    assert breaker(standing, [False] * RULE.probes, RULE, at).factor == 1.0


def test_which_ends_speak_against_the_trunk() -> None:
    told = {word: is_refusal(word) for word in Disposition}
    against = {word for word, refusal in told.items() if refusal}
    assert against == {Disposition.CONGESTION, Disposition.UNEXPECTED_CAUSE}
    nothing = {word for word, refusal in told.items() if refusal is None}
    assert nothing == {Disposition.NOT_DIALLED, Disposition.UNKNOWN}
