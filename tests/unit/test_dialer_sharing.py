"""Who gets the next call: priority first, equals by their cps, and nobody starves. Pure."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.sharing import FRONT_CALLS, Pick, Sharing, Want

PLENTY = 10_000


def want(identity: int, priority: int = 5, weight: float = 10, most: int = PLENTY) -> Want:
    return Want(identity, priority, weight, most)


def served(sharing: Sharing, calls: int, wants: list[Want], at_once: int = 1) -> Counter[int]:
    """Who gets how many of so many calls, a few each round."""
    total: Counter[int] = Counter()
    for _ in range(calls // at_once):
        picks = sharing.plan(at_once, wants)
        counts = Counter(pick.id for pick in picks)
        sharing.charge(picks, counts)
        total += counts
    return total


@pytest.mark.parametrize("at_once", [1, 3, 50])
@pytest.mark.parametrize(
    ("wants", "shares"),
    [
        ([want(1)], {1: 1.0}),
        ([want(1), want(2)], {1: 0.5, 2: 0.5}),
        ([want(1, weight=20), want(2, weight=10)], {1: 2 / 3, 2: 1 / 3}),
        ([want(1, 5), want(2, 6)], {1: 0.1, 2: 0.9}),
        ([want(1, 9), want(2, 1)], {1: 0.9, 2: 0.1}),
        ([want(1, 9), want(2, 4), want(3, 1)], {1: 0.9, 2: 0.08, 3: 0.02}),
        ([want(1, 9, 30), want(2, 9, 10), want(3, 1)], {1: 0.675, 2: 0.225, 3: 0.1}),
    ],
)
def test_the_rule(wants: list[Want], shares: dict[int, float], at_once: int) -> None:
    got = served(Sharing(), 3000, wants, at_once)
    assert {identity: got[identity] / got.total() for identity in shares} == pytest.approx(
        shares, abs=0.01
    )


def test_what_the_first_cannot_use_goes_to_the_next_at_once() -> None:
    picks = Sharing().plan(10, [want(1, 9, most=2), want(2, 5, most=3), want(3, 1)])
    assert Counter(pick.id for pick in picks) == {1: 2, 2: 3, 3: 5}


def test_nothing_is_saved_up_by_one_who_did_not_want() -> None:
    sharing = Sharing()
    served(sharing, 500, [want(1)])
    both = served(sharing, 20, [want(1), want(2)])
    assert both == {1: 10, 2: 10}


def test_what_was_planned_and_not_taken_is_not_charged() -> None:
    sharing, both = Sharing(), [want(1, 9), want(2, 1)]
    for _ in range(FRONT_CALLS):
        sharing.charge(sharing.plan(1, both), {})
    assert [pick.id for pick in sharing.plan(FRONT_CALLS + 1, both)] == [1] * FRONT_CALLS + [2]


WANTS = st.lists(
    st.builds(
        Want,
        id=st.integers(1, 6),
        priority=st.integers(1, 9),
        weight=st.floats(0.01, 1000),
        most=st.integers(0, 60),
    ),
    max_size=6,
    unique_by=lambda want: want.id,
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), WANTS), max_size=12))
def test_calls_are_given_while_anybody_wants_one_and_to_nobody_more_than_he_wants(
    rounds: list[tuple[int, list[Want]]],
) -> None:
    sharing, again = Sharing(), Sharing()
    for calls, wants in rounds:
        picks = sharing.plan(calls, wants)
        got = Counter(pick.id for pick in picks)
        assert len(picks) == min(calls, sum(want.most for want in wants))
        assert all(got[want.id] <= want.most for want in wants)
        assert picks == again.plan(calls, wants)  # deterministic
        sharing.charge(picks, got)
        again.charge(picks, got)


@settings(max_examples=40, deadline=None)
@given(WANTS.filter(lambda wants: len(wants) > 1), st.integers(1, 20))
def test_the_highest_get_nine_of_ten_and_no_one_starves(wants: list[Want], at_once: int) -> None:
    hungry = [Want(w.id, w.priority, max(1.0, w.weight), PLENTY) for w in wants]
    highest = max(want.priority for want in hungry)
    front = {want.id for want in hungry if want.priority == highest}
    behind = [want for want in hungry if want.id not in front]
    got = served(Sharing(), 2000, hungry, at_once)
    if behind:
        in_front = sum(got[identity] for identity in front)
        assert in_front / got.total() == pytest.approx(0.9, abs=0.01)
    weights = sum(want.weight * want.priority for want in behind)
    for each in behind:
        part = 0.1 * each.weight * each.priority / weights
        assert got[each.id] >= int(got.total() * part) - 1 - len(behind)


def test_in_any_ten_calls_one_goes_behind() -> None:
    sharing = Sharing()
    order: list[Pick] = []
    for _ in range(40):
        picks = sharing.plan(1, [want(1, 9), want(2, 1)])
        sharing.charge(picks, {picks[0].id: 1})
        order += picks
    behind = [n for n, pick in enumerate(order) if pick.id == 2]
    assert [after - before for before, after in pairwise(behind)] == [FRONT_CALLS + 1] * 3
