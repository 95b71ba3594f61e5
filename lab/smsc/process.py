"""The SMSC as a process of its own, on free ports of the loopback address. I/O."""

import json
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.child import Child, LabError, Part
from lab.ports import LOOPBACK, free_ports
from lab.smsc.control_client import SmscControl
from lab.smsc.setting import TSTN, Account

START_SECONDS = 15.0
STOP_SECONDS = 5.0
ROOT = Path(__file__).resolve().parents[2]


class SmscProcess(Part):
    """Runs while its `with` block does; `control` steers it, `journal` is its file.

    `tls` is a certificate and its key (PEM); `prefix` runs before it (taskset, nice). Started
    again after `kill`, it has the same ports; what it knew of before only where it `resumes`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        accounts: Sequence[Account] = (TSTN,),
        host: str = LOOPBACK,
        window: int = 10,
        response_seconds: float = 30.0,
        retry_seconds: float = 0.5,
        enquire_seconds: float = 0.0,
        tls: tuple[Path, Path] | None = None,
        faults: Mapping[str, Any] | None = None,
        keeps_journal: bool = True,
        resumes: bool = False,
        prefix: Sequence[str] = (),
    ) -> None:
        self.port, self.control_port = free_ports(2)
        self.host = host
        self.journal = directory.absolute() / "smsc.jsonl"
        self._directory = directory.absolute()
        self._prefix = prefix
        self._child: Child | None = None
        self._control: SmscControl | None = None
        self._options = [
            *("--host", host, "--port", str(self.port), "--control-port", str(self.control_port)),
            *("--window", str(window), "--response-seconds", str(response_seconds)),
            *("--retry-seconds", str(retry_seconds), "--enquire-seconds", str(enquire_seconds)),
            *("--faults", json.dumps(dict(faults or {}))),
            *(("--journal", str(self.journal)) if keeps_journal else ()),
            *(("--resume",) if resumes else ()),
            *(("--tls", *map(str, tls)) if tls else ()),
        ]
        for account in accounts:
            self._options += ["--account", f"{account.system_id}:{account.password}"]

    def start(self) -> None:
        """Returns once it listens. Raises LabError where it does not."""
        self._directory.mkdir(parents=True, exist_ok=True)
        program = [sys.executable, "-m", "lab.smsc", *self._options]
        command = ["env", f"PYTHONPATH={ROOT}", *program]
        log = self._directory / "smsc.log"
        self._child = Child("the SMSC", command, log, prefix=self._prefix)
        self._child.wait_ready(self._answers, START_SECONDS)

    def stop(self) -> None:
        """Cuts all links, writes the journal, ends."""
        if self._child is None:
            return
        self._forget_control()
        self._child.signal(signal.SIGTERM)
        if not self._child.ends_within(STOP_SECONDS):
            self._child.kill()

    def kill(self) -> None:
        """kill -9: links end without a word, and what waited is forgotten."""
        self._forget_control()
        if self._child is not None:
            self._child.kill()

    @property
    def control(self) -> SmscControl:
        """The connection to its control port. Raises LabError while it is not running."""
        if self._control is None:
            raise LabError("the SMSC is not running")
        return self._control

    def cpu_seconds(self) -> float:
        """User and system CPU time of the process so far."""
        if self._child is None:
            raise LabError("the SMSC has not been started")
        return self._child.cpu_seconds()

    def _answers(self) -> bool:
        try:
            self._control = SmscControl(self.control_port)
        except LabError:
            return False
        return bool(self._control.ask("ping") == self.port)

    def _forget_control(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
