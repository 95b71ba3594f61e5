"""Every line of `tstn doctor` has a test in each of its verdicts, which is named here.

A line that is new, or comes out in a new way, fails until a test for it is named too.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from lab.network import CHECKOUT

DOCTOR = CHECKOUT / "runtime" / "doctor"
PURE = "unit/test_runtime_doctor.py"
LOOKS = "integration/test_runtime_doctor.py"
REAL = "acceptance/test_doctor_real.py"

# Where a line is made, its verdicts in the order of the code, and the tests that see them all.
LINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "asterisk.look": ("FAIL", (f"{REAL}::wrong_passwords",)),
    "asterisk.judge_version": (
        "WARN WARN WARN OK",
        (
            f"{PURE}::test_releases_that_lock_up_or_were_never_tried_are_warned_of",
            f"{PURE}::test_the_releases_that_lock_up_are_named_as_such",
        ),
    ),
    "asterisk.judge_modules": (
        "FAIL OK",
        (f"{PURE}::test_the_modules_are_those_of_the_rendered_file",),
    ),
    "asterisk.judge_trunk": ("FAIL OK WARN FAIL", (f"{PURE}::test_the_trunk",)),
    "asterisk._look_by_ari": ("FAIL OK", (f"{REAL}::test_with_ari",)),
    "asterisk._look_by_ami": ("OK FAIL WARN", (f"{REAL}::test_with_agi",)),
    "clock.judge_set": ("WARN WARN OK", (f"{PURE}::test_a_clock_that_nobody_sets_is_warned_of",)),
    "clock.judge_zone": ("FAIL OK", (f"{LOOKS}::test_a_host_whose_zone_is_another_one",)),
    "clock.judge_apart": ("FAIL WARN OK", (f"{PURE}::test_clocks_apart",)),
    "clock._apart": ("WARN", (f"{LOOKS}::test_the_clock_of_the_database",)),
    "clock._compare": ("OK", (f"{LOOKS}::test_the_clock_of_the_database",)),
    "database.looked_at": (
        "FAIL FAIL",
        (
            f"{LOOKS}::test_a_database_that_is_not_there",
            f"{LOOKS}::test_a_store_that_can_not_be_one",
        ),
    ),
    "database._ask": (
        "FAIL OK",
        (
            f"{LOOKS}::test_a_database_that_is_not_there",
            f"{LOOKS}::test_a_database_that_is_well",
        ),
    ),
    "database.judge_revision": ("OK FAIL FAIL FAIL", (f"{PURE}::test_revisions",)),
    "disk._look": ("FAIL", (f"{LOOKS}::test_disks",)),
    "disk.judge_room": ("FAIL WARN OK", (f"{PURE}::test_room",)),
    "do_not_call.look": ("WARN", (f"{LOOKS}::test_do_not_call_lists",)),
    "do_not_call.judge": (
        "FAIL WARN WARN OK",
        (
            f"{PURE}::test_do_not_call_lists_by_their_age",
            f"{PURE}::test_no_do_not_call_list",
        ),
    ),
    "open_files.judge_limit": ("OK FAIL WARN", (f"{PURE}::test_limits_of_open_files",)),
    "prompts.look": ("FAIL FAIL OK", (f"{LOOKS}::test_prompts",)),
    "server.judge": ("WARN OK FAIL", (f"{PURE}::test_the_server",)),
    "smpp.look": ("FAIL OK", (f"{LOOKS}::test_an_smsc_that_nobody_is_bound_to_is_tried",)),
    "smpp.judge": (
        "WARN FAIL WARN OK",
        (f"{PURE}::test_a_bind_as_the_running_server_has_it",),
    ),
    "smpp._tried": ("FAIL OK", (f"{LOOKS}::test_an_smsc_that_nobody_is_bound_to_is_tried",)),
}
"""A test that is not a `test_` is a part of one."""


def made() -> Iterator[tuple[int, str, str]]:
    """Each verdict that a line may be made with: where in the file, by which function."""
    for file in sorted(DOCTOR.glob("*.py")):
        for function in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for at, verdict in verdicts_of(function):
                    yield at, f"{file.stem}.{function.name}", verdict


def verdicts_of(function: ast.AST) -> Iterator[tuple[int, str]]:
    """Those that stand in a CheckLine, or are chosen for one before."""
    for node in ast.walk(function):
        chosen: list[ast.expr] = []
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "CheckLine":
            chosen = node.args[1:2]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "verdict":
            chosen = [node.value]
        for expression in chosen:
            for one in ast.walk(expression):
                if isinstance(one, ast.Attribute):
                    yield one.lineno, one.attr


def test_every_line_is_named_here_with_its_verdicts() -> None:
    found = {
        where: Counter(verdict for *_, verdict in those)
        for where, those in groupby(sorted(made(), key=lambda one: one[1]), lambda one: one[1])
    }
    assert found == {where: Counter(verdicts.split()) for where, (verdicts, _) in LINES.items()}


@pytest.mark.parametrize("where", LINES)
def test_its_tests_are_there_and_look_for_each_verdict(where: str) -> None:
    verdicts, tests = LINES[where]
    looked_for = "".join(source_of(test) for test in tests)
    for verdict in set(verdicts.split()):
        assert verdict in looked_for or f'"{verdict.lower()}"' in looked_for, verdict


def source_of(test: str) -> str:
    """The text of a test with its table of cases. Raises StopIteration where there is none."""
    name, _, function = test.partition("::")
    text = (CHECKOUT / "tests" / Path(name)).read_text(encoding="utf-8")
    node = next(each for each in ast.parse(text).body if getattr(each, "name", "") == function)
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
