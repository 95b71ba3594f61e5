"""The example dashboard and alert rules: they can be read, and every rule says what to do. Pure.

That every metric which they name exists is tested on a real server's exposition
(tests/acceptance/test_metrics_served.py).
"""

import json
import re
from typing import Any

import pytest
import yaml

from lab.network import CHECKOUT
from tests.exposition import used_in_config

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((CHECKOUT / "config" / "prometheus" / "alerts.yml").read_text())[
        "groups"
    ]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((CHECKOUT / "config" / "grafana" / "tstn.json").read_text())
WATCHED = {  # what operators must be told of, and a metric that tells it
    "Asterisk away": "tstn_asterisk_ready",
    "store away": "tstn_store_up",
    "spool filling": "tstn_spooled_facts",
    "no dialling though due": "tstn_campaign_due",
    "one campaign alone that does not dial": "tstn_campaign_last_dial_timestamp_seconds",
    "a campaign of texts that sends none": "tstn_campaign_last_text_timestamp_seconds",
    "brakes drawn, breaker open": "tstn_brake_factor",
    "call-backs at risk or broken": "tstn_callbacks_waiting",
    "bind down": "tstn_bind_state",
    "unanswered submits": "tstn_submits_total",
    "congestion": "tstn_calls_ended_total",
    "loop lag": "tstn_loop_lag_seconds_bucket",
    "tick failing": "tstn_tick_failures_total",
}


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_every_rule_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"].keys() == {"summary", "do"}
    assert rule["expr"].count("(") == rule["expr"].count(")")
    assert re.search(r"\b(?:tstn_|up\b)", rule["expr"])


@pytest.mark.parametrize("metric", WATCHED.values(), ids=WATCHED)
def test_what_operators_must_be_told_of_is_watched(metric: str) -> None:
    assert any(metric in rule["expr"] for rule in RULES)


def test_the_dashboards_panels_have_queries_and_places_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert all(target["expr"] for panel in panels for target in panel["targets"])
    assert len({(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)


def test_there_is_something_to_look_for() -> None:
    assert len(used_in_config()) > 40
