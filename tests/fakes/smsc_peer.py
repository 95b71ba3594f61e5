"""An SMSC that does as told: real PDUs over real sockets, for faults a real one cannot show. I/O.

It does nothing of its own accord. A test takes each connection as a `PeerLink`, reads what came,
and writes what it likes, well-formed or not. The PDUs are packed here, apart from `sms.pdu`.
"""

import asyncio
import ssl
from dataclasses import dataclass
from struct import Struct

from tests.fakes.running import Running

NACK = 0x80000000
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
SUBMIT, DELIVER, UNBIND, ENQUIRE, DATA = 0x04, 0x05, 0x06, 0x15, 0x103
RESP = 0x80000000

_HEADER = Struct(">IIII")


@dataclass(frozen=True)
class Pdu:
    """One PDU as it came."""

    command: int
    status: int
    sequence: int
    body: bytes


def pdu(command: int, sequence: int, status: int = 0, body: bytes = b"") -> bytes:
    return _HEADER.pack(16 + len(body), command, status, sequence) + body


def deliver(sequence: int, text: bytes = b"TSTN", source: bytes = b"84901234567") -> bytes:
    """A subscriber's text to 9231."""
    addresses = b"\0\1\1" + source + b"\0\0\1" + b"9231\0"
    return pdu(DELIVER, sequence, 0, addresses + bytes(9) + bytes([len(text)]) + text)


def data(sequence: int, text: bytes = b"TSTN") -> bytes:
    """The same by data_sm."""
    addresses = b"\0\1\1" + b"84901234567\0" + b"\0\1" + b"9231\0"
    payload = b"\x04\x24" + len(text).to_bytes(2, "big") + text
    return pdu(DATA, sequence, 0, addresses + bytes(3) + payload)


def accepted(sequence: int, message_id: bytes = b"id") -> bytes:
    return pdu(SUBMIT | RESP, sequence, 0, message_id + b"\0")


class PeerLink:
    """One connection, from the SMSC's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.ended = asyncio.Event()

    def write(self, *pdus: bytes) -> None:
        """Send all in one piece."""
        self._writer.write(b"".join(pdus))

    async def trickle(self, *pdus: bytes) -> None:
        """Send byte by byte, each a packet of its own."""
        for octet in b"".join(pdus):
            self._writer.write(bytes([octet]))
            await asyncio.sleep(0.001)

    async def next(self) -> Pdu:
        """The next PDU.

        Raises:
            EOFError, ConnectionError: there will be none.
        """
        async with asyncio.timeout(10):
            header = await self._reader.readexactly(16)
            length, command, status, sequence = _HEADER.unpack(header)
            body = await self._reader.readexactly(length - 16)
        return Pdu(command, status, sequence, body)

    async def expect(self, command: int) -> Pdu:
        """The next PDU, which must be that one."""
        got = await self.next()
        assert got.command == command, f"{got} in place of 0x{command:08x}"
        return got

    async def accept(self, status: int = 0) -> Pdu:
        """Answer the bind, which must come next."""
        bind = await self.next()
        assert bind.command in (BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER)
        self.write(
            pdu(bind.command | RESP, bind.sequence, status, b"SMSC\0" if not status else b"")
        )
        return bind

    async def end(self) -> None:
        """Return once the other side has closed."""
        try:
            while True:
                await self.next()
        except (EOFError, ConnectionError):
            pass

    def cut(self) -> None:
        """End the connection without a word."""
        self._writer.transport.abort()
        self.ended.set()


class SmscPeer(Running):
    """Use as `async with SmscPeer() as smsc`; `stop` and `start` keep the port."""

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.host = host
        self.port = 0
        self._tls = tls
        self._links: list[PeerLink] = []
        self._waiting: asyncio.Queue[PeerLink] = asyncio.Queue()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(
            self._take, self.host, self.port, ssl=self._tls, limit=2**20
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Go away: all connections are cut, new ones are refused."""
        for link in self._links:
            link.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await asyncio.sleep(0)

    async def link(self) -> PeerLink:
        """The next connection."""
        async with asyncio.timeout(10):
            return await self._waiting.get()

    async def bound(self, status: int = 0) -> PeerLink:
        """The next connection, its bind answered."""
        link = await self.link()
        await link.accept(status)
        return link

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = PeerLink(reader, writer)
        self._links.append(link)
        self._waiting.put_nowait(link)
        await link.ended.wait()
