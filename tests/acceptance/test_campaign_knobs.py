"""What an operator changes while it runs holds within two seconds; SIGTERM lets calls end. I/O."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.msisdn import national
from lab.behaviours import Timing, numbers_for
from tests.acceptance.rehearsal import CAMPAIGN, NO_RETRIES, Rehearsal, Server, epoch, until

HELD_WITHIN_SECONDS = 2.0
WATCHED_SECONDS = 2.5
NUMBERS = 400


@pytest.fixture
def dialling(tmp_path: Path, short_prompts: Path) -> Iterator[tuple[Rehearsal, Server]]:
    """A campaign of refused calls, three a second."""
    with Rehearsal(tmp_path, prompts=short_prompts, sections={"dialer": {"cps": 100}}) as rehearsal:
        rehearsal.load(numbers_for("rejected", NUMBERS), cps=3, **NO_RETRIES)
        server = rehearsal.serve()
        server.until_ready()
        yield rehearsal, server


def test_rates_pause_and_start_take_effect_at_once(dialling: tuple[Rehearsal, Server]) -> None:
    rehearsal, server = dialling
    assert rate_after(rehearsal, "campaign", "tune", CAMPAIGN, "cps=15") == pytest.approx(15, abs=3)
    assert rate_after(rehearsal, "limits", "set", "global", "cps=6") == pytest.approx(6, abs=1.5)
    assert rate_after(rehearsal, "campaign", "pause", CAMPAIGN) == 0
    paused_at = rehearsal.invites().total()
    rehearsal.tstn("campaign", "start", CAMPAIGN)
    rehearsal.until_invited(paused_at + 1, HELD_WITHIN_SECONDS)
    assert rate_after(rehearsal, "limits", "set", "trunk:carrier", "channels=0") == 0
    assert set(rehearsal.invites().values()) == {1}
    assert server.health()["ok"] is True


def rate_after(rehearsal: Rehearsal, *command: str) -> float:
    """INVITEs a second, counted from two seconds after the command on."""
    rehearsal.tstn(*command)
    first = epoch() + HELD_WITHIN_SECONDS
    last = first + WATCHED_SECONDS
    until(lambda: epoch() > last, 60, lambda: "time stands still")
    times = [event.at for event in rehearsal.carrier.invites()]
    return sum(first <= at < last for at in times) / WATCHED_SECONDS


@pytest.mark.parametrize("driver", ["ari", "agi"])
def test_sigterm_lets_calls_end_and_starts_no_more(
    tmp_path: Path, short_prompts: Path, driver: str
) -> None:
    at_once, later = numbers_for("press-1", 6), numbers_for("busy", 6)
    timing = Timing(ring_seconds=1.0, think_seconds=2.0)
    sections = {"ivr": {"driver": driver}}
    with Rehearsal(tmp_path, prompts=short_prompts, timing=timing, sections=sections) as rehearsal:
        rehearsal.load([*at_once, *later], cps=20, max_channels=len(at_once), **NO_RETRIES)
        server = rehearsal.serve()
        rehearsal.until_invited(len(at_once))
        told_at = epoch()
        server.terminate()
        assert server.exit_status(20) == 0
        assert set(rehearsal.invites()) == {national(number) for number in at_once}
        keys = [event for event in rehearsal.carrier.events() if event.event == "key"]
        assert [key.at > told_at for key in keys] == [True] * len(at_once)
        registered = [row["msisdn"] for row in rehearsal.export("registrations")]
        assert sorted(registered) == at_once
        for number in at_once:
            [attempt] = rehearsal.attempts()[number]
            assert (attempt["disposition"], attempt["hangup_cause"]) == ("answered", 16)
        assert rehearsal.counts()["targets"].get("ready") == len(later)
        rehearsal.until_no_channel()
