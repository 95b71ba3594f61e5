"""`tstn install-check`: every line comes out well and not well, and says what to do."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.check_lines import CheckLine, Verdict
from runtime.install import asterisk_files, kernel, names, places, programs, units
from runtime.settings import AsteriskSettings

OK, WARN, FAIL = Verdict
ASTERISK = AsteriskSettings()
SECRETS = Path("/opt/tstn/var/secrets.toml")
PROMPTS = Path("/opt/tstn/var/prompts")
ETC = Path("/etc/asterisk")

Judged = Callable[[], CheckLine]
CASES: list[tuple[Verdict, Judged]] = [
    (OK, lambda: programs.judge_python((3, 11))),
    (FAIL, lambda: programs.judge_python((3, 10))),
    (OK, lambda: programs.judge_tool("sox", "/usr/bin/sox")),
    (FAIL, lambda: programs.judge_tool("sox", None)),
    (OK, lambda: programs.judge_pages([])),
    (FAIL, lambda: programs.judge_pages(["htmx.min.js"])),
    (OK, lambda: programs.judge_machine(2, 4000)),
    (WARN, lambda: programs.judge_machine(1, 4000)),
    (WARN, lambda: programs.judge_machine(2, 900)),
    (OK, lambda: places.judge_account("tstn", exists=True)),
    (FAIL, lambda: places.judge_account("tstn", exists=False)),
    (OK, lambda: places.judge_directory("spool", ETC, exists=True, writable=True)),
    (FAIL, lambda: places.judge_directory("spool", ETC, exists=True, writable=False)),
    (FAIL, lambda: places.judge_directory("spool", ETC, exists=False, writable=False)),
    (OK, lambda: places.judge_secrets(SECRETS, 0o600, readable=True)),
    (FAIL, lambda: places.judge_secrets(SECRETS, 0o600, readable=False)),
    (FAIL, lambda: places.judge_secrets(SECRETS, 0o640, readable=True)),
    (FAIL, lambda: places.judge_secrets(SECRETS, None, readable=False)),
    (OK, lambda: asterisk_files.judge_program("Asterisk 22.10.1")),
    (WARN, lambda: asterisk_files.judge_program("Asterisk 22.9.0")),
    (FAIL, lambda: asterisk_files.judge_program(None)),
    (OK, lambda: asterisk_files.judge_modules(["res_ari.so"], {"res_ari.so", "x.so"})),
    (FAIL, lambda: asterisk_files.judge_modules(["res_ari.so"], {"x.so"})),
    (OK, lambda: asterisk_files.judge_configuration([], [], ETC)),
    (FAIL, lambda: asterisk_files.judge_configuration(["ari.conf"], [], ETC)),
    (FAIL, lambda: asterisk_files.judge_configuration([], ["ari.conf"], ETC)),
    (OK, lambda: asterisk_files.judge_sounds(PROMPTS, PROMPTS, readable=True)),
    (FAIL, lambda: asterisk_files.judge_sounds(PROMPTS, PROMPTS, readable=False)),
    (FAIL, lambda: asterisk_files.judge_sounds(PROMPTS, ETC, readable=True)),
    (FAIL, lambda: asterisk_files.judge_sounds(PROMPTS, None, readable=True)),
    (OK, lambda: units.judge_unit("tstn.service", "[Unit]\n", "[Unit]\n")),
    (WARN, lambda: units.judge_unit("tstn.service", "[Unit]\n", "[Unit]\nX=1\n")),
    (FAIL, lambda: units.judge_unit("tstn.service", "[Unit]\n", None)),
    (OK, lambda: names.judge_name("host name", "Vm", {"vm", "localhost"})),
    (WARN, lambda: names.judge_name("host name", "vm", {"localhost"})),
    (OK, lambda: kernel.judge_ports(ASTERISK, [32768, 60999], "")),
    (OK, lambda: kernel.judge_ports(ASTERISK, [], "")),
    (WARN, lambda: kernel.judge_ports(ASTERISK, [15000, 60999], "8080,10000-15000")),
    (OK, lambda: kernel.judge_ports(ASTERISK, [15000, 60999], "8080,10000-20000")),
    (OK, lambda: kernel.judge_calls(ASTERISK, 5000)),
    (FAIL, lambda: kernel.judge_calls(ASTERISK, 5001)),
    (OK, lambda: kernel.judge_limit("kernel.pid_max", "threads", 4000, 4000)),
    (FAIL, lambda: kernel.judge_limit("kernel.pid_max", "threads", 3999, 4000)),
]


@pytest.mark.parametrize(("verdict", "judged"), CASES)
def test_each_line_in_each_verdict(verdict: Verdict, judged: Judged) -> None:
    line = judged()
    assert line.verdict is verdict
    assert bool(line.todo) is (verdict is not OK)


def test_the_names_of_a_hosts_file() -> None:
    text = "127.0.0.1 localhost Vm # no.name\n\n# 10.0.0.1 nobody\n::1\tip6-localhost\n"
    assert names.known_names(text) == {"localhost", "vm", "ip6-localhost"}


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another account")
@pytest.mark.parametrize(
    ("mode", "owner", "wanted", "may"),
    [
        (0o700, 0, 0o4, False),
        (0o704, 0, 0o4, True),
        (0o704, 0, 0o6, False),
        (0o600, 65534, 0o6, True),
        (0o077, 65534, 0o4, False),
    ],
)
def test_what_an_account_may_do(
    tmp_path: Path, mode: int, owner: int, wanted: int, may: bool
) -> None:
    for directory in (tmp_path, *tmp_path.parents[:3]):
        directory.chmod(directory.stat().st_mode | 0o1)
    file = tmp_path / "file"
    file.touch()
    file.chmod(mode)
    os.chown(file, owner, 0)
    assert places.may("nobody", file, wanted) is may


def test_nobody_reaches_a_file_in_a_closed_directory(tmp_path: Path) -> None:
    file = tmp_path / "closed" / "file"
    file.parent.mkdir(mode=0o700)
    file.touch(mode=0o644)
    assert not places.may("nobody", file, 0o4)
    assert not places.may("nobody", tmp_path / "nothing", 0o4)
