"""Two servers by mistake: the one that comes later has Asterisk, the other dials no more. I/O."""

from pathlib import Path

from domain.msisdn import national
from lab.behaviours import Timing, numbers_for
from tests.acceptance.rehearsal import NO_RETRIES, Rehearsal, Server, epoch, until

TALKING = numbers_for("press-1", 8)
NUMBERS = [*TALKING, *numbers_for("rejected", 120)]
TIMING = Timing(ring_seconds=0.3, think_seconds=5.0)
QUIET_SECONDS = 3.0
NO_DRAIN_SECONDS = 10.0  # the first server has no call left to wait for


def test_the_first_server_stops_dialling(tmp_path: Path, short_prompts: Path) -> None:
    with Rehearsal(tmp_path, prompts=short_prompts, timing=TIMING) as rehearsal:
        rehearsal.load(NUMBERS, cps=8, **NO_RETRIES)
        first = rehearsal.serve()
        rehearsal.until_invited(len(TALKING) + 4)
        second = rehearsal.serve(rehearsal.other_settings())
        second.until_ready()
        until(lambda: not first.is_ready(), 5, lambda: "the first one goes on")
        assert "another server has taken over" in first.health()["asterisk"]["trouble"]
        assert first.health()["ok"] is False
        rehearsal.until_invited(rehearsal.invites().total() + 10)
        check_that_it_dials_no_more(rehearsal, first, second)
        rehearsal.serve()
        rehearsal.until_finished(60)
        check_that_nothing_was_lost(rehearsal)


def check_that_it_dials_no_more(rehearsal: Rehearsal, first: Server, second: Server) -> None:
    """With the second one gone again, and numbers left."""
    second.terminate()
    assert second.exit_status(30) == 0
    so_far, quiet_until = rehearsal.invites(), epoch() + QUIET_SECONDS
    until(lambda: epoch() > quiet_until, 60, lambda: "time stands still")
    assert rehearsal.invites() == so_far
    assert rehearsal.counts()["targets"]["ready"] > 0
    assert first.is_running()
    first.terminate()
    assert first.exit_status(NO_DRAIN_SECONDS) == 0


def check_that_nothing_was_lost(rehearsal: Rehearsal) -> None:
    """No number twice, and every call that one server handed to the other came to its end."""
    assert set(rehearsal.invites().values()) == {1}
    registered = [row["msisdn"] for row in rehearsal.export("registrations")]
    assert sorted(registered) == TALKING
    attempts = rehearsal.attempts()
    for number in NUMBERS:
        sent = [each for each in attempts[number] if each["disposition"] != "not_dialled"]
        assert [each["state"] for each in sent] == ["ended"]
        assert len(sent) == rehearsal.invites()[national(number)]


def test_a_second_one_with_the_same_settings_refuses_to_start(tmp_path: Path) -> None:
    with Rehearsal(tmp_path) as rehearsal:
        rehearsal.serve().until_ready()
        refused = rehearsal.run("serve")
        assert refused.returncode == 1
        assert refused.stderr.splitlines()[-1].startswith("tstn: port ")
        assert "set [health] port" in refused.stderr
        assert "Traceback" not in refused.stderr
