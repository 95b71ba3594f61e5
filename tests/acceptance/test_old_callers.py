"""A killed Asterisk's callers stay on the line: their keys are not those of the next calls. I/O."""

from pathlib import Path

from domain.msisdn import national
from lab.behaviours import Timing, numbers_for
from tests.acceptance.rehearsal import NO_RETRIES, Rehearsal, until

TIMING = Timing(ring_seconds=0.3, think_seconds=15, leave_seconds=16)
ONE_CALL = {"rtp_start": 9998, "rtp_end": 9999}
[OLD], [NEW] = numbers_for("press-1"), numbers_for("hang-up-early")


def test_a_key_pressed_for_a_killed_asterisk_registers_nobody(tmp_path: Path) -> None:
    """The next call has the port of the first: there is only one."""
    with Rehearsal(tmp_path, timing=TIMING, sections={"asterisk": ONE_CALL}) as rehearsal:
        rehearsal.load([OLD, NEW], cps=5, max_channels=1, **NO_RETRIES)
        rehearsal.serve()
        until(lambda: "answer" in steps(rehearsal, OLD), 20, lambda: "not answered")
        rehearsal.asterisk.kill()
        rehearsal.asterisk.start()
        until(lambda: "key" in steps(rehearsal, OLD), 30, lambda: "no key of the first caller")
        assert steps(rehearsal, NEW) == ["invite", "answer"]
        rehearsal.until_finished(40)
        [attempt] = rehearsal.attempts()[NEW]
        assert (attempt["disposition"], attempt["keys"]) == ("answered", [])
        assert rehearsal.export("registrations") == []


def steps(rehearsal: Rehearsal, number: str) -> list[str]:
    """What the carrier has logged of a number's call, in order."""
    events = rehearsal.carrier.events()
    return [event.event for event in events if event.number == national(number)]
