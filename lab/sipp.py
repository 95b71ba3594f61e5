"""Subscribers for load: one SIPp that answers every call and presses key 1. I/O.

Lighter than the carrier, and blind to the number dialled. It needs `rtp_strict = false` on our
side, since it sends a key without any sound before. The key goes over a raw socket: root only.
"""

import csv
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from string import Template

from lab.child import Child, LabError, Part, require
from lab.ports import LOOPBACK, free_ports

SCENARIO = Path(__file__).resolve().parent / "subscriber.xml"
KEY_SOUND = Path("/usr/share/sip-tester/dtmf_2833_1.pcap")
START_SECONDS = 10.0


@dataclass(frozen=True)
class Statistics:
    """What SIPp counted over its whole run."""

    calls: int  # INVITEs taken
    successful: int  # hung up by us, after the key
    failed: int
    retransmissions: int


class Sipp(Part):
    """Rings `ring_seconds`, presses 1 `key_seconds` after the answer, waits to be hung up."""

    def __init__(
        self, directory: Path, *, ring_seconds: float = 0.0, key_seconds: float = 1.5
    ) -> None:
        self.port, self._media_port = free_ports(2)
        self._directory = directory.absolute()
        self._ring_ms, self._key_ms = round(ring_seconds * 1000), round(key_seconds * 1000)
        self._child: Child | None = None

    def start(self) -> None:
        """Returns once it listens. Raises LabError where it does not, or may not send keys."""
        if not may_send_keys():
            raise LabError("SIPp sends keys over a raw socket: run this as root")
        self._directory.mkdir(parents=True, exist_ok=True)
        scenario = Template(SCENARIO.read_text(encoding="utf-8")).substitute(
            ring_ms=self._ring_ms, key_ms=self._key_ms, key_sound=KEY_SOUND
        )
        self._file("scenario.xml").write_text(scenario, encoding="utf-8")
        command = [require("sipp", "sip-tester"), *self._options()]
        self._child = Child("SIPp", command, self._file("output.log"))
        self._child.wait_ready(self._listens, START_SECONDS)

    def stop(self) -> None:
        """Ends it at once; open calls are left as they are."""
        if self._child is not None:
            self._child.kill()

    def finish(self, timeout_seconds: float = 70.0) -> Statistics:
        """Takes no more calls, lets the open ones end, and returns the figures.

        Raises LabError where SIPp died or calls are still open after `timeout_seconds`.
        """
        self._running.signal(signal.SIGUSR1)
        if not self._running.ends_within(timeout_seconds):
            self.stop()
            raise LabError(f"SIPp still had calls after {timeout_seconds:.0f} s")
        return read_statistics(self._file("statistics.csv"))

    def cpu_seconds(self) -> float:
        """User and system CPU time of the process so far."""
        return self._running.cpu_seconds()

    @property
    def _running(self) -> Child:
        if self._child is None:
            raise LabError("SIPp has not been started")
        return self._child

    def _file(self, name: str) -> Path:
        return self._directory / name

    def _options(self) -> list[str]:
        return [
            *("-sf", str(self._file("scenario.xml")), "-nostdin"),
            *("-i", LOOPBACK, "-p", str(self.port)),
            *("-mi", LOOPBACK, "-mp", str(self._media_port)),
            *("-trace_stat", "-stf", str(self._file("statistics.csv")), "-fd", "1"),
            *("-trace_err", "-error_file", str(self._file("errors.log"))),
        ]

    def _listens(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((LOOPBACK, self.port))
            except OSError:
                return True
        return False


def may_send_keys() -> bool:
    """Whether this process may open the raw socket that SIPp's keys go over."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).close()
    except PermissionError:
        return False
    return True


def read_statistics(file: Path) -> Statistics:
    """The totals of SIPp's statistics file (its last line; the scenario counts the calls)."""
    with file.open(newline="", encoding="utf-8") as stream:
        last = list(csv.DictReader(stream, delimiter=";"))[-1]
    return Statistics(
        calls=int(last["invited(C)"]),
        successful=int(last["hung_up(C)"]),
        failed=int(last["FailedCall(C)"]),
        retransmissions=int(last["Retransmissions(C)"]),
    )
