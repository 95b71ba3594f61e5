"""Runs a real Asterisk from the lab's Debian root as a child of this process. I/O.

Each instance has a directory of its own (configuration, logs, control socket) and a private mount
namespace, so that nothing is left of it once it is dead, and it dies with the thread that started
it: start instances from a thread that lives as long as they shall.
"""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from domain.errors import TstnError

ENTER = Path(__file__).resolve().parent / "enter"
DEFAULT_ROOT = "/var/lib/tstn-lab/sid"
BOOT_SECONDS = 30.0
STOP_SECONDS = 10.0


class LabError(TstnError):
    """A part of the rehearsal network did not come up or died."""


def lab_root() -> Path:
    """The root with Debian's Asterisk. Raises LabError where it has not been set up."""
    root = Path(os.environ.get("TSTN_LAB_ROOT", DEFAULT_ROOT))
    if not (root / "usr/sbin/asterisk").exists():
        raise LabError(f"no Asterisk in {root}: run `make setup` (or `lab/setup asterisk`)")
    return root


class Asterisk:
    """One Asterisk over `directory`; `configure(etc)` writes its configuration at each start."""

    def __init__(
        self, name: str, directory: Path, prompts: Path, configure: Callable[[Path], object]
    ) -> None:
        self.name = name
        self.directory = directory.absolute()
        self.prompts = prompts.absolute()
        self._configure = configure
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log_dir(self) -> Path:
        """Where Asterisk's /var/log/asterisk is."""
        return self.directory / "log"

    @property
    def pid(self) -> int:
        """The process id of the running Asterisk. Raises LabError where none runs."""
        if self._process is None:
            raise LabError(f"{self.name} has not been started")
        return self._process.pid

    def start(self) -> None:
        """Starts Asterisk and returns once it is fully booted. Raises LabError if it is not."""
        for part in ("root", "etc", "lib", "log", "spool", "run"):
            (self.directory / part).mkdir(parents=True, exist_ok=True)
        self.prompts.mkdir(parents=True, exist_ok=True)
        self._socket_file.unlink(missing_ok=True)
        self._configure(self.directory / "etc")
        with (self.directory / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                [*_private_namespace(), str(ENTER), str(lab_root()), self.directory, self.prompts],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_booted(monotonic() + BOOT_SECONDS)
        except BaseException:
            self.kill()
            raise

    def cli(self, command: str, timeout_seconds: float = 10.0) -> str:
        """The answer of Asterisk's command line. Raises OSError where Asterisk does not answer."""
        run = os.open(self._socket_file.parent, os.O_PATH)
        try:
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(timeout_seconds)
                # By descriptor: the whole path may be longer than a socket's address can be.
                link.connect(f"/proc/self/fd/{run}/{self._socket_file.name}")
                link.recv(256)
                link.sendall(b"cli quit after " + command.encode() + b"\0")
                return b"".join(iter(lambda: link.recv(65536), b"")).decode(errors="replace")
        finally:
            os.close(run)

    def stop(self) -> None:
        """Stops in good order, by force where that takes too long. Nothing to do if it is dead."""
        if self._process is None or self._process.poll() is not None:
            return
        with suppress(OSError):
            self.cli("core stop now", STOP_SECONDS)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """kill -9, and waits for the end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Stops the process from running until `thaw`: it answers nothing, its ports stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a frozen process run again."""
        os.kill(self.pid, signal.SIGCONT)

    def is_running(self) -> bool:
        """Whether the process is alive (frozen counts as alive)."""
        return self._process is not None and self._process.poll() is None

    def cpu_seconds(self) -> float:
        """User and system CPU time of the process so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _socket_file(self) -> Path:
        return self.directory / "run" / "asterisk.ctl"

    def _wait_booted(self, deadline: float) -> None:
        assert self._process is not None
        while monotonic() < deadline:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)
                raise LabError(f"{self.name} died at its start: {self._last_words()}")
            with suppress(OSError):
                if "fully booted" in self.cli("core waitfullybooted", deadline - monotonic()):
                    return
        raise LabError(f"{self.name} was not up after {BOOT_SECONDS:.0f} s: {self._last_words()}")

    def _last_words(self) -> str:
        lines = (self.directory / "console.log").read_text(errors="replace").split("\n")
        spoken = [line.strip() for line in lines if line.strip("\x1b[0m \t")]
        return spoken[-1] if spoken else f"nothing said, see {self.log_dir}"


def _private_namespace() -> list[str]:
    """The command that opens a mount namespace; without root, in a user namespace of its own."""
    for program in ("unshare", "setpriv"):
        if shutil.which(program) is None:
            raise LabError(f"no {program}: install Debian's util-linux")
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return [
        *("unshare", *as_root, "--mount", "--propagation", "private"),
        *("setpriv", "--pdeathsig", "KILL"),
    ]
