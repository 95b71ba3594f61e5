"""When a number is dialled again, by disposition. Pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.retry import (
    DEFAULT_RULES,
    RetryRule,
    RetryRules,
    next_dial,
    rules_from_row,
    rules_to_row,
)
from domain.dispositions import Disposition

ENDED = datetime(2021, 4, 1, 3, 0, 27, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

limits = st.builds(
    RetryRule,
    max=st.integers(0, 20),
    delay_seconds=st.floats(1, 30 * 24 * 3600),
    factor=st.floats(1, 10),
)
any_rules = st.dictionaries(st.sampled_from(list(Disposition)), limits)


def again(
    rules: RetryRules,
    disposition: Disposition,
    *,
    alike: int = 1,
    attempts_made: int | None = None,
    max_attempts: int = 100,
) -> timedelta | None:
    """How long after its end the number may be dialled again."""
    at = next_dial(
        rules,
        disposition,
        ended_at=ENDED,
        alike=alike,
        attempts_made=alike if attempts_made is None else attempts_made,
        max_attempts=max_attempts,
    )
    return None if at is None else at - ENDED


@pytest.mark.parametrize("alike", [1, 2, 3])
def test_a_fixed_delay_is_always_the_same(alike: int) -> None:
    rules = {Disposition.BUSY: RetryRule(max=3, delay_seconds=900)}
    assert again(rules, Disposition.BUSY, alike=alike) == 15 * MINUTE


@pytest.mark.parametrize(("alike", "delay"), [(1, HOUR), (2, 2 * HOUR), (3, 4 * HOUR)])
def test_a_multiplied_delay_grows_with_each_retry(alike: int, delay: timedelta) -> None:
    rules = {Disposition.NO_ANSWER: RetryRule(max=3, delay_seconds=3600, factor=2)}
    assert again(rules, Disposition.NO_ANSWER, alike=alike) == delay


@pytest.mark.parametrize(("alike", "dialled_again"), [(1, True), (2, True), (3, False), (9, False)])
def test_max_is_the_number_of_retries_not_of_dials(alike: int, dialled_again: bool) -> None:
    rules = {Disposition.BUSY: RetryRule(max=2, delay_seconds=60)}
    assert (again(rules, Disposition.BUSY, alike=alike) is not None) is dialled_again


def test_no_retry_at_all_may_be_set() -> None:
    assert again({Disposition.BUSY: RetryRule(max=0, delay_seconds=60)}, Disposition.BUSY) is None


@pytest.mark.parametrize(("made", "dialled_again"), [(3, True), (4, False), (5, False)])
def test_the_hard_cap_counts_dials_of_all_dispositions(made: int, dialled_again: bool) -> None:
    delay = again(DEFAULT_RULES, Disposition.BUSY, alike=1, attempts_made=made, max_attempts=4)
    assert (delay is not None) is dialled_again


@pytest.mark.parametrize(
    "disposition",
    [Disposition.ANSWERED, Disposition.REJECTED, Disposition.INVALID_NUMBER],
)
def test_these_end_a_target_by_default(disposition: Disposition) -> None:
    assert again(DEFAULT_RULES, disposition) is None


@pytest.mark.parametrize(
    "disposition",
    [
        *(Disposition.NO_ANSWER, Disposition.BUSY, Disposition.UNREACHABLE),
        *(Disposition.CONGESTION, Disposition.UNKNOWN, Disposition.UNEXPECTED_CAUSE),
    ],
)
def test_these_are_dialled_again_by_default_but_not_at_once(disposition: Disposition) -> None:
    delay = again(DEFAULT_RULES, disposition)
    assert delay is not None
    assert delay >= 5 * MINUTE


def test_what_is_unknown_may_have_been_a_whole_call_so_hours_pass() -> None:
    delay = again(DEFAULT_RULES, Disposition.UNKNOWN)
    assert delay is not None
    assert delay >= HOUR


@settings(max_examples=30)
@given(any_rules, st.integers(0, 40), st.integers(0, 40))
def test_what_was_never_sent_is_dialled_soon_whatever_rules_and_caps_say(
    rules: RetryRules, alike: int, made: int
) -> None:
    delay = again(rules, Disposition.NOT_DIALLED, alike=alike, attempts_made=made, max_attempts=1)
    assert delay is not None
    assert timedelta() < delay <= 2 * MINUTE


@given(
    any_rules,
    st.sampled_from([d for d in Disposition if d is not Disposition.NOT_DIALLED]),
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_every_retry_has_a_rule_keeps_the_caps_and_comes_after_the_end(
    rules: RetryRules, disposition: Disposition, alike: int, made: int, cap: int
) -> None:
    delay = again(rules, disposition, alike=alike, attempts_made=made, max_attempts=cap)
    rule = rules.get(disposition)
    assert (delay is not None) is (rule is not None and alike <= rule.max and made < cap)
    if delay is not None and rule is not None:
        shortest = timedelta(seconds=min(rule.delay_seconds, 30 * 24 * 3600))
        assert shortest <= delay <= timedelta(days=30)


@given(limits, st.integers(1, 19))
def test_a_later_retry_never_waits_less(rule: RetryRule, alike: int) -> None:
    rules = {Disposition.BUSY: RetryRule(20, rule.delay_seconds, rule.factor)}
    sooner = again(rules, Disposition.BUSY, alike=alike)
    later = again(rules, Disposition.BUSY, alike=alike + 1)
    assert sooner is not None
    assert later is not None
    assert later >= sooner


@settings(max_examples=30)
@given(any_rules)
def test_rules_survive_the_row_that_keeps_them(rules: RetryRules) -> None:
    assert rules_from_row(rules_to_row(rules)) == rules


def test_a_row_that_leaves_the_factor_out_means_a_fixed_delay() -> None:
    rules = rules_from_row({"busy": {"max": 3, "delay_seconds": 60}})
    assert rules[Disposition.BUSY] == RetryRule(max=3, delay_seconds=60, factor=1)
