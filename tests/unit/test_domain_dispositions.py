"""Every row of the table in notes/asterisk.md §2.2 and every measured trap. Pure."""

import pytest

from domain.dispositions import Disposition, classify

RING_TIMEOUT_SECONDS = 30.0


def judge(
    cause: int,
    tech_cause: int | None = None,
    *,
    answered: bool = False,
    ringing_seconds: float | None = None,
) -> Disposition:
    """Classify with our usual ring timeout; None means that it did not ring."""
    return classify(
        cause=cause,
        tech_cause=tech_cause,
        answered=answered,
        rang=ringing_seconds is not None,
        ringing_seconds=ringing_seconds or 0.0,
        ring_timeout_seconds=RING_TIMEOUT_SECONDS,
    )


@pytest.mark.parametrize(
    ("cause", "tech_cause", "expected"),
    [
        (17, 486, "busy"),
        (17, 600, "busy"),
        (21, 603, "rejected"),
        (21, 403, "rejected"),
        (1, 404, "invalid_number"),
        (1, 604, "invalid_number"),
        (22, 410, "invalid_number"),
        (28, 484, "invalid_number"),
        (3, 404, "invalid_number"),
        (3, None, "congestion"),
        (3, 480, "congestion"),
        (18, 408, "no_answer"),
        (19, 483, "no_answer"),
        (19, None, "no_answer"),
        (20, None, "unreachable"),
        (27, 502, "unreachable"),
        (31, None, "unreachable"),
        (34, 503, "congestion"),
        (38, 500, "congestion"),
        (41, None, "congestion"),
        (42, None, "congestion"),
        (44, None, "congestion"),
        (58, 488, "congestion"),
        (102, 504, "congestion"),
        (127, 487, "congestion"),
    ],
)
def test_causes_without_ringing(cause: int, tech_cause: int | None, expected: str) -> None:
    assert judge(cause, tech_cause) == expected


def test_switched_off_is_480_without_ringing() -> None:
    """chan_pjsip turns the carrier's Reason 20 into 19, so only the ringing can tell."""
    assert judge(19, 480) == Disposition.UNREACHABLE


@pytest.mark.parametrize("seconds", [0.0, 0.3, 29.0, 30.0])
def test_480_after_ringing_is_no_answer(seconds: float) -> None:
    """Our own ring timeout is 19/480 as well, and it may have rung for an instant only."""
    assert judge(19, 480, ringing_seconds=seconds) == Disposition.NO_ANSWER


@pytest.mark.parametrize(
    ("cause", "expected"),
    [(17, "busy"), (21, "rejected"), (18, "no_answer"), (34, "congestion"), (1, "invalid_number")],
)
def test_ringing_first_changes_no_clear_cause(cause: int, expected: str) -> None:
    assert judge(cause, None, ringing_seconds=12.0) == expected


def test_a_redirection_is_not_followed() -> None:
    assert judge(23, 302) == Disposition.UNREACHABLE
    assert judge(23, 302, ringing_seconds=20.0) == Disposition.UNREACHABLE


@pytest.mark.parametrize("cause", [0, 16])
@pytest.mark.parametrize("seconds", [15.0, 28.5, 31.0])
def test_a_ring_timeout_of_older_asterisks_is_no_answer(cause: int, seconds: float) -> None:
    assert judge(cause, None, ringing_seconds=seconds) == Disposition.NO_ANSWER


def test_our_own_hang_up_while_it_rings_is_no_answer() -> None:
    assert judge(16, None, ringing_seconds=2.0) == Disposition.NO_ANSWER


@pytest.mark.parametrize("seconds", [None, 0.0, 14.9])
def test_cause_0_is_not_guessed(seconds: float | None) -> None:
    """A 302 lost in a race ends so too."""
    assert judge(0, None, ringing_seconds=seconds) == Disposition.UNKNOWN


def test_normal_clearing_before_any_ringing_is_not_guessed() -> None:
    assert judge(16) == Disposition.UNKNOWN


@pytest.mark.parametrize("cause", [0, 16, 17, 19, 20, 32, 34, 44, 127, 999])
def test_answered_wins_over_every_cause(cause: int) -> None:
    assert judge(cause, 480, answered=True) == Disposition.ANSWERED
    assert judge(cause, None, answered=True, ringing_seconds=40.0) == Disposition.ANSWERED


KNOWN = {0, 1, 3, *range(16, 24), 27, 28, 31, 34, 38, 41, 42, 44, 58, 102, 127}


@pytest.mark.parametrize("cause", sorted({*range(130), -1, 500} - KNOWN))
def test_any_other_cause_is_loud(cause: int) -> None:
    assert judge(cause) == Disposition.UNEXPECTED_CAUSE
    assert judge(cause, None, ringing_seconds=30.0) == Disposition.UNEXPECTED_CAUSE


def test_the_stored_words() -> None:
    """Rows keep these for years: add, never rename."""
    assert [str(disposition) for disposition in Disposition] == [
        *("answered", "no_answer", "busy", "rejected", "invalid_number", "unreachable"),
        *("congestion", "not_dialled", "unknown", "unexpected_cause"),
    ]
