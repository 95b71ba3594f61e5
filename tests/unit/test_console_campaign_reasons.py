"""Why a campaign does not dial, in what order; what the gate refuses; words for all of it. Pure."""

from datetime import timedelta
from typing import Any

import pytest

from console import brake_words, campaign_reasons
from console.campaign_reasons import Now, Reason
from console.words import WORDS
from domain.gate import FOR_GOOD, Refusal, Shut
from domain.states import BrakeCause, CampaignState, Stand
from tests.rows import NOW
from tests.unit.test_console_campaign_view import campaign, tally, waits

HOUR = timedelta(hours=1)
TRUNK = "the trunk carrier takes no calls"


def brake(cause: BrakeCause = BrakeCause.PROMISE, **other: Any) -> dict[str, Any]:
    """A brake as it is shown."""
    values = {"cause": cause, "until": None, "is_probing": False, "overridden_by": None}
    return values | other


@pytest.mark.parametrize(
    ("state", "rate", "slow"),
    [
        (CampaignState.RUNNING, 10.0, False),
        (CampaignState.RUNNING, 8.0, False),
        (CampaignState.RUNNING, 7.9, True),
        (CampaignState.PAUSED, 10.0, True),
    ],
)
def test_reasons_are_shown_below_the_rate_that_is_set(
    state: CampaignState, rate: float, slow: bool
) -> None:
    assert Now(0, rate).is_slow(campaign(state)) is slow


@pytest.mark.parametrize("state", [one for one in CampaignState if one != CampaignState.RUNNING])
def test_what_does_not_run_has_that_for_its_reason(state: CampaignState) -> None:
    found = campaign_reasons.reasons(campaign(state), Now(0, 0, TRUNK), tally())
    assert found == [Reason(campaign_reasons.NOT_RUNNING[state])]


def test_the_whole_campaign_comes_first_then_brakes_then_channels_then_the_targets() -> None:
    seen = tally(
        waits=waits(
            retry=4,
            in_the_air=4,
            held={Refusal.PHASE_CLOSED: 2, Refusal.CAPPED: 3},
            held_until={Refusal.PHASE_CLOSED: NOW + HOUR, Refusal.CAPPED: NOW + 2 * HOUR},
        )
    )
    now = Now(
        50,
        1,
        "outside the calling window until whenever",
        Shut(Refusal.OUTSIDE_WINDOW, "words", NOW + HOUR),
        [brake(until=NOW + HOUR), brake(BrakeCause.QUEUE, overridden_by="lan")],
    )
    assert campaign_reasons.reasons(campaign(), now, seen) == [
        Reason("refusal_outside_window", until=NOW + HOUR),
        Reason("brake_promise", until=NOW + HOUR),
        Reason(campaign_reasons.AT_CHANNELS, 50),
        Reason("refusal_capped", 3, NOW + 2 * HOUR),
        Reason("refusal_phase_closed", 2, NOW + HOUR),
        Reason(campaign_reasons.LATER, 4),
        Reason(campaign_reasons.IN_THE_AIR, 4),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (TRUNK, [campaign_reasons.OF_SERVER["the trunk"]]),
        ("Asterisk is not there", [campaign_reasons.OF_SERVER["Asterisk is not there"]]),
        ("outside the window of texts until 2021", ["refusal_outside_window"]),
        ("a new cause of 50% o", ["a new cause of 50% o"]),
        ("slowed to 50% of its rate: late", []),
        ("the trunk carrier is not dialled until 2021: refused", []),
        (None, []),
    ],
)
def test_what_the_server_says_is_told_but_for_brakes_which_are_rows(
    line: str | None, words: list[str]
) -> None:
    found = campaign_reasons.reasons(campaign(), Now(0, 0, line), None)
    assert [one.word for one in found] == words


def test_a_campaign_that_has_called_everybody_says_so() -> None:
    [last] = campaign_reasons.reasons(campaign(), Now(0, 0), tally())
    assert last == Reason(campaign_reasons.NOTHING_LEFT, 0)


def test_what_the_gate_refuses_is_told_by_reason_the_most_frequent_first() -> None:
    counted = waits(
        held={Refusal.PHASE_CLOSED: 5},
        held_until={Refusal.PHASE_CLOSED: NOW},
        done={Refusal.OPTED_OUT: 7, Refusal.DO_NOT_CALL: 1, "answered": 9},
    )
    assert [
        (one.word, one.held, one.until, one.done) for one in campaign_reasons.refused(counted)
    ] == [
        ("refusal_opted_out", 0, None, 7),
        ("refusal_phase_closed", 5, NOW, 0),
        ("refusal_do_not_call", 0, None, 1),
    ]
    assert set(FOR_GOOD) <= set(Refusal)


def test_there_are_words_for_whatever_is_told() -> None:
    needed = [f"refusal_{one}" for one in Refusal]
    needed += [f"stand_{one}" for one in Stand] + [f"brake_{one}" for one in BrakeCause]
    assert [word for word in needed if word not in WORDS] == []


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "with 3 agents, 41 of 120 call-backs would be late within an hour of full rate",
            "With 3 agents, 41 of 120 call-backs would be late after one more hour at the full",
        ),
        ("the call-backs will be in time with 12 agents", "With 12 agents the call-backs are in"),
        (
            "4 wait for an agent and 2.5 more will; those who can be answered within 20 s are -1.0",
            "4 callers wait for an agent and 2.5 more will; the agents can answer -1.0 within 20 s",
        ),
        (
            "3 of the last 4 calls were refused: 2 congestion, 1 unexpected cause",
            "3 of the last 4 calls were refused by the trunk: 2 × network congested, 1 × unexp",
        ),
        ("something new, 50% o", "something new, 50% o"),
    ],
)
def test_the_reason_of_a_brake_is_told_in_words_of_the_catalogue(reason: str, said: str) -> None:
    assert brake_words.said(reason, lambda text: text).startswith(said)
