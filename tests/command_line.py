"""The real `tstn` with a directory of its own, for tests. I/O."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any
from unittest.mock import patch

from runtime.cli.main import main

TSTN = Path(sys.executable).with_name("tstn")
ROOT = Path(__file__).parents[1]


async def no_metrics() -> bytes:
    """Of a server that counts nothing."""
    return b""


@dataclass
class Tstn:
    """`tstn` with a settings file, a store and prompts of its own in `directory`."""

    directory: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *words: object, **more: Any) -> subprocess.Popen[str]:
        """The command as a process with pipes."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        return subprocess.Popen(
            [str(TSTN), *self._arguments(words)],
            cwd=self.directory,
            env=self._environment(),
            text=True,
            **pipes,
        )

    def run(self, *words: object, status: int = 0) -> tuple[str, str]:
        """What the command writes to stdout and stderr; its exit status must be `status`."""
        out, err = TextIOWrapper(BytesIO(), write_through=True), StringIO()
        with (
            chdir(self.directory),
            patch.dict(os.environ, self._environment(), clear=True),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            assert exit_status(self._arguments(words)) == status, err.getvalue()
        out.seek(0)
        return out.read(), err.getvalue()

    def _arguments(self, words: Sequence[object]) -> list[str]:
        return ["--config", "config/tstn.toml", *map(str, words)]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TSTN_")}
        return kept | self.environment

    def __call__(self, *words: object) -> str:
        """What a command that does well answers."""
        return self.run(*words)[0]

    def json(self, *words: object) -> Any:
        """The JSON that a command answers."""
        return json.loads(self(*words, "--json"))

    def lines(self, *words: object) -> list[dict[str, Any]]:
        """The JSON lines that a command answers."""
        return [json.loads(line) for line in self(*words).splitlines()]

    def error(self, *words: object) -> str:
        """The one line of a command that fails."""
        out, err = self.run(*words, status=1)
        assert out == ""
        assert err.startswith("tstn: ")
        assert err.count("\n") == 1
        return err.removeprefix("tstn: ").rstrip()

    def create(self, text: str) -> str:
        """Make a campaign of this text; returns its name."""
        file = self.directory / "campaign.toml"
        file.write_text(text, encoding="utf-8")
        name: str = self.json("campaign", "create", file)["name"]
        return name

    def write(self, name: str, text: str) -> str:
        """Write a file there; returns its name."""
        (self.directory / name).write_text(text, encoding="utf-8")
        return name


def exit_status(arguments: Sequence[str]) -> int:
    """Run the entry point of `tstn`; argparse leaves it by SystemExit."""
    try:
        return main(arguments)
    except SystemExit as error:
        return int(error.code or 0)


def make_directory(directory: Path) -> Tstn:
    """Put a settings file there."""
    (directory / "config").mkdir()
    script = ROOT / "prompts" / "script-vi.toml"
    districts = ROOT / "config" / "districts-phase1.csv"
    (directory / "config" / "tstn.toml").write_text(
        f'[ivr]\nscript = "{script}"\n[console]\ndistricts = "{districts}"\n'
    )
    return Tstn(directory)
