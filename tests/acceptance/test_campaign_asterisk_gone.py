"""Asterisk is not there at the start, or dies while it dials: the campaign goes on. I/O."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Connection, select

from domain.msisdn import national
from domain.states import TargetState
from lab.behaviours import Timing, numbers_for
from lab.ports import LOOPBACK
from store.models import Target
from tests.acceptance.rehearsal import NO_RETRIES, Rehearsal, until

NO_CALLS = "no calls until events flow again"
UNKNOWN_DELAY = timedelta(hours=4)  # of the default rules


def test_a_server_without_asterisk_waits_for_it(tmp_path: Path, short_prompts: Path) -> None:
    numbers = [*numbers_for("press-1", 2), *numbers_for("busy", 2)]
    with Rehearsal(tmp_path, prompts=short_prompts) as rehearsal:
        rehearsal.asterisk.stop()
        rehearsal.load(numbers, cps=10, **NO_RETRIES)
        with in_its_place(rehearsal) as asterisk_port:
            server = rehearsal.serve()
            for _ in range(3):
                asterisk_port.accept()[0].close()
        assert server.health()["ok"] is False
        assert server.health()["why_idle"] == {"rehearsal": "Asterisk is not there"}
        said = rehearsal.run("health")
        assert said.returncode == 1
        assert "does not answer" in said.stdout
        assert rehearsal.log().count(NO_CALLS) == 1
        assert rehearsal.invites().total() == 0
        assert rehearsal.attempts() == {}
        rehearsal.asterisk.start()
        rehearsal.until_finished(60)
        assert rehearsal.invites() == {national(number): 1 for number in numbers}
        assert server.health()["ok"] is True
        assert rehearsal.run("health").returncode == 0
        server.terminate()
        assert server.exit_status(20) == 0


@contextmanager
def in_its_place(rehearsal: Rehearsal) -> Iterator[socket.socket]:
    """Listens where Asterisk should, to see the server knock."""
    port = urlsplit(rehearsal.network.settings.asterisk.ari_url).port
    with socket.create_server((LOOPBACK, port or 0)) as listening:
        listening.settimeout(30)
        yield listening


@pytest.mark.parametrize("driver", ["ari", "agi"])
def test_calls_in_the_air_when_asterisk_dies_are_not_repeated(
    tmp_path: Path, short_prompts: Path, driver: str
) -> None:
    ringing, talking = numbers_for("no-answer", 4), numbers_for("silent", 5)
    registered, later = numbers_for("barge-1", 1), numbers_for("hang-up-early", 6)
    at_once = [*ringing, *talking, *registered]
    timing = Timing(ring_seconds=0.3, barge_seconds=0.3, leave_seconds=0.5)
    sections = {"ivr": {"driver": driver}}
    with Rehearsal(tmp_path, prompts=short_prompts, timing=timing, sections=sections) as rehearsal:
        rehearsal.load([*at_once, *later], cps=20, max_channels=len(at_once))
        server = rehearsal.serve()
        rehearsal.until_invited(len(at_once))
        until(lambda: bool(rehearsal.export("registrations")), 20, lambda: "not registered")
        rehearsal.asterisk.kill()
        until(lambda: not server.is_ready(), 10, lambda: "it did not notice")
        assert server.health()["ok"] is False
        rehearsal.asterisk.start()
        rehearsal.until_invited(len(at_once) + len(later), 60)
        until(lambda: "open" not in rehearsal.counts()["attempts"], 20, lambda: "still open")
        check_what_became_of_them(rehearsal, ringing, [*talking, *registered], later)


def check_what_became_of_them(
    rehearsal: Rehearsal, ringing: list[str], talking: list[str], later: list[str]
) -> None:
    attempts = rehearsal.attempts()
    assert set(rehearsal.invites().values()) == {1}
    for number in ringing:
        [attempt] = attempts[number]
        assert (attempt["disposition"], attempt["hangup_cause"]) == ("unknown", None)
    for number in talking:
        [attempt] = attempts[number]
        assert attempt["disposition"] == "answered"
    for number in later:
        [attempt] = attempts[number]
        assert (attempt["disposition"], attempt["hangup_cause"]) == ("answered", 16)
    not_before = rehearsal.read(ready_targets)
    ended_at = {n: datetime.fromisoformat(attempts[n][0]["ended_at"]) for n in ringing}
    assert not_before == {n: at + UNKNOWN_DELAY for n, at in ended_at.items()}
    assert [row["msisdn"] for row in rehearsal.export("registrations")] == numbers_for("barge-1", 1)


def ready_targets(connection: Connection) -> dict[str, datetime]:
    """The numbers that are to be dialled (again), each with the moment from which on."""
    rows = connection.execute(
        select(Target.msisdn, Target.not_before).where(Target.state == TargetState.READY)
    )
    return {row.msisdn: row.not_before for row in rows}
