"""One connection to AMI: pyst2's Manager on a socket that is buffered, timed and matched. I/O.

pyst2 0.5.1 reads a byte at a time, matches answers by their order, waits for ever and loses events
within lists. Here one thread reads; answers are matched by their ActionID; whatever takes too long,
or floods, ends the connection. A connection is used once: to connect again, make another.
"""

import itertools
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from uuid import uuid4

from asterisk.manager import (  # type: ignore[import-untyped]
    Manager,
    ManagerSocketException,
)

from ivr.ami.wire import LONGEST_LINE, MOST_LINES, Headers, Message, action

log = logging.getLogger(__name__)

_GREETING = b"Asterisk Call Manager/"


@dataclass(slots=True)
class _Asked:
    """An action whose answer is awaited, with the rows of a list that belong to it."""

    done: threading.Event = field(default_factory=threading.Event)
    answer: Message | None = None
    rows: list[Headers] = field(default_factory=list)


class Connection(Manager):  # type: ignore[misc]
    """A logged-in link after `connect` and pyst2's `login`. Blocking: for threads, not for a loop.

    `on_event` and `on_end` are called in the reading thread.
    """

    def __init__(
        self,
        on_event: Callable[[Headers], None],
        on_end: Callable[[], None],
        timeout_seconds: float,
    ) -> None:
        # pyst2's own would make threads here, in a way that is deprecated.
        self._on_event = on_event
        self._on_end = on_end
        self._timeout_seconds = timeout_seconds
        self._socket: socket.socket | None = None
        self._asked: dict[str, _Asked] = {}
        self._lock = threading.Lock()
        self._is_up = self._is_closed = False
        self._ids = (f"{uuid4().hex[:8]}-{number}" for number in itertools.count(1))

    def __del__(self) -> None:
        """Nothing: pyst2's own may block for ever."""

    def connect(self, host: str, port: int = 5038) -> None:
        """Open the link and begin to read. Raises OSError, or ManagerSocketException."""
        link = socket.create_connection((host, port), self._timeout_seconds)
        lines = link.makefile("rb")
        greeting = lines.readline(256)
        if not greeting.startswith(_GREETING):
            link.close()
            raise ManagerSocketException(0, f"not an AMI greeting: {greeting[:60]!r}")
        if self._is_closed:  # given up meanwhile
            link.close()
            raise ManagerSocketException(0, "closed")
        link.settimeout(None)  # the reader waits; whoever asks has a time of its own
        self._socket, self._is_up = link, True
        threading.Thread(target=self._read, args=(lines,), name="ami-reader", daemon=True).start()

    def send_action(self, cdict: Mapping[str, str] | None = None, **more: str) -> Message:
        """Ask, and wait for the whole answer; the rows of a list stand in its `rows`.

        Raises ManagerSocketException where none comes in time (the link is then closed), and
        ValueError for a header that can't be sent.
        """
        action_id = next(self._ids)
        wire = action({**(cdict or {}), **more, "ActionID": action_id})
        asked = _Asked()
        with self._lock:
            if not self._is_up or self._socket is None:
                raise ManagerSocketException(0, "not connected")
            self._asked[action_id] = asked
            try:
                self._socket.sendall(wire)
            except OSError as error:
                raise ManagerSocketException(error.errno, error.strerror) from error
        if not asked.done.wait(self._timeout_seconds) or asked.answer is None:
            self.close()
            raise ManagerSocketException(0, "no answer to an action")
        asked.answer.rows = asked.rows
        return asked.answer

    def connected(self) -> bool:
        """Whether the link stands."""
        return self._is_up

    def close(self) -> None:
        """End the link; the reader then tells `on_end`."""
        self._is_closed = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self, lines: BinaryIO) -> None:
        try:
            self._read_messages(lines)
        except (OSError, ValueError) as error:
            log.debug("the AMI link ends: %s", error)
        finally:
            self._end(lines)

    def _read_messages(self, lines: BinaryIO) -> None:
        message: list[str] = []
        while line := lines.readline(LONGEST_LINE):
            if not line.endswith(b"\n") or len(message) == MOST_LINES:
                raise ValueError("a line or a message without end")
            text = line.decode(errors="replace").rstrip("\r\n")
            if text:
                message.append(text)
            elif message:
                self._take(Message(message))
                message = []

    def _take(self, message: Any) -> None:
        headers: dict[str, str] = message.headers
        action_id = headers.get("ActionID", "")
        with self._lock:
            asked = self._asked.get(action_id)
        if asked is None:
            if "Event" in headers:
                self._tell(headers)
            return
        listed = headers.get("EventList", "").lower()
        if "Event" in headers:
            asked.rows.append(headers)
        else:
            asked.answer = message
        if listed.startswith("complete") or ("Event" not in headers and listed != "start"):
            with self._lock:
                self._asked.pop(action_id, None)
            asked.done.set()

    def _tell(self, headers: Headers) -> None:
        try:
            self._on_event(headers)
        except Exception:
            log.exception("fault at the AMI event %s", headers.get("Event"))

    def _end(self, lines: BinaryIO) -> None:
        with self._lock:
            self._is_up = False
            waiting, self._asked = list(self._asked.values()), {}
        for asked in waiting:
            asked.answer = None
            asked.done.set()
        with suppress(OSError):
            lines.close()
        if self._socket is not None:
            self._socket.close()
        with suppress(RuntimeError):  # the event loop is closed already
            self._on_end()
