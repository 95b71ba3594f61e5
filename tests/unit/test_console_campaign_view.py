"""What a campaign's figures say: curves, retries, versions; the forms' differences. Pure."""

from datetime import timedelta
from typing import Any

import pytest

from console import campaign_form, campaign_view
from console.campaign_tally import Base, Tally
from dialer.retry import DEFAULT_RULES, rules_to_row
from domain.states import CampaignState
from store.campaign_figures import Audience, Minute
from store.models import Campaign
from store.variants import VersionFigures
from store.why_not import Counts
from tests.rows import NOW

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


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


def waits(**other: Any) -> Counts:
    values: dict[str, Any] = {
        "due": 0,
        "retry": 0,
        "held": {},
        "in_the_air": 0,
        "done": {},
        "next_due": None,
        "held_until": {},
    }
    return Counts(**(values | other))


def tally(**other: Any) -> Tally:
    values: dict[str, Any] = {
        "at": NOW,
        "base": Base(NOW, {}, {}),
        "waits": waits(),
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


def test_versions_are_drawn_on_one_scale() -> None:
    figures = [
        VersionFigures("vi-1", 200, 100, {"1": 20}),
        VersionFigures("vi-2", 200, 100, {"1": 30, "3": 2}),
        VersionFigures("vi-3", 4, 0, {}),
    ]
    one, two, new = campaign_view.versions(figures, {"vi-1": 50, "vi-2": 50})
    assert (one.weight, new.weight) == (50, None)
    assert (one.figures.key_1_rate, two.figures.key_1_rate) == (0.2, 0.3)
    assert two.left + two.width == pytest.approx(100, abs=0.1)
    assert one.left < two.left < one.left + one.width  # they overlap
    assert (new.left, new.width) == (0, 0)


def test_only_what_differs_is_changed() -> None:
    one = campaign()
    same = campaign_form.present(one)
    assert campaign_form.changed(one, same) == []
    assert campaign_form.changed(one, same | {"cps": "11", "unknown": "1"}) == ["cps=11"]
    assert campaign_form.changed(one, same | {"retry.busy.max": "0"}) == ["retry.busy.max=0"]
    assert campaign_form.changed(one, same | {"priority": "9"}) == ["priority=9"]
    weights = campaign_form.changed(one, same | {"variants": "vi-1 1, vi-2 3"})
    assert weights == ['variants={"vi-1" = 1, "vi-2" = 3}']
    compares = campaign(variants={"vi-1": 1})
    assert campaign_form.changed(compares, same) == ["variants={}"]


def test_differences_name_each_rule() -> None:
    rules = rules_to_row(DEFAULT_RULES)
    after = {"retry": rules | {"busy": {**rules["busy"], "max": 9}}, "cps": 2.0}
    assert campaign_form.differences({"retry": rules, "cps": 1.0}, after) == [
        ("cps", "1", "2"),
        ("retry.busy.max", "3", "9"),
    ]
