"""A text stops the call that its sender still had to expect, and it can be seen why. I/O.

Real Asterisks and a real SMPP link. The carrier's log is the judge: who has sent nothing is dialled
again in his time, by the same campaign.
"""

from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from domain.msisdn import national
from lab.behaviours import numbers_for
from lab.smsc.account_file import write_account_file
from lab.smsc.process import SmscProcess
from lab.smsc.subscribers import MO
from store.models import Target
from tests.acceptance.rehearsal import CAMPAIGN, Rehearsal, epoch, until

RETRY_SECONDS = 8
WAITING = {"max_attempts": 3, "retry.busy.max": 1, "retry.busy.delay_seconds": RETRY_SECONDS}
REGISTERS, REFUSES, SILENT = numbers_for("busy", 3)


@pytest.mark.parametrize("driver", ["ari", "agi"])
def test_who_texts_is_not_called_again(tmp_path: Path, short_prompts: Path, driver: str) -> None:
    accounts = tmp_path / "smsc.toml"
    sections = {"sms": {"smsc_file": str(accounts)}, "ivr": {"driver": driver}}
    with SmscProcess(tmp_path / "smsc", keeps_journal=False) as smsc:
        write_account_file(accounts, smsc)
        with Rehearsal(tmp_path, prompts=short_prompts, sections=sections) as rehearsal:
            rehearsal.load([REGISTERS, REFUSES, SILENT], cps=10, **WAITING)
            rehearsal.serve().until_ready()
            smsc.control.until(lambda counts: counts["bound"] >= 1, 30)
            until_they_wait(rehearsal)
            send(smsc, {REGISTERS: "TSTN", REFUSES: "TC"})
            check(rehearsal)


def check(rehearsal: Rehearsal) -> None:
    """The texts have come before the second call was due; then its time comes."""
    assert epoch() < min(retries_at(rehearsal).values()), "too late to prove anything"
    assert "held: already registered" in why_not(rehearsal, REGISTERS)
    assert "held: opted out" in why_not(rehearsal, REFUSES)
    assert "not before" in why_not(rehearsal, SILENT)
    rehearsal.until_finished(60)
    invites = rehearsal.invites()
    assert invites == {national(REGISTERS): 1, national(REFUSES): 1, national(SILENT): 2}
    assert "done: already registered" in why_not(rehearsal, REGISTERS)
    assert "done: opted out" in why_not(rehearsal, REFUSES)
    assert [row["msisdn"] for row in rehearsal.export("registrations")] == [REGISTERS]


def until_they_wait(rehearsal: Rehearsal) -> None:
    """All three were busy, and wait for their second call."""
    rehearsal.until_invited(3)
    until(
        lambda: len(retries_at(rehearsal)) == 3,
        RETRY_SECONDS,
        lambda: str(rehearsal.counts()),
    )


def retries_at(rehearsal: Rehearsal) -> dict[str, float]:
    """When each number that has been dialled is dialled again."""
    return rehearsal.read(_retries_at)


def _retries_at(connection: Connection) -> dict[str, float]:
    waits = select(Target.msisdn, Target.not_before).where(
        Target.state == "ready", Target.attempts_made == 1
    )
    return {msisdn: at.timestamp() for msisdn, at in connection.execute(waits)}


def send(smsc: SmscProcess, words: dict[str, str]) -> None:
    """Texts come in over SMPP, and are answered."""
    smsc.control.send(*(MO(n.removeprefix("+"), text=text) for n, text in words.items()))
    smsc.control.until(lambda counts: counts["mt"] >= len(words), RETRY_SECONDS)


def why_not(rehearsal: Rehearsal, number: str) -> str:
    """What the operator is told of one number."""
    return rehearsal.tstn("campaign", "why-not", CAMPAIGN, "--msisdn", number)
