"""`tstn campaign test-call` on real Asterisks: it is heard, and nothing comes of it. I/O."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from domain.msisdn import national
from ivr.prompts import PROMPT_NAMES
from lab.behaviours import Timing, numbers_for
from lab.listen import hear, read_samples
from lab.network import CHECKOUT
from store.models import Audit, Base, Callback, Registration, TrialCall, table
from tests.acceptance.rehearsal import CAMPAIGN, Rehearsal, json_lines, until

TIMING = Timing(ring_seconds=0.5, think_seconds=11.5)
[OWN] = numbers_for("press-1", 1)
[REFUSED] = numbers_for("rejected", 1)


@pytest.fixture(params=["ari", "agi"])
def rehearsal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rehearsal]:
    """A draft that is never started; its audience are the very numbers that are called."""
    sections = {"ivr": {"driver": request.param}}
    with Rehearsal(tmp_path, timing=TIMING, recording=True, sections=sections) as running:
        running.load([OWN, REFUSED], start=False)
        yield running


def rows(rehearsal: Rehearsal, row: type[Base]) -> list[dict[str, Any]]:
    def read(connection: Connection) -> list[dict[str, Any]]:
        return [dict(each) for each in connection.execute(select(table(row))).mappings()]

    return rehearsal.read(read)


def test_the_script_is_heard_and_nothing_comes_of_its_keys(rehearsal: Rehearsal) -> None:
    refused = rehearsal.run("campaign", "test-call", CAMPAIGN, OWN)
    assert refused.returncode == 1
    assert "no server answers" in refused.stderr
    server = rehearsal.serve()
    server.until_ready()
    called = rehearsal.run("campaign", "test-call", CAMPAIGN, OWN)
    assert called.returncode == 0, called.stderr
    assert called.stdout.split(": ", 1)[1].strip() == "answered, keys 1; nothing was registered"
    [recording] = rehearsal.carrier.recordings(national(OWN))
    prompts = {
        name: read_samples(CHECKOUT / "var" / "prompts" / "vi-1" / f"{name}.wav")
        for name in PROMPT_NAMES
    }
    heard = [each.name for each in hear(read_samples(recording), prompts)]
    assert heard == ["notice", "offer", "after_1"]
    turned_away = rehearsal.run("campaign", "test-call", CAMPAIGN, REFUSED, "--json")
    assert turned_away.returncode == 0
    assert '"rejected"' in turned_away.stdout
    assert rows(rehearsal, Registration) == rows(rehearsal, Callback) == []
    assert rehearsal.attempts() == {}
    assert rehearsal.counts()["attempts"] == {}
    assert rehearsal.counts()["targets"] == {"ready": 2}
    assert rehearsal.invites() == {national(OWN): 1, national(REFUSED): 1}
    told = [row["data"] for row in rows(rehearsal, Audit) if row["action"] == "trial_call_asked"]
    assert [one["script"] for one in told] == ["vi-1", "vi-1"]
    assert all(one["by"] for one in told)
    kinds = [one["kind"] for one in json_lines(rehearsal.tstn("timeline", OWN, "--json"))]
    assert kinds == ["trial_call_asked"]


def test_a_crash_leaves_nothing_stuck_and_nobody_is_dialled_twice(rehearsal: Rehearsal) -> None:
    server = rehearsal.serve()
    server.until_ready()
    asking = threading.Thread(
        target=rehearsal.run, args=("campaign", "test-call", CAMPAIGN, OWN), daemon=True
    )
    asking.start()
    until(
        lambda: any(row["answered_at"] for row in rows(rehearsal, TrialCall)),
        30,
        lambda: str(rows(rehearsal, TrialCall)),
    )
    server.kill()
    rehearsal.serve().until_ready()
    rehearsal.until_no_channel()
    asking.join(30)
    assert not asking.is_alive()
    [row] = rows(rehearsal, TrialCall)
    assert (row["disposition"], row["ended_at"] is not None) == ("answered", True)
    assert rehearsal.invites() == {national(OWN): 1}
    assert rows(rehearsal, Registration) == []
    again = rehearsal.run("campaign", "test-call", CAMPAIGN, REFUSED)
    assert (again.returncode, "rejected" in again.stdout) == (0, True)
