"""The command line as it is written: every command, its help, its handler. Pure."""

import shlex
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest

from runtime.cli.arguments import build_parser
from runtime.cli.campaign_view import changes_table, counts_table
from runtime.cli.output import show

COMMANDS = {
    "migrate",
    "serve",
    "health",
    "check-config",
    *("doctor", "backup", "restore", "audience contacted"),
    "install-check",
    *(f"campaign {verb}" for verb in ("create", "list", "show", "start", "pause", "stop", "tune")),
    "campaign why-not",
    *(f"dnc {verb}" for verb in ("import", "show")),
    *(f"phases {verb}" for verb in ("import", "show")),
    *(f"subscriber {verb}" for verb in ("show", "export", "erase")),
    *(f"retention {verb}" for verb in ("show", "run")),
    "rehearse",
    "campaign variants",
    *(f"campaign {verb}" for verb in ("preview", "revert", "recycle", "test-call")),
    *(f"brakes {verb}" for verb in ("show", "override", "release")),
    "limits show",
    "limits set",
    "limits revert",
    *(f"audience {verb}" for verb in ("import", "imports", "undo", "follow")),
    *(f"export {kind}" for kind in ("attempts", "registrations", "callbacks", "messages")),
    "timeline",
    "sms status",
    "token create",
    "token list",
    "token revoke",
    "sms send",
    "keywords try",
    *(f"user {verb}" for verb in ("add", "list", "change", "disable", "password")),
    "prompts build",
    "asterisk render",
}


def leaves(parser: ArgumentParser, path: str = "") -> Iterator[tuple[str, ArgumentParser]]:
    """Every command that does something, by its words."""
    groups = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    if not groups:
        yield path, parser
    for group in groups:
        for name, inner in group.choices.items():
            yield from leaves(inner, f"{path} {name}".strip())


ALL = dict(leaves(build_parser()))
GROUPS = sorted({name.rpartition(" ")[0] for name in ALL})


def test_the_commands() -> None:
    assert set(ALL) == COMMANDS


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_command_has_a_handler(command: str) -> None:
    module, _, function = ALL[command].get_default("handler").partition(":")
    handler = import_module(f"runtime.cli.{module}")
    assert getattr(handler, function).__module__ == handler.__name__


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_ends_with_an_example_that_is_understood(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exited:
        build_parser().parse_args([*command.split(), "--help"])
    assert exited.value.code == 0
    example = shlex.split(capsys.readouterr().out.rpartition("example:\n")[2])
    assert example[0] == "tstn"
    words = [word for word in example[1:] if word != ">" and not word.endswith(".jsonl")]
    assert build_parser().parse_args(words).handler == ALL[command].get_default("handler")


@pytest.mark.parametrize("group", GROUPS)
def test_help_of_a_group_names_its_commands(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        build_parser().parse_args([*group.split(), "--help"])
    assert exited.value.code == 0
    shown = capsys.readouterr().out
    inner = {name.removeprefix(group).split()[0] for name in ALL if name.startswith(group)}
    assert [name for name in inner if f"\n    {name}" not in shown] == []


@pytest.mark.parametrize(
    "words",
    [
        "--json --config a.toml campaign list",
        "campaign --json --config a.toml list",
        "campaign list --json --config a.toml",
        "--config a.toml campaign list --json",
    ],
)
def test_json_and_config_stand_anywhere(words: str) -> None:
    arguments = build_parser().parse_args(words.split())
    assert (arguments.json, arguments.config) == (True, Path("a.toml"))


def test_json_and_config_may_be_left_out() -> None:
    arguments = build_parser().parse_args(["campaign", "list"])
    assert (arguments.json, arguments.config) == (False, None)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "campaign",
        "campain list",
        "campaign show",
        "campaign tune c",
        "campaign create",
        "limits set global",
        "audience import a.csv",
        "audience import --campaign c",
        "audience imports",
        "audience undo seven",
        "audience undo 99999999999999999999",
        "export attempts",
        "export calls --campaign c",
        "export messages --campaign c",
        "sms send 0901234567",
        "keywords try",
        "timeline",
        "prompts build --if",
        "asterisk render",
    ],
)
def test_wrong_usage_is_told_with_status_2(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        build_parser().parse_args(words.split())
    assert exited.value.code == 2
    assert "error:" in capsys.readouterr().err


def printed(capsys: pytest.CaptureFixture[str], *readable: object) -> list[str]:
    arguments = build_parser().parse_args(["campaign", "list"])
    show(arguments, None, *readable)  # type: ignore[arg-type]
    return capsys.readouterr().out.splitlines()


def test_of_tuned_rules_only_the_changed_ones_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rule = {"max": 2, "delay_seconds": 60.0, "factor": 1.0}
    before = {"cps": 5.0, "retry": {"busy": rule, "unknown": rule}, "started_at": None}
    started_at = datetime(2026, 3, 26, 1, 30, tzinfo=UTC)
    after = {
        "cps": 8.0,
        "retry": {"busy": rule | {"factor": 2.0}, "unknown": rule, "rejected": rule},
        "started_at": started_at,
    }
    assert printed(capsys, changes_table(before, after)) == [
        "cps             5                  →  8",
        "started_at      not set            →  26/03/2026 08:30",
        "retry.busy      max 2, after 60 s  →  max 2, after 60 s, then ×2",
        "retry.rejected  none               →  max 2, after 60 s",
    ]


def test_counts_come_with_the_most_frequent_first(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {"targets": {"ready": 1, "done": 12}, "attempts": {}}
    assert printed(capsys, counts_table(counts)) == [
        "targets   done   12",
        "          ready  1",
        "attempts  none   0",
    ]


def test_brackets_in_a_cell_are_no_markup_and_long_cells_are_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    long = "x" * 200
    assert printed(capsys, counts_table({f"[red]{long}": {":smile:": 1}})) == [
        f"[red]{long}  :smile:  1"
    ]
