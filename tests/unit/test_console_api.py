"""The API's pure parts: guesses by address, and the knobs it knows."""

from datetime import timedelta

from console.api.guesses import _MOST_ADDRESSES, MOST_WRONG, WITHIN, Guesses
from console.api.schema import NewCampaign, RetryRule, RetryWord
from dialer import campaign_file
from tests.rows import NOW


def test_an_address_is_locked_after_many_wrong_tokens_for_a_while() -> None:
    guesses = Guesses()
    for place in range(MOST_WRONG):
        assert not guesses.is_locked("a", "x", NOW), place
        guesses.wrong("a", "x", NOW)
    assert guesses.is_locked("a", "y", NOW)
    assert not guesses.is_locked("b", "y", NOW)
    assert guesses.is_locked("a", "y", NOW + WITHIN - timedelta(seconds=1))
    assert not guesses.is_locked("a", "y", NOW + WITHIN)


def test_wrong_tokens_now_and_then_lock_nobody() -> None:
    guesses = Guesses()
    for minutes in range(3 * MOST_WRONG):
        now = NOW + minutes * WITHIN
        guesses.wrong("a", "x", now)
        assert not guesses.is_locked("a", "x", now)


def test_a_token_that_was_right_passes_until_it_is_wrong() -> None:
    guesses = Guesses()
    guesses.right("good")
    for _ in range(MOST_WRONG):
        guesses.wrong("a", "x", NOW)
    assert not guesses.is_locked("a", "good", NOW)
    guesses.wrong("a", "good", NOW)
    assert guesses.is_locked("a", "good", NOW)


def test_so_many_addresses_are_remembered_and_no_more() -> None:
    guesses = Guesses()
    for address in range(_MOST_ADDRESSES + 5):
        guesses.wrong(str(address), "x", NOW)
    assert len(guesses._wrong) == _MOST_ADDRESSES


def test_the_api_knows_every_knob_of_a_campaign_file() -> None:
    assert set(NewCampaign.model_fields) == set(campaign_file._CHECKS) | {"retry"}
    assert set(RetryRule.model_fields) == set(campaign_file._RETRY_CHECKS)
    assert set(RetryWord.__args__) == set(campaign_file._MAY_RETRY)  # type: ignore[attr-defined]
