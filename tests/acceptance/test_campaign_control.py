"""Two campaigns share by priority; a trunk that answers with congestion is left alone. I/O."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from domain.msisdn import national
from lab.behaviours import numbers_for
from tests.acceptance.rehearsal import NO_RETRIES, Rehearsal, epoch, until

WATCHED_SECONDS = 8.0
PAUSE_SECONDS = 3.0
CONGESTED = numbers_for("congestion", 16)
TAKEN = numbers_for("rejected", 12)
BREAKER = {"breaker_calls": 10, "breaker_pause_seconds": PAUSE_SECONDS, "breaker_probes": 3}


def load(rehearsal: Rehearsal, name: str, numbers: list[str], priority: int) -> None:
    """A campaign that runs, beside others."""
    values = {
        "name": name,
        "purpose": "customer_care",
        "windows": ["00:00-24:00"],
        "call_on_holidays": True,
        "cps": 50,
        "priority": priority,
        **NO_RETRIES,
    }
    campaign, audience = rehearsal.directory / "c.toml", rehearsal.directory / "a.csv"
    campaign.write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items()))
    audience.write_text("\n".join(["msisdn", *map(national, numbers)]))
    rehearsal.tstn("campaign", "create", campaign)
    rehearsal.tstn("audience", "import", audience, "--campaign", name)
    rehearsal.tstn("campaign", "start", name)


def test_two_campaigns_share_by_priority(tmp_path: Path, short_prompts: Path) -> None:
    high, low = numbers_for("rejected", 300), numbers_for("rejected", 300, start=1000)
    with Rehearsal(tmp_path, prompts=short_prompts) as rehearsal:
        rehearsal.tstn("limits", "set", "global", "cps=10")
        load(rehearsal, "low", low, 2)
        load(rehearsal, "high", high, 8)
        rehearsal.serve().until_ready()
        assert share_of(rehearsal, low) == pytest.approx(0.1, abs=0.06)
        rehearsal.tstn("campaign", "tune", "low", "priority=9")
        assert share_of(rehearsal, low) == pytest.approx(0.9, abs=0.06)


def share_of(rehearsal: Rehearsal, numbers: list[str]) -> float:
    """What part of the INVITEs goes to these numbers, from two seconds from now on."""
    first = epoch() + 2
    last = first + WATCHED_SECONDS
    until(lambda: epoch() > last, 60, lambda: "time stands still")
    own = {national(number) for number in numbers}
    seen = [event.number for event in rehearsal.carrier.invites() if first <= event.at < last]
    assert len(seen) == pytest.approx(10 * WATCHED_SECONDS, rel=0.2)
    return sum(number in own for number in seen) / len(seen)


def test_a_breaker_opens_on_congestion_and_closes_again(
    tmp_path: Path, short_prompts: Path
) -> None:
    with Rehearsal(tmp_path, prompts=short_prompts, sections={"dialer": BREAKER}) as rehearsal:
        rehearsal.load([*CONGESTED, *TAKEN], cps=2, **NO_RETRIES)
        server = rehearsal.serve()
        server.until_ready()
        until(lambda: bool(server.health()["alarms"]), 30, lambda: str(server.health()))
        [alarm] = server.health()["alarms"]
        assert (alarm["scope"], alarm["cause"], alarm["factor"]) == (
            *("trunk:carrier", "congestion"),
            0.0,
        )
        assert "of the last 10 calls were refused: 10 congestion" in alarm["reason"]
        assert "is not dialled until" in server.health()["why_idle"]["rehearsal"]
        opened_after = rehearsal.invites().total()
        assert 10 <= opened_after < len(CONGESTED)
        rehearsal.until_finished(120)
        assert server.health()["alarms"] == []
        assert set(rehearsal.invites().values()) == {1}
        assert rehearsal.invites().total() == len(CONGESTED) + len(TAKEN)
        times = sorted(event.at for event in rehearsal.carrier.invites())
        quiet = [after - before for before, after in pairwise(times)][opened_after - 1]
        assert quiet > PAUSE_SECONDS - 1
