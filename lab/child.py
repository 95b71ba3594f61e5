"""Programs run as children of this process, which never outlive it. I/O."""

import os
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from domain.errors import TstnError

POLL_SECONDS = 0.02


class LabError(TstnError):
    """A part of the rehearsal network is missing, did not come up or died."""


class Part(ABC):
    """A part of the rehearsal network, which runs while its `with` block does."""

    @abstractmethod
    def start(self) -> None:
        """Returns once it is ready for use. Raises LabError where it does not come up."""

    @abstractmethod
    def stop(self) -> None:
        """Ends it in good order. Nothing to do where it is dead already."""

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


class Child:
    """A running program; what it says is appended to `log`.

    The kernel kills it once the thread that started it is gone: start from a lasting thread.
    `prefix` runs before that is arranged, `options` are more of setpriv's, such as another user
    (a change of user after it would undo it).
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        prefix: Sequence[str] = (),
        options: Sequence[str] = (),
    ) -> None:
        require("setpriv", "util-linux")
        self.name = name
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*prefix, "setpriv", *options, "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us: we end our children in good order
            )

    @property
    def pid(self) -> int:
        """The process id of the program itself."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether it is alive (stopped by SIGSTOP counts as alive)."""
        return self._process.poll() is None

    @property
    def exit_status(self) -> int:
        """The exit status, once it has ended; -9 where signal 9 ended it."""
        return self._process.wait()

    def wait_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        """Returns once `ready()`. Raises LabError where the child dies or takes longer."""
        deadline = monotonic() + seconds
        while not ready():
            if self.ends_within(POLL_SECONDS):
                raise LabError(f"{self.name} died at its start: {self._last_words()}")
            if monotonic() > deadline:
                self.kill()
                raise LabError(f"{self.name} was not up in {seconds:.0f} s: {self._last_words()}")

    def ends_within(self, seconds: float) -> bool:
        """Waits for the end; whether it came in time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal, if it is still there."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9, and waits for the end."""
        self._process.kill()
        self._process.wait()

    def cpu_seconds(self) -> float:
        """User and system CPU time so far (proc(5), stat). Raises OSError where it is dead."""
        fields = _stat(self.pid)
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").split("\n")
        spoken = [line.strip() for line in lines if line.strip("\x1b[0m \t")]
        return spoken[-1] if spoken else "it said nothing"


def require(program: str, package: str) -> str:
    """The path of `program`. Raises LabError that names Debian's package where it is missing."""
    path = shutil.which(program)
    if path is None:
        raise LabError(f"no {program} on this machine: apt-get install {package}")
    return path


def is_alive(pid: int) -> bool:
    """Whether a process still runs: one that is dead and not yet buried does not."""
    try:
        return _stat(pid)[0] not in "ZX"
    except OSError:
        return False


def _stat(pid: int) -> list[str]:
    """The fields of proc(5) stat from the state on; the name before may hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
