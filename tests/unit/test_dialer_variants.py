"""Which script version a number hears: fair, stable, and few numbers move. Pure."""

from math import sqrt

from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.variants import version_of, versions

NUMBERS = [f"+8490{number:07d}" for number in range(2000)]
weights = st.dictionaries(
    st.sampled_from(["vi-1", "vi-2", "vi-3", "vi-4"]), st.integers(1, 1000), min_size=1
)
campaigns = st.integers(1, 10**6)


def heard(variants: dict[str, int], campaign: int) -> dict[str, str]:
    return {number: version_of(variants, "vi-0", campaign, number) for number in NUMBERS}


def test_without_variants_all_hear_the_one_version() -> None:
    assert set(heard({}, 1).values()) == {"vi-0"}
    assert versions({}, "vi-0") == ("vi-0",)
    assert versions({"vi-2": 1, "vi-1": 9}, "vi-0") == ("vi-1", "vi-2")


def test_what_is_played_today_is_played_tomorrow() -> None:
    """The hash itself is a promise: another one would let numbers hear another version."""
    found = [version_of({"vi-1": 50, "vi-2": 50}, "vi-1", 7, number) for number in NUMBERS[:12]]
    assert [version[-1] for version in found] == list("111211211122")


def test_campaigns_split_the_same_numbers_apart_from_each_other() -> None:
    evenly = {"vi-1": 50, "vi-2": 50}
    one, other = heard(evenly, 1), heard(evenly, 2)
    alike = sum(one[number] == other[number] for number in NUMBERS)
    assert 0.4 < alike / len(NUMBERS) < 0.6


@settings(deadline=None, max_examples=60)
@given(weights, campaigns)
def test_shares_are_the_weights(variants: dict[str, int], campaign: int) -> None:
    found = list(heard(variants, campaign).values())
    for version, weight in variants.items():
        share = weight / sum(variants.values())
        spread = sqrt(share * (1 - share) / len(NUMBERS))
        assert abs(found.count(version) / len(NUMBERS) - share) <= 5 * spread + 1e-9


@settings(deadline=None, max_examples=60)
@given(weights, campaigns, st.data())
def test_one_other_weight_moves_numbers_to_it_or_from_it_only(
    variants: dict[str, int], campaign: int, data: st.DataObject
) -> None:
    version = data.draw(st.sampled_from(["vi-1", "vi-2", "vi-3", "vi-4"]))
    weight = data.draw(st.integers(0, 1000))
    later = {**variants, version: weight}
    if weight == 0:
        del later[version]
    if not later:
        return
    before, after = heard(variants, campaign), heard(later, campaign)
    moved = [number for number in NUMBERS if before[number] != after[number]]
    if weight > variants.get(version, 0):
        assert {after[number] for number in moved} <= {version}
    else:
        assert {before[number] for number in moved} <= {version}


@settings(deadline=None, max_examples=30)
@given(weights, campaigns, st.integers(2, 50))
def test_the_same_factor_for_all_moves_nobody(
    variants: dict[str, int], campaign: int, factor: int
) -> None:
    scaled = {version: weight * factor for version, weight in variants.items()}
    assert heard(variants, campaign) == heard(scaled, campaign)
