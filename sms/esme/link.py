"""One connection to an SMSC: bytes in, PDUs out, and who may not be heard or written to. I/O."""

import asyncio
import logging
import socket
from typing import Protocol, cast

from domain.pacing import Monotonic
from sms.esme.pulse import Pulse
from sms.esme.writer import Writer
from sms.pdu.framing import Framer
from sms.pdu.parse import parse
from sms.pdu.types import Pdu

logger = logging.getLogger(__name__)


class LinkUser(Protocol):
    """Who speaks over the link. All are called on the loop; none may raise."""

    def connected(self) -> None:
        """The connection stands, with TLS where it is wanted."""

    def take(self, pdu: Pdu) -> None:
        """One PDU has come."""

    def stirred(self) -> None:
        """All PDUs that came together have been taken, or the peer reads again what we write."""

    def misframed(self, why: str) -> None:
        """A length makes no sense: nothing that follows can be read. Comes once."""

    def disconnected(self, why: str) -> None:
        """The connection has ended."""


class Link(asyncio.Protocol):
    """The protocol of one connection.

    Attributes:
        held: whether we do not read, at our own wish.
        choked_at: since when the peer does not read what we write; None where it does.
        gone: set once the connection has ended, or was never made.
    """

    def __init__(self, user: LinkUser, pulse: Pulse, longest_pdu: int, now: Monotonic) -> None:
        self.held = False
        self.choked_at: float | None = None
        self.gone = asyncio.Event()
        self.gone.set()
        self._user = user
        self._pulse = pulse
        self._now = now
        self._been_deaf = False
        self._framer = Framer(longest_pdu)
        self._misframed = False
        self._transport: asyncio.Transport | None = None
        self._writer: Writer | None = None

    def put(self, pdu: bytes, *, may_gather: bool = False) -> None:
        """Write a PDU at the end of this turn of the loop at the latest."""
        if self._writer is not None:
            self._writer.put(pdu, may_gather=may_gather)

    def hold(self) -> None:
        """Read no more until `release`."""
        self.held = True
        self._listen()

    def release(self) -> None:
        """Read again."""
        self.held = False
        self._listen()

    def close(self) -> None:
        """End the connection once all that was put is written."""
        if self._writer is not None and self._transport is not None:
            self._writer.flush()
            self._transport.close()

    def abort(self) -> None:
        """End the connection now."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._writer = Writer(self._transport, asyncio.get_running_loop())
        self.gone.clear()
        self._pulse.heard(self._now())
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._user.connected()

    def data_received(self, data: bytes) -> None:
        self._pulse.heard(self._now())
        if self._misframed:
            return
        take = self._user.take
        for frame in self._framer.feed(data):
            take(parse(frame))
        if self._framer.fault is not None:
            self._misframed = True
            self._user.misframed(self._framer.fault)
        self._user.stirred()

    def connection_lost(self, error: Exception | None) -> None:
        self.gone.set()
        why = "the SMSC closed the connection" if error is None else f"connection lost: {error}"
        self._user.disconnected(why)

    def pause_writing(self) -> None:
        self.choked_at = self._now()
        # Each message read asks for one more answer to be written.
        self._listen()

    def resume_writing(self) -> None:
        self.choked_at = None
        self._listen()
        self._user.stirred()

    def has_listened(self) -> bool:
        """Whether we have read all the time since this was asked last."""
        deaf, self._been_deaf = self._been_deaf, self._is_deaf
        return not deaf

    @property
    def _is_deaf(self) -> bool:
        return self.held or self.choked_at is not None

    def _listen(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._is_deaf:
            self._been_deaf = True
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
