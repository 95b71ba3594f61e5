"""`tstn` as a user types it: each command is printed, then run. I/O."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from lab.child import LabError
from lab.network import CHECKOUT
from runtime.settings_load import CONFIG_VARIABLE, OTHER_VARIABLES


def tstn_program() -> Path:
    """The `tstn` beside this Python, as seen from the checkout. Raises LabError without one."""
    program = Path(sys.executable).with_name("tstn")
    if not program.exists():
        raise LabError(f"no {program}: run `make setup`")
    return program.relative_to(CHECKOUT) if program.is_relative_to(CHECKOUT) else program


def use_settings(file: Path) -> None:
    """Make every `tstn` of ours read `file`, and nothing else of the environment.

    A rehearsal must never reach a real trunk because a TSTN_TRUNK_HOST was lying about.
    """
    for variable in [name for name in os.environ if name.startswith("TSTN_")]:
        if variable not in OTHER_VARIABLES:
            del os.environ[variable]
    os.environ[CONFIG_VARIABLE] = str(file)


class CommandLine:
    """Runs `tstn` commands in the checkout; the files they are given are relative to it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._program = tstn_program()

    def show(self, command: str) -> None:
        """Print a command line that a user may copy."""
        self._console.print(f"[bold cyan]$[/] [cyan]{command}[/]", highlight=False, soft_wrap=True)

    def name(self, *arguments: str, after: str = "") -> list[str]:
        """Print `tstn arguments`, with what a shell gets `after` it; give the command to run."""
        command = [str(self._program), *arguments]
        self.show(shlex.join(command) + after)
        return command

    def run(self, *arguments: str) -> None:
        """Run `tstn arguments`; its answer goes to our own output. Raises LabError as it failed."""
        command = self.name(*arguments)
        self._console.file.flush()
        _finish(command, stdout=None)

    def save(self, into: Path, *arguments: str) -> str:
        """Run `tstn arguments > into`, and give the answer. Raises LabError as it failed."""
        answer = _finish(self.name(*arguments, after=f" > {into}"), stdout=subprocess.PIPE)
        into.write_text(answer, encoding="utf-8")
        return answer


def _finish(command: Sequence[str], stdout: int | None) -> str:
    done = subprocess.run(
        command, cwd=CHECKOUT, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise LabError(f"`{shlex.join(command)}` failed: {done.stderr.strip()}")
    return done.stdout or ""
