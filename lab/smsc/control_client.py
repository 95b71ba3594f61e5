"""The other end of the control port, for tests and benchmarks in another process. I/O.

Calls block: in an event loop that has other work, use `asyncio.to_thread`.
"""

import socket
from collections.abc import Callable, Mapping
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self

import orjson

from lab.child import POLL_SECONDS, LabError
from lab.ports import LOOPBACK
from lab.smsc.control import write_mo
from lab.smsc.garbage import Garbage
from lab.smsc.load import FIRST_SOURCE, FloodReport
from lab.smsc.subscribers import MO

Row = dict[str, Any]


class SmscGone(LabError):
    """There is no SMSC, or it has died: what it was asked to do is done or not."""


ANSWER_SECONDS = 300.0


class SmscControl:
    """One connection to an SMSC's control port.

    Every method raises LabError where the SMSC refuses or is not there. Rows are those of
    `lab.smsc.records`, as JSON.
    """

    def __init__(self, port: int, *, timeout_seconds: float = ANSWER_SECONDS) -> None:
        self._port = port
        self._timeout_seconds = timeout_seconds
        self.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Anew, where that is wanted."""
        place = (LOOPBACK, self._port)
        try:
            self._socket = socket.create_connection(place, self._timeout_seconds)
        except OSError as error:
            raise SmscGone(f"no SMSC control port {self._port}: {error}") from error
        self._answers = self._socket.makefile("rb")

    def close(self) -> None:
        """Drop the connection; the SMSC goes on."""
        self._answers.close()
        self._socket.close()

    def ask(self, do: str, **fields: Any) -> Any:
        """Any command of `lab.smsc.control.Commands`, and its result."""
        try:
            self._socket.sendall(orjson.dumps({"do": do, **fields}) + b"\n")
            line = self._answers.readline()
        except OSError as error:
            raise SmscGone(f"the SMSC did not answer to {do}: {error}") from error
        if not line:
            raise SmscGone(f"the SMSC is gone: it did not answer to {do}")
        answer = orjson.loads(line)
        if "error" in answer:
            raise LabError(f"the SMSC refuses {do}: {answer['error']}")
        return answer["result"]

    def send(self, *mos: MO, rate: float = 0.0) -> list[int]:
        """MO are sent, `rate` a second (returns after the last) or all at once; their ids."""
        return list(self.ask("send", mos=[write_mo(mo) for mo in mos], rate=rate))

    def send_many(
        self, count: int, mo: MO, *, first_source: int = FIRST_SOURCE, rate: float = 0.0
    ) -> list[int]:
        """The same text from `count` subscribers, whose numbers follow `first_source`."""
        fields = {"count": count, "mo": write_mo(mo), "first_source": first_source, "rate": rate}
        return list(self.ask("send_many", **fields))

    def flood(self, count: int, **options: Any) -> FloodReport:
        """`lab.smsc.load.flood`: returns once it is over."""
        if "mo" in options:
            options["mo"] = write_mo(options["mo"])
        return FloodReport(**self.ask("flood", count=count, **options))

    def counts(self) -> Mapping[str, int]:
        """All figures; those that never rose are left out."""
        return dict(self.ask("counts"))

    def mos(self, start: int = 0) -> list[Row]:
        """MO with times, status and how often they were sent, from the `start`-th on."""
        return list(self.ask("mos", start=start))

    def receipts(self, start: int = 0) -> list[Row]:
        """Receipts likewise."""
        return list(self.ask("receipts", start=start))

    def mts(self, start: int = 0) -> list[Row]:
        """MT with all their fields, the refused ones too."""
        return list(self.ask("mts", start=start))

    def texts(self, start: int = 0) -> list[Row]:
        """What subscribers have read, long texts joined."""
        return list(self.ask("texts", start=start))

    def events(self, start: int = 0) -> list[Row]:
        """Binds, ends of links, violations and the like."""
        return list(self.ask("events", start=start))

    def binds(self) -> list[Row]:
        """Links that are up."""
        return list(self.ask("binds"))

    def set_faults(self, **faults: Any) -> None:
        """Change some fields of `lab.smsc.faults.Faults`."""
        self.ask("set_faults", **faults)

    def clear_faults(self) -> None:
        """All in order again."""
        self.ask("clear_faults")

    def set_window(self, window: int) -> None:
        """Unanswered MO a bind."""
        self.ask("set_window", window=window)

    def cut(self, bind: int | None = None) -> None:
        """End links at once."""
        self.ask("cut", bind=bind)

    def unbind(self, bind: int | None = None) -> None:
        """Ask ESMEs to go."""
        self.ask("unbind", bind=bind)

    def inject(self, octets: bytes, bind: int | None = None) -> None:
        """Write anything to the links."""
        self.ask("inject", octets=octets.hex(), bind=bind)

    def put_garbage(self, kind: Garbage, bind: int | None = None) -> None:
        """One PDU that should not be."""
        self.ask("put_garbage", kind=kind, bind=bind)

    def shut_port(self) -> None:
        """Refuse new connections; links that are up stay so."""
        self.ask("shut_port")

    def open_port(self) -> None:
        """Take them again."""
        self.ask("open_port")

    def forget(self) -> None:
        """Drop what is finished from the SMSC's memory; the journal file keeps it."""
        self.ask("forget")

    def until(self, is_so: Callable[[Mapping[str, int]], bool], seconds: float = 10.0) -> None:
        """Returns once `is_so(counts)`; a count that never rose is 0. Raises LabError."""
        deadline = monotonic() + seconds
        while not is_so(counts := _Zeros(self.counts())):
            if monotonic() > deadline:
                raise LabError(f"not so within {seconds:g} s; counts are {dict(counts)}")
            sleep(POLL_SECONDS)

    def until_idle(self, seconds: float = 10.0) -> None:
        """Returns once every MO and receipt has its final answer. Raises LabError."""
        self.until(lambda counts: counts["open"] == 0, seconds)


class _Zeros(dict[str, int]):
    def __missing__(self, key: str) -> int:
        return 0
