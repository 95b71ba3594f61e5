"""What Asterisk finds on this host: its own files, our configuration, our prompts. I/O."""

import filecmp
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from domain.errors import ConfigError
from runtime.asterisk_config import TEMPLATES, needed_modules, render
from runtime.check_lines import CheckLine, Verdict, some_of
from runtime.doctor.asterisk import judge_version
from runtime.install.places import has_account, may
from runtime.settings import Settings, require_secrets

CONFIGURATION = Path("/etc/asterisk")
SOUNDS = Path("/usr/share/asterisk/sounds/vi/tstn")
ACCOUNT = "asterisk"
_MODULES = ("/usr/lib/*/asterisk/modules", "/usr/lib/asterisk/modules")
_INSTALL = "apt-get install asterisk asterisk-modules asterisk-config, from Debian sid"
_READ, _SEARCH = 0o4, 0o5
_PATIENCE_SECONDS = 10


def look(settings: Settings) -> list[CheckLine]:
    """Its program and modules, the rendered configuration, the way to the prompts."""
    program = shutil.which("asterisk", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    installed = {file.name for place in _MODULES for file in Path("/").glob(f"{place[1:]}/*.so")}
    return [
        judge_program(program and _version(program)),
        judge_modules(needed_modules(settings), installed),
        _look_at_configuration(settings),
        _look_at_sounds(settings),
    ]


def judge_program(version: str | None) -> CheckLine:
    """Whether it is installed, in a version that may be trusted with calls."""
    if version is None:
        return CheckLine("Asterisk version", Verdict.FAIL, "not installed", _INSTALL)
    return judge_version(version)


def judge_modules(needed: list[str], installed: set[str]) -> CheckLine:
    """The files of all modules that the rendered modules.conf loads."""
    missing = [name for name in needed if name not in installed]
    if missing:
        says = f"missing: {some_of(missing)}"
        return CheckLine("Asterisk modules", Verdict.FAIL, says, _INSTALL)
    return CheckLine("Asterisk modules", Verdict.OK, f"all {len(needed)} are installed")


def judge_configuration(stale: list[str], unreadable: list[str], directory: Path) -> CheckLine:
    """Whether it says what the settings say, and Asterisk may read it."""
    name = "Asterisk configuration"
    if stale:
        says = f"not as the settings say: {some_of(stale)} in {directory}"
        todo = f"tstn asterisk render {directory}, as root, and systemctl restart asterisk"
        return CheckLine(name, Verdict.FAIL, says, todo)
    if unreadable:
        says = f"{ACCOUNT} may not read {some_of(unreadable)} in {directory}"
        return CheckLine(name, Verdict.FAIL, says, f"chgrp {ACCOUNT} {directory}/*.conf")
    return CheckLine(name, Verdict.OK, f"{directory} is as the settings say")


def judge_sounds(prompts: Path, leads_to: Path | None, readable: bool) -> CheckLine:
    """Whether the prompts are where Asterisk looks for them."""
    name = "way to the prompts"
    if leads_to is None or leads_to != prompts.resolve():
        says = f"{SOUNDS} is not {prompts}"
        todo = f"mkdir -p {SOUNDS.parent} && ln -sfn {prompts} {SOUNDS}"
        return CheckLine(name, Verdict.FAIL, says, todo)
    if not readable:
        says = f"{ACCOUNT} may not read {prompts}"
        todo = f"chmod o+x the directories above it, and chmod -R o+rX {prompts}"
        return CheckLine(name, Verdict.FAIL, says, todo)
    return CheckLine(name, Verdict.OK, f"{SOUNDS} is {prompts}")


def _version(program: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 (a program of this host, no words from outside)
            [program, "-V"], capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _look_at_configuration(settings: Settings) -> CheckLine:
    names = [file.name for file in sorted(TEMPLATES.glob("*.conf"))]
    try:
        require_secrets(settings)
    except ConfigError:
        return judge_configuration(names, [], CONFIGURATION)
    with TemporaryDirectory() as directory:
        render(settings, Path(directory))
        stale = [n for n in names if not _is_same(Path(directory) / n, CONFIGURATION / n)]
    unreadable = [n for n in names if not _asterisk_may(CONFIGURATION / n, _READ)]
    return judge_configuration(stale, unreadable, CONFIGURATION)


def _look_at_sounds(settings: Settings) -> CheckLine:
    prompts = settings.ivr.prompts_dir
    leads_to = SOUNDS.resolve() if SOUNDS.exists() else None
    return judge_sounds(prompts, leads_to, _asterisk_may(prompts.resolve(), _SEARCH))


def _is_same(rendered: Path, installed: Path) -> bool:
    try:
        return filecmp.cmp(rendered, installed, shallow=False)
    except OSError:
        return False


def _asterisk_may(path: Path, wanted: int) -> bool:
    """Whether its account has these rights; before the package is installed there is none."""
    return not has_account(ACCOUNT) or may(ACCOUNT, path, wanted)
