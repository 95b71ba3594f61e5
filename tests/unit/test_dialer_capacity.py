"""Rates and channel caps of all scopes together, from rows counted by the caller. Pure."""

from datetime import UTC, datetime
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.capacity import Capacity, InUse
from store.limits import Caps
from store.models import Campaign


class Hand:
    """A clock that only a hand moves."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def campaign(identity: int = 1, *, cps: float = 1000, max_channels: int = 1000) -> Campaign:
    made = Campaign(
        name=f"c{identity}",
        purpose="customer_care",
        script_version="vi-1",
        cps=cps,
        max_channels=max_channels,
        ring_timeout_seconds=30,
        max_attempts=4,
        retry={},
        windows=["08:00-17:00"],
        call_on_holidays=False,
        created_at=datetime(2021, 3, 26, tzinfo=UTC),
    )
    made.id = identity
    return made


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def capacity(clock: Hand) -> Capacity:
    return Capacity(Caps(cps=1000, max_channels=1000), clock)


def budget(
    capacity: Capacity, of: Campaign, clock: Hand, in_use: InUse | None = None, trunk: str = "north"
) -> int:
    """The budget with full buckets."""
    both(capacity, of, trunk, {})
    clock.at += 60
    return both(capacity, of, trunk, in_use or {})


def both(capacity: Capacity, of: Campaign, trunk: str, in_use: InUse) -> int:
    """What a campaign may start that is alone on the trunk."""
    return min(capacity.shared(trunk, in_use), capacity.own(of, trunk, in_use))


def test_open_attempts_of_every_campaign_and_trunk_count_against_the_server(
    capacity: Capacity, clock: Hand
) -> None:
    capacity.set_limits({"global": Caps(1000, 10)})
    in_use = {(1, "north"): 3, (2, "north"): 2, (2, "south"): 4}
    assert budget(capacity, campaign(1), clock, in_use) == 1


def test_open_attempts_of_other_trunks_do_not_count_against_a_trunk(
    capacity: Capacity, clock: Hand
) -> None:
    capacity.set_limits({"trunk:north": Caps(1000, 10)})
    in_use = {(1, "north"): 3, (2, "north"): 2, (2, "south"): 400}
    assert budget(capacity, campaign(1), clock, in_use) == 5


def test_open_attempts_of_other_campaigns_do_not_count_against_a_campaign(
    capacity: Capacity, clock: Hand
) -> None:
    in_use = {(1, "north"): 3, (1, "south"): 4, (2, "north"): 100}
    assert budget(capacity, campaign(1, max_channels=10), clock, in_use) == 3


def test_a_cap_lowered_below_what_is_in_use_gives_nothing(capacity: Capacity, clock: Hand) -> None:
    capacity.set_limits({"global": Caps(1000, 2)})
    assert budget(capacity, campaign(1), clock, {(1, "north"): 9}) == 0


def test_a_scope_closed_with_no_channels_gives_nothing(capacity: Capacity, clock: Hand) -> None:
    capacity.set_limits({"trunk:north": Caps(1000, 0)})
    assert budget(capacity, campaign(1), clock) == 0
    assert budget(capacity, campaign(1), clock, trunk="south") > 0


def test_a_scope_without_limits_in_the_store_has_the_settings(clock: Hand) -> None:
    capacity = Capacity(Caps(cps=1000, max_channels=7), clock)
    assert budget(capacity, campaign(1), clock) == 7
    capacity.set_limits({"global": Caps(1000, 9), "trunk:north": Caps(1000, 8)})
    assert budget(capacity, campaign(1), clock) == 8
    capacity.set_limits({})
    assert budget(capacity, campaign(1), clock) == 7


def calls_in(seconds: int, capacity: Capacity, clock: Hand, *rounds: tuple[Campaign, str]) -> int:
    """Calls started in that time at 20 ticks a second, each of which ends at once."""
    began, total = clock.at, 0
    for tick in range(1, seconds * 20 + 1):
        clock.at = began + tick / 20
        for of, trunk in rounds:
            count = both(capacity, of, trunk, {})
            capacity.take(of, trunk, count, {})
            total += count
    return total


@pytest.mark.parametrize(
    ("limits", "own_cps"),
    [
        ({"global": Caps(20, 100)}, 1000),
        ({"trunk:north": Caps(20, 100)}, 1000),
        ({}, 20),
    ],
    ids=["server", "trunk", "campaign"],
)
def test_the_rate_of_each_scope_holds(
    capacity: Capacity, clock: Hand, limits: dict[str, Caps], own_cps: float
) -> None:
    capacity.set_limits(limits)
    started = calls_in(60, capacity, clock, (campaign(1, cps=own_cps), "north"))
    assert started == pytest.approx(1200, rel=0.01)


def test_two_campaigns_share_the_rate_of_the_server(capacity: Capacity, clock: Hand) -> None:
    capacity.set_limits({"global": Caps(20, 100)})
    both = [(campaign(1), "north"), (campaign(2), "south")]
    assert calls_in(60, capacity, clock, *both) == pytest.approx(1200, rel=0.01)


def test_two_campaigns_each_have_their_own_rate(capacity: Capacity, clock: Hand) -> None:
    both = [(campaign(1, cps=20), "north"), (campaign(2, cps=40), "north")]
    assert calls_in(60, capacity, clock, *both) == pytest.approx(3600, rel=0.01)


def test_a_rate_tuned_in_the_store_holds_from_the_next_tick(
    capacity: Capacity, clock: Hand
) -> None:
    one = campaign(1, cps=100)
    assert calls_in(10, capacity, clock, (one, "north")) == pytest.approx(1000, rel=0.02)
    one.cps = 20
    assert calls_in(60, capacity, clock, (one, "north")) == pytest.approx(1200, rel=0.02)
    capacity.set_limits({"global": Caps(40, 1000)})
    one.cps = 1000
    assert calls_in(60, capacity, clock, (one, "north")) == pytest.approx(2400, rel=0.02)


def test_asking_for_tokens_or_a_budget_spends_nothing(capacity: Capacity, clock: Hand) -> None:
    of = campaign(1, cps=20, max_channels=5)
    capacity.tokens(of, "north")
    clock.at += 60
    first = capacity.tokens(of, "north")
    assert first > 0
    assert capacity.tokens(of, "north") == first
    assert both(capacity, of, "north", {}) == both(capacity, of, "north", {}) > 0


def test_calls_that_start_are_counted_before_the_next_campaign_asks(
    capacity: Capacity, clock: Hand
) -> None:
    capacity.set_limits({"global": Caps(1000, 10)})
    one, two = campaign(1), campaign(2)
    in_use: InUse = {}
    capacity.tokens(two, "north")
    assert budget(capacity, one, clock) == 10
    capacity.take(one, "north", 7, in_use)
    assert in_use == {(1, "north"): 7}
    assert both(capacity, two, "north", in_use) == 3
    capacity.take(two, "north", 3, in_use)
    capacity.take(two, "north", 0, in_use)
    assert in_use == {(1, "north"): 7, (2, "north"): 3}
    assert both(capacity, one, "north", in_use) == 0


def test_a_brake_slows_what_a_campaign_really_gets(capacity: Capacity, clock: Hand) -> None:
    """Half of a rate that the trunk never gives would slow nothing."""
    capacity.set_limits({"trunk:north": Caps(20, 1000)})
    capacity.set_brakes({1: 0.5, 2: 1.0}, {})
    assert calls_in(60, capacity, clock, (campaign(1), "north")) == pytest.approx(600, rel=0.02)
    assert calls_in(60, capacity, clock, (campaign(2), "north")) == pytest.approx(1200, rel=0.02)
    capacity.set_brakes({}, {"north": 0.25})
    assert calls_in(60, capacity, clock, (campaign(2), "north")) == pytest.approx(300, rel=0.02)


caps = st.builds(Caps, st.sampled_from([0.5, 3.0, 20.0, 500.0]), st.integers(0, 30))
some_campaigns = st.lists(
    st.tuples(st.sampled_from([0.5, 2.0, 30.0]), st.integers(1, 20), st.sampled_from([1.0, 0.25])),
    min_size=1,
    max_size=3,
)
ticks = st.lists(
    st.tuples(st.floats(0.01, 3), st.lists(st.integers(0, 8), max_size=3)), max_size=40
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["global", "trunk:north"]), caps), some_campaigns, ticks)
def test_whatever_ends_when_no_cap_and_no_rate_is_exceeded(
    limits: dict[str, Caps],
    knobs: list[tuple[float, int, float]],
    rounds: list[tuple[float, list[int]]],
) -> None:
    """Calls end as they like between the rounds; each campaign takes all that it is given."""
    clock = Hand()
    capacity = Capacity(Caps(1000, 1000), clock)
    capacity.set_limits(limits)
    capacity.set_brakes({n: factor for n, (_, _, factor) in enumerate(knobs)}, {})
    of = [campaign(n, cps=cps, max_channels=most) for n, (cps, most, _) in enumerate(knobs)]
    in_use: InUse = {}
    started: list[list[tuple[float, int]]] = [[] for _ in knobs]
    for pause, ended in rounds:
        clock.at += pause
        for n, count in enumerate(ended[: len(of)]):
            in_use[n, "north"] = max(0, in_use.get((n, "north"), 0) - count)
        for n, each in enumerate(of):
            count = max(0, both(capacity, each, "north", in_use))
            capacity.take(each, "north", count, in_use)
            started[n].append((clock.at, count))
            if count:
                assert in_use[n, "north"] <= each.max_channels
                for scope in limits.values():
                    assert sum(in_use.values()) <= scope.max_channels
    for n, (cps, _, factor) in enumerate(knobs):
        _assert_slower_than(started[n], cps * factor)
    for scope in limits.values():
        _assert_slower_than(sorted(chain.from_iterable(started)), scope.cps)


def _assert_slower_than(started: list[tuple[float, int]], rate: float) -> None:
    """In no stretch of time more calls than the rate allows, and one burst."""
    for first, (began, _) in enumerate(started):
        total = 0
        for at, count in started[first:]:
            total += count
            assert total <= rate * (at - began) + max(2, rate * 0.2) + 1e-6
