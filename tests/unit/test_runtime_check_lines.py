"""The lines of a check: how they are shown, and the exit status that follows."""

import json
from argparse import Namespace

import pytest

from runtime.check_lines import CheckLine, Verdict, some_of
from runtime.cli.check_view import show_lines

WELL = CheckLine("disk", Verdict.OK, "40 GB free")
DOUBTFUL = CheckLine("clock", Verdict.WARN, "not synchronised", "start chrony")
BROKEN = CheckLine("trunk", Verdict.FAIL, "does not answer", "look at [trunk] host")


@pytest.mark.parametrize(
    ("lines", "status"), [([], 0), ([WELL, DOUBTFUL], 0), ([WELL, BROKEN, DOUBTFUL], 1)]
)
def test_only_a_failure_fails(lines: list[CheckLine], status: int) -> None:
    assert show_lines(Namespace(json=False), lines) == status


def test_what_to_do_stands_below_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_lines(Namespace(json=False), [WELL, BROKEN])
    well, broken, todo = capsys.readouterr().out.splitlines()
    assert well.split() == ["ok", "disk", "40", "GB", "free"]
    assert broken.split()[:2] == ["fail", "trunk"]
    assert todo.strip() == "→ look at [trunk] host"


def test_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_lines(Namespace(json=True), [DOUBTFUL, BROKEN]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert answer["lines"][0] == {
        "name": "clock",
        "verdict": "warn",
        "says": "not synchronised",
        "todo": "start chrony",
    }


def test_many_names_are_cut_short() -> None:
    assert some_of(["a", "b", "c", "d"]) == "a, b, c, d"
    assert some_of([*"abcdef"]) == "a, b, c, d and 2 more"
