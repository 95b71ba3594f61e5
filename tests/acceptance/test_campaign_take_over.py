"""Our process dies at three moments of a call; the next one takes each call over. I/O."""

from pathlib import Path

import pytest

from domain.dispositions import Disposition
from domain.msisdn import national
from ivr.prompts import PROMPT_NAMES
from lab.behaviours import Timing, numbers_for
from lab.listen import hear, read_samples
from tests.acceptance.rehearsal import NO_RETRIES, Rehearsal, until

RINGING = numbers_for("no-answer", 3)
INVITED = numbers_for("press-1", 3)
THANKED = numbers_for("barge-1", 3)
NUMBERS = [*RINGING, *THANKED, *INVITED]
# Who is invited presses 1 well after the next server is there, whatever else the machine does.
TIMING = Timing(ring_seconds=0.3, think_seconds=9.0, barge_seconds=1.0)
AGAIN = ("notice", "after_1", "after_1")
HEARD = {
    **dict.fromkeys(INVITED, (("notice", "notice", "after_1"),)),
    **dict.fromkeys(THANKED, (AGAIN,)),
}
"""The beginnings of what was said: the invitation anew, or the thank-you anew."""
HEARD_BY_AGI = HEARD | dict.fromkeys(THANKED, (AGAIN, AGAIN[:2]))
"""Asterisk falls silent with the process that plays by AGI: a thank-you may just have begun."""


@pytest.mark.parametrize("driver", ["ari", "agi"])
def test_calls_that_ring_are_invited_or_thanked_go_on(
    tmp_path: Path, short_prompts: Path, driver: str
) -> None:
    with Rehearsal(
        tmp_path,
        timing=TIMING,
        recording=True,
        prompts=short_prompts,
        sections={"ivr": {"driver": driver}},
    ) as rehearsal:
        rehearsal.load(NUMBERS, cps=20, ring_timeout_seconds=10, **NO_RETRIES)
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
        check_what_they_heard(rehearsal, short_prompts, HEARD if driver == "ari" else HEARD_BY_AGI)
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


def check_what_they_heard(
    rehearsal: Rehearsal, directory: Path, expected_of: dict[str, tuple[tuple[str, ...], ...]]
) -> None:
    """Who had registered is thanked once more, who had not is invited once more."""
    prompts = {name: read_samples(directory / "vi-1" / f"{name}.wav") for name in PROMPT_NAMES}
    for number, expected in expected_of.items():
        [recording] = rehearsal.carrier.recordings(national(number))
        heard = [each.name for each in hear(read_samples(recording), prompts)]
        said = tuple(name for name in heard if name in expected[0])
        assert said in expected, (number, heard)
