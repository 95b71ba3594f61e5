"""docs/runbook.md: its commands exist, those marked `run` work, no alarm is left out. I/O."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from lab.network import CHECKOUT
from lab.ports import free_ports
from runtime.cli.arguments import build_parser
from tests.command_line import make_directory

TEXT = (CHECKOUT / "docs" / "runbook.md").read_text(encoding="utf-8")
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```bash( run| compose| host)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`…]+)`")
BY = re.compile(r"(sudo (-u \S+ )?|docker-compose (exec|run)( -\S+)* server )?(\.venv/bin/)?tstn ")
ENDS = {"|", ">", ">>", "&", "&&", ";"}
ALERTS = CHECKOUT / "config" / "prometheus" / "alerts.yml"


def commands_of(text: str) -> list[str]:
    """Every `tstn …` of a page: of its blocks, and of its sentences."""
    lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
    lines += [
        line
        for block in re.findall(r"^```\n(.*?)^```", text, re.M | re.S)
        for line in block.splitlines()
    ]
    found = [part for line in lines for part in line.split("&&")]
    found += [" ".join(inline.split()) for inline in INLINE.findall(BLOCK.sub("", text))]
    return [one.strip() for one in found if BY.match(one.strip())]


def words_of(command: str) -> list[str]:
    """What the command is given, without what a shell would take."""
    words = shlex.split(BY.sub("", command, count=1), comments=True)
    ends = [place for place, word in enumerate(words) if word in ENDS]
    words = words[: ends[0]] if ends else words
    return ["7" if word == "IMPORT" else word for word in words]


@pytest.mark.parametrize("command", sorted(set(commands_of(TEXT) + commands_of(README))))
def test_a_command_that_is_mentioned_exists(command: str) -> None:
    words = words_of(command)
    assert parses(words) or parses([*words, "--help"]), command


def parses(words: list[str]) -> bool:
    """Whether the command line takes these words; with --help the first ones of a command do."""
    try:
        build_parser().parse_args(words)
    except SystemExit as end:
        return end.code == 0
    return True


def test_there_are_commands_to_check() -> None:
    assert len(set(commands_of(TEXT))) > 35
    assert "tstn restore backups/first --overwrite" in commands_of(TEXT)
    assert not parses(words_of("tstn backup --fast DIR"))
    assert not parses([*words_of("tstn campaign strat C"), "--help"])


def test_every_alarm_has_its_section_and_every_section_its_alarm() -> None:
    rules = [
        rule["alert"]
        for group in yaml.safe_load(ALERTS.read_text())["groups"]
        for rule in group["rules"]
    ]
    assert re.findall(r"^### (Tstn\w+)$", TEXT, re.MULTILINE) == rules


def test_what_is_marked_runs(tmp_path: Path) -> None:
    """One command after the other, in the order of the page; each must do well."""
    tstn = make_directory(tmp_path)
    tstn.environment["TSTN_HEALTH_PORT"] = str(free_ports(1)[0])
    shutil.copy(CHECKOUT / "config" / "campaigns" / "example.toml", tmp_path / "campaign.toml")
    shutil.copy(CHECKOUT / "config" / "districts-phase1.csv", tmp_path / "phases.csv")
    numbers = [f"090123450{digit}" for digit in range(10)]
    tstn.write("password.txt", "một mật khẩu đủ dài\n")
    tstn.write("do-not-call.csv", "msisdn\n0901234599\n")
    tstn.write("numbers.csv", "\n".join(["msisdn,province", *(f"{n},Vĩnh Long" for n in numbers)]))
    tstn.write("records.csv", "\n".join(["msisdn", *numbers[:3]]))
    said = ""
    for command in [
        line for run, block in BLOCK.findall(TEXT) if run == " run" for line in block.splitlines()
    ]:
        answer, _ = tstn.run(*words_of(command))
        if into := re.search(r"> (\S+)", command):
            tstn.write(into[1], answer)
        said += answer
    assert "campaign phase-1-list-1 is running" in said
    assert re.search(r"phase-1-list-1 +paused", said)
    assert re.search(r"counted as contacted once +3", said)
    assert (tmp_path / "registrations.jsonl").read_text() == ""
    assert (tmp_path / "backups" / "first" / "manifest.json").exists()
