"""Our process dies at three moments of a call; the next one takes each call over. I/O."""

from pathlib import Path

from domain.dispositions import Disposition
from domain.msisdn import national
from ivr.prompts import PROMPT_NAMES
from lab.behaviours import Timing, numbers_for
from lab.listen import hear, read_samples
from lab.network import CHECKOUT
from tests.acceptance.rehearsal import NO_RETRIES, Rehearsal, until

RINGING = numbers_for("no-answer", 3)
INVITED = numbers_for("press-1", 3)
THANKED = numbers_for("barge-1", 3)
NUMBERS = [*RINGING, *THANKED, *INVITED]
# Who is invited presses 1 well after the next server is there, whatever else the machine does.
TIMING = Timing(ring_seconds=0.3, think_seconds=11.0, barge_seconds=2.5)
REAL_PROMPTS = CHECKOUT / "var" / "prompts" / "vi-1"


def test_calls_that_ring_are_invited_or_thanked_go_on(tmp_path: Path) -> None:
    with Rehearsal(tmp_path, timing=TIMING, recording=True) as rehearsal:
        rehearsal.load(NUMBERS, cps=20, ring_timeout_seconds=12, **NO_RETRIES)
        server = rehearsal.serve()
        until(
            lambda: len(rehearsal.export("registrations")) == len(THANKED),
            20,
            lambda: f"{rehearsal.counts()}",
        )
        server.kill()
        server = rehearsal.serve()
        rehearsal.until_finished(60)
        assert set(rehearsal.invites().values()) == {1}
        assert f"{len(NUMBERS)} calls live, 0 ended unseen" in rehearsal.log()
        check_ends(rehearsal)
        check_what_they_heard(rehearsal)
        server.terminate()
        assert server.exit_status(20) == 0


def check_ends(rehearsal: Rehearsal) -> None:
    attempts = {number: attempt for number, [attempt] in rehearsal.attempts().items()}
    ends = {number: attempt["disposition"] for number, attempt in attempts.items()}
    assert ends == dict.fromkeys(RINGING, Disposition.NO_ANSWER) | dict.fromkeys(
        [*INVITED, *THANKED], Disposition.ANSWERED
    )
    assert {attempts[number]["hangup_cause"] for number in [*INVITED, *THANKED]} == {16}
    registered = [row["msisdn"] for row in rehearsal.export("registrations")]
    assert sorted(registered) == sorted([*INVITED, *THANKED])
    assert len(rehearsal.export("callbacks")) == len(registered)


def check_what_they_heard(rehearsal: Rehearsal) -> None:
    """Who had registered is thanked once more and in full, who had not is invited once more."""
    prompts = {name: read_samples(REAL_PROMPTS / f"{name}.wav") for name in PROMPT_NAMES}
    for number in [*INVITED, *THANKED]:
        [recording] = rehearsal.carrier.recordings(national(number))
        heard = hear(read_samples(recording), prompts)
        names = [each.name for each in heard if each.name != "offer"]
        again = ["after_1"] if number in THANKED else ["notice"]
        before = ["notice"] if number in INVITED else ["notice", "after_1"]
        assert names in (
            [*before, *again] if number in THANKED else [*before, *again, "after_1"],
            ["notice", "after_1"],  # the first time was too short to be told
        ), (number, names)
        assert heard[-1].heard_seconds > len(prompts["after_1"]) / 8000 - 1
