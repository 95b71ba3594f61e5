"""Where the demo takes place: parts of its own on this machine, or containers that run. I/O."""

import fcntl
import shutil
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from lab.carrier import CarrierEvent
from lab.child import LabError, Part
from lab.demo_commands import CommandLine, use_settings
from lab.demo_plan import RECEIPT_SECONDS
from lab.demo_server import ChildServer, Server
from lab.demo_texting import Smsc
from lab.network import Network
from lab.smsc.account_file import write_account_file
from lab.smsc.process import SmscProcess
from runtime.settings import Settings

DIRECTORY = Path("var/demo")
_DRAIN_SECONDS = 2.0
"""At the end no call is live; when interrupted, nobody wants to wait for them."""


class CarrierRecords(Protocol):
    """What the carrier knows of the calls."""

    @property
    def recordings_dir(self) -> Path:
        """Where what subscribers heard is kept."""

    def events(self) -> list[CarrierEvent]:
        """The whole log so far."""

    def recordings(self, number: str) -> list[Path]:
        """What the subscriber `number` (as dialled) heard."""


class Stage(Part):
    """The network of a demo, which is there while its `with` block runs."""

    settings: Settings
    carrier: CarrierRecords
    smsc: Smsc
    hint: str
    """How another terminal comes to ask the same server by `tstn`."""
    server_log: str
    """Where the server's log is."""

    @abstractmethod
    def server(self, command_line: CommandLine) -> Server:
        """Our server, to be started. Where it is a child, its command is printed."""

    @abstractmethod
    def require_alive(self) -> None:
        """Raises LabError where a part has died."""


class LocalStage(Stage):
    """Two Asterisks and an SMSC as children of this process, everything in var/demo.

    `recorded`: the numbers (as dialled) whose calls are kept.
    """

    hint = f"export TSTN_CONFIG={DIRECTORY / 'tstn.toml'}"
    server_log = str(DIRECTORY / "serve.log")

    def __init__(self, recorded: Sequence[str]) -> None:
        self._running = ExitStack()
        self._recorded = recorded

    def start(self) -> None:
        """An empty directory, and all parts up. Raises LabError while another demo runs."""
        with ExitStack() as parts:
            parts.callback(self._take_lock().close)
            shutil.rmtree(DIRECTORY, ignore_errors=True)
            smsc_file = DIRECTORY.absolute() / "smsc.toml"
            self.network = Network(
                DIRECTORY,
                recording=self._recorded,
                sections={
                    "dialer": {"drain_seconds": _DRAIN_SECONDS},
                    "sms": {"smsc_file": str(smsc_file)},
                },
            )
            smsc = SmscProcess(DIRECTORY / "smsc", faults={"receipt_seconds": RECEIPT_SECONDS})
            write_account_file(smsc_file, smsc)
            parts.enter_context(self.network)
            parts.enter_context(smsc)
            self._running = parts.pop_all()
        self.settings, self.carrier, self.smsc = self.network.settings, self.network.carrier, smsc
        use_settings(self.network.settings_file)

    def stop(self) -> None:
        """In good order."""
        self._running.close()

    def server(self, command_line: CommandLine) -> Server:
        """`tstn serve` as a child."""
        command = command_line.name("serve", after=" &")
        return ChildServer(command, self.settings.health, Path(self.server_log))

    def require_alive(self) -> None:
        """Raises LabError where an Asterisk has died."""
        for asterisk in (self.network.asterisk, self.network.carrier.asterisk):
            if not asterisk.is_running():
                raise LabError(f"Asterisk ({asterisk.name}) has died: see {asterisk.log_dir}")

    def _take_lock(self) -> ExitStack:
        """One demo at a time in a checkout."""
        DIRECTORY.parent.mkdir(exist_ok=True)
        with ExitStack() as held:
            lock = held.enter_context(DIRECTORY.with_suffix(".lock").open("w"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LabError("another demo is running in this checkout") from None
            return held.pop_all()
