"""`tstn doctor` before real Asterisks: what is well, and each thing that may be wrong. I/O."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from runtime.check_lines import CheckLine, Verdict
from runtime.doctor import asterisk
from runtime.settings import Settings
from tests.acceptance.rehearsal import Rehearsal, until

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL


@contextmanager
def network(directory: Path, driver: str) -> Iterator[Rehearsal]:
    with Rehearsal(directory, sections={"ivr": {"driver": driver}}) as running:
        until_answers(running, answers=True)
        yield running


def until_answers(running: Rehearsal, *, answers: bool) -> None:
    """Return once Asterisk has seen that the carrier answers, or that it does not."""
    word = "Avail" if answers else "Unavail"

    def seen() -> bool:
        running.asterisk.cli("pjsip qualify carrier")
        return any(word in line.split() for line in contacts().splitlines())

    def contacts() -> str:
        return running.asterisk.cli("pjsip show contacts")

    until(seen, 30, contacts, every=0.5)


def lines_of(settings: Settings) -> dict[str, CheckLine]:
    return {line.name: line for line in asyncio.run(asterisk.look(settings))}


def doctor(running: Rehearsal) -> dict[str, dict[str, Any]]:
    ran: subprocess.CompletedProcess[str] = running.run("doctor", "--json")
    return {line["name"]: line for line in json.loads(ran.stdout)["lines"]}


def test_with_ari(tmp_path: Path) -> None:
    with network(tmp_path, "ari") as running:
        settings = running.network.settings
        lines = lines_of(settings)
        assert {name: line.verdict for name, line in lines.items()} == dict.fromkeys(
            (
                *("Asterisk ARI", "Asterisk version", "Asterisk modules", "trunk"),
                "Asterisk AMI",
            ),
            OK,
        )
        wrong_passwords(settings)
        other_trunk(settings)
        server = running.serve()
        server.until_ready()
        with_server = doctor(running)
        assert with_server["server"]["verdict"] == "ok"
        assert with_server["open files"]["verdict"] == "ok"
        assert {with_server[name]["verdict"] for name in lines} == {"ok"}
        server.terminate()
        server.exit_status(20)

        running.carrier.stop()
        until_answers(running, answers=False)
        running.asterisk.cli("module unload app_queue.so")
        lines = lines_of(settings)
        assert lines["trunk"].verdict is FAIL
        assert "does not answer" in lines["trunk"].says
        assert lines["Asterisk modules"].verdict is FAIL
        assert "app_queue.so" in lines["Asterisk modules"].says

        running.asterisk.kill()
        lines = lines_of(settings)
        assert {name: line.verdict for name, line in lines.items()} == {
            "Asterisk ARI": FAIL,
            "Asterisk AMI": FAIL,
        }
        assert doctor(running)["server"]["verdict"] == "warn"


def wrong_passwords(settings: Settings) -> None:
    wrong = replace(settings.asterisk, ari_password="x" * 20, ami_secret="y" * 20)
    lines = lines_of(replace(settings, asterisk=wrong))
    assert {line.verdict for line in lines.values()} == {FAIL}
    assert all("not let us in" in line.says for line in lines.values())
    missing = replace(settings.asterisk, ari_password="")
    lines = lines_of(replace(settings, asterisk=missing))
    assert {name: line.verdict for name, line in lines.items()} == {"Asterisk passwords": FAIL}


def other_trunk(settings: Settings) -> None:
    trunk = replace(settings.trunk, name="other")
    lines = lines_of(replace(settings, trunk=trunk))
    assert lines["trunk"].verdict is FAIL
    assert "no endpoint other" in lines["trunk"].says


def test_with_agi(tmp_path: Path) -> None:
    with network(tmp_path, "agi") as running:
        settings = running.network.settings
        lines = lines_of(settings)
        assert {name: line.verdict for name, line in lines.items()} == {
            "Asterisk AMI": OK,
            "Asterisk version": OK,
            "Asterisk modules": WARN,
            "trunk": OK,
        }
        other_trunk(settings)
        running.carrier.stop()
        until_answers(running, answers=False)
        assert (lines_of(settings))["trunk"].verdict is FAIL
        running.asterisk.freeze()
        frozen = lines_of(settings)
        running.asterisk.thaw()
        assert frozen["Asterisk AMI"].verdict is FAIL
