"""Runs a real Asterisk from the lab's Debian root as a child of this process. I/O.

Each instance has a directory of its own (configuration, logs, control socket) and a private mount
namespace (lab/enter), so that nothing stays mounted once it is dead. Without root the namespace
lies in a user namespace of its own.
"""

import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lab.child import Child, LabError, Part, require

ENTER = Path(__file__).resolve().parent / "enter"
DEFAULT_ROOT = "/var/lib/tstn-lab/sid"
BOOT_SECONDS = 30.0
STOP_SECONDS = 10.0


def lab_root() -> Path:
    """The root with Debian's Asterisk. Raises LabError where it has not been set up."""
    root = Path(os.environ.get("TSTN_LAB_ROOT", DEFAULT_ROOT))
    if not (root / "usr/sbin/asterisk").exists():
        raise LabError(f"no Asterisk in {root}: run `make setup` (or `lab/setup asterisk`)")
    return root


class Asterisk(Part):
    """One Asterisk over `directory`; `configure(etc)` writes its configuration at each start.

    `prompts` is what it finds below its sounds as vi/tstn.
    """

    def __init__(
        self, name: str, directory: Path, prompts: Path, configure: Callable[[Path], object]
    ) -> None:
        self.name = name
        self.directory = directory.absolute()
        self.prompts = prompts.absolute()
        self._configure = configure
        self._child: Child | None = None

    @property
    def log_dir(self) -> Path:
        """Where Asterisk's /var/log/asterisk is."""
        return self.directory / "log"

    @property
    def pid(self) -> int:
        """The process id of the running Asterisk. Raises LabError where none runs."""
        return self._running.pid

    def start(self) -> None:
        """Returns once it is fully booted. Raises LabError where it does not come up."""
        for part in ("root", "etc", "lib", "log", "spool", "run"):
            (self.directory / part).mkdir(parents=True, exist_ok=True)
        self.prompts.mkdir(parents=True, exist_ok=True)
        self._socket_file.unlink(missing_ok=True)
        self._configure(self.directory / "etc")
        as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        self._child = Child(
            self.name,
            [ENTER, lab_root(), self.directory, self.prompts],
            self.directory / "console.log",
            prefix=[require("unshare", "util-linux"), *as_root, "--mount", "--propagation=private"],
        )
        try:
            self._child.wait_ready(self._is_booted, BOOT_SECONDS)
        except LabError as error:
            if "unshare" not in str(error) and "mount" not in str(error):
                raise
            raise LabError(
                "the lab's Asterisk needs root (in a container: the right to mount, "
                f"CAP_SYS_ADMIN) or user namespaces: {error}"
            ) from None

    def stop(self) -> None:
        """Stops in good order, by force where that takes too long."""
        if not self.is_running():
            return
        self.thaw()
        with suppress(OSError):
            self.cli("core stop now", STOP_SECONDS)
        if not self._running.ends_within(STOP_SECONDS):
            self.kill()

    def kill(self) -> None:
        """kill -9, and waits for the end."""
        self._running.kill()

    def freeze(self) -> None:
        """Stops the process from running until `thaw`: it answers nothing, its ports stay open."""
        self._running.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a frozen process run again."""
        self._running.signal(signal.SIGCONT)

    def is_running(self) -> bool:
        """Whether the process is alive (frozen counts as alive)."""
        return self._child is not None and self._child.is_running()

    def cpu_seconds(self) -> float:
        """User and system CPU time of the process so far."""
        return self._running.cpu_seconds()

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

    @property
    def _running(self) -> Child:
        if self._child is None:
            raise LabError(f"{self.name} has not been started")
        return self._child

    @property
    def _socket_file(self) -> Path:
        return self.directory / "run" / "asterisk.ctl"

    def _is_booted(self) -> bool:
        with suppress(OSError):
            return "fully booted" in self.cli("core waitfullybooted", BOOT_SECONDS)
        return False
