"""What a campaign's figures say: reasons, curves, what is left; the forms' differences. Pure."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import campaign_form, campaign_view
from console.campaign_control import Load
from console.campaign_tally import Tally
from console.campaign_view import Now
from dialer.retry import DEFAULT_RULES, rules_to_row
from domain.states import CampaignState
from runtime.campaign_wiring import CampaignControl
from runtime.settings import Settings
from store.campaign_figures import Audience, Minute
from store.limits import Caps
from store.models import Campaign
from tests.consoles import CHECKOUT
from tests.rows import NOW

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CAPS = Caps(100, 1000)
CONTROL = CampaignControl(Settings(root=CHECKOUT))


def campaign(state: CampaignState = CampaignState.RUNNING, **other: Any) -> Campaign:
    values: dict[str, Any] = {
        "name": "mekong",
        "purpose": "customer_care",
        "script_version": "vi-1",
        "cps": 10.0,
        "max_channels": 50,
        "ring_timeout_seconds": 30,
        "max_attempts": 4,
        "retry": rules_to_row(DEFAULT_RULES),
        "windows": ["08:00-17:00"],
        "call_on_holidays": False,
        "created_at": NOW,
        "state": state,
    }
    return Campaign(**(values | other))


def tally(**other: Any) -> Tally:
    values: dict[str, Any] = {
        "at": NOW,
        "audience": Audience(total=100, new=100),
        "attempts": {},
        "keys": {},
        "registered": 0,
        "confirmed": 0,
        "minutes": [],
        "retries": [],
        "codes": [],
    }
    return Tally(**(values | other))


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
    assert Now(0, rate, None).is_slow(campaign(state)) is slow


@pytest.mark.parametrize("state", [one for one in CampaignState if one != CampaignState.RUNNING])
def test_what_does_not_run_has_that_for_its_reason(state: CampaignState) -> None:
    now = Now(0, 0, "the trunk carrier takes no calls")
    [reason] = campaign_view.reasons(campaign(state), now, tally(), NOW)
    assert reason.text == campaign_view.NOT_RUNNING[state]


def test_the_dialler_comes_first_then_channels_then_the_targets() -> None:
    audience = Audience(total=9, again=5, claimed=4, held={"phase": 2, "opted_out": 3})
    seen = tally(audience=audience, retries=[(NOW - HOUR, 1), (NOW + HOUR, 4)])
    now = Now(50, 1, f"outside the calling window until {(NOW + HOUR).isoformat()}")
    found = campaign_view.reasons(campaign(), now, seen, NOW)
    assert [(one.count, one.detail) for one in found] == [
        (None, ""),
        (50, ""),
        (3, "opted_out"),
        (2, "phase"),
        (4, ""),  # the one that is due already waits for nothing
        (4, ""),
    ]
    assert found[0].until == NOW + HOUR


def test_a_line_that_is_not_known_is_said_as_it_is() -> None:
    found = campaign_view.reasons(campaign(), Now(0, 0, "a new cause until noon"), None, NOW)
    assert (found[0].text, found[0].until) == ("a new cause until noon", None)


def test_the_curves_leave_out_the_minute_under_way_and_count_channels_on() -> None:
    minutes = [
        Minute(NOW - 65 * MINUTE, {"answered": 5}, 2),
        Minute(NOW - 2 * MINUTE, {"busy": 3, "answered": 3}, 4),
        Minute(NOW - MINUTE, {"open": 1}, 3),
        Minute(NOW, {"open": 9}, 0),
    ]
    moments, rates, channels, shares = campaign_view.curves(tally(minutes=minutes), NOW)
    assert len(moments) == len(rates) == len(channels) == len(shares) == 60
    assert moments[-1] == (NOW - MINUTE).timestamp()
    assert channels[0] == 3
    assert channels[-2:] == [5, 3]
    assert (rates[-2], shares[-2:]) == (0.1, [50, None])


def test_retries_that_are_due_stand_under_this_hour() -> None:
    seen = tally(retries=[(NOW - 3 * HOUR, 2), (NOW, 3), (NOW + HOUR, 10)])
    assert campaign_view.hours(seen, NOW + MINUTE) == [(NOW, 5, 50.0), (NOW + HOUR, 10, 100.0)]


def test_the_means_of_few_dials_are_those_of_experience() -> None:
    few = tally(attempts={"answered": 99}, audience=Audience(total=200, called=99, new=101))
    assert campaign_view.load_of(few) == Load(101, 1.5, 30.0, 0.02)
    many = tally(
        attempts={"busy": 200},
        audience=Audience(total=200, called=100, new=100),
        registered=10,
        minutes=[Minute(NOW, {"busy": 200}, 0), Minute(NOW + MINUTE, {}, 200)],
    )
    load = campaign_view.load_of(many)
    assert (load.dials_a_target, load.registrations_a_dial) == (2.0, 0.05)
    assert load.seconds_a_dial == 60.0


KNOBS = {
    "cps": 1.0,
    "max_channels": 30,
    "max_attempts": 4,
    "windows": ["08:00-17:00"],
    "call_on_holidays": True,
}


def test_what_is_left_is_finished_by_rate_and_windows() -> None:
    """It is 10:00; seven hours are left today: 25,200 calls at one a second."""
    load = Load(25_200, 1.0, 30.0, 0.1)
    effect = CONTROL.preview(KNOBS, CAPS, load, NOW)
    assert effect.finishes_at == NOW + 7 * HOUR
    assert (effect.calls_a_second, effect.channels) == (1.0, 30.0)
    twice = CONTROL.preview(KNOBS | {"cps": 2.0}, CAPS, load, NOW)
    assert twice == effect  # its channels allow no more
    more = CONTROL.preview(KNOBS | {"cps": 2.0, "max_channels": 60}, CAPS, load, NOW)
    assert more.finishes_at == NOW + 3.5 * HOUR
    over_night = CONTROL.preview(KNOBS, CAPS, Load(28_800, 1.0, 30.0, 0.1), NOW)
    assert over_night.finishes_at == NOW + 23 * HOUR
    assert CONTROL.preview(KNOBS, Caps(0.5, 9), load, NOW).calls_a_second == 0.3


@given(
    cps=st.floats(0.01, 1000),
    channels=st.integers(1, 20000),
    left=st.integers(0, 10**7),
    seconds=st.floats(1, 600),
)
def test_more_of_anything_never_ends_later(
    cps: float, channels: int, left: int, seconds: float
) -> None:
    load = Load(left, 1.5, seconds, 0.02)
    less = CONTROL.preview(KNOBS | {"cps": cps, "max_channels": channels}, CAPS, load, NOW)
    knobs = KNOBS | {"cps": cps * 2, "max_channels": channels * 2}
    more = CONTROL.preview(knobs, CAPS, load, NOW)
    if less.finishes_at is not None:
        assert more.finishes_at is not None
        assert more.finishes_at <= less.finishes_at
    assert more.callbacks_a_day >= less.callbacks_a_day


def test_only_what_differs_is_changed() -> None:
    one = campaign()
    same = campaign_form.present(one)
    assert campaign_form.changed(one, same) == []
    assert campaign_form.changed(one, same | {"cps": "11", "unknown": "1"}) == ["cps=11"]
    assert campaign_form.changed(one, same | {"retry.busy.max": "0"}) == ["retry.busy.max=0"]


def test_differences_name_each_rule() -> None:
    rules = rules_to_row(DEFAULT_RULES)
    after = {"retry": rules | {"busy": {**rules["busy"], "max": 9}}, "cps": 2.0}
    assert campaign_form.differences({"retry": rules, "cps": 1.0}, after) == [
        ("cps", "1", "2"),
        ("retry.busy.max", "3", "9"),
    ]
