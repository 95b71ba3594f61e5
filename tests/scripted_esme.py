"""A scripted ESME: PDUs packed by hand, on real sockets, towards the simulated SMSC."""

import asyncio
import ssl
import struct
from contextlib import suppress
from typing import NamedTuple

from lab.smsc.server import Smsc
from lab.smsc.setting import TSTN, Setting

BIND_RX, BIND_TX, BIND_TRX = 1, 2, 9
SUBMIT, DELIVER, UNBIND, ENQUIRE, DATA, OUTBIND = 4, 5, 6, 0x15, 0x103, 0x0B
NACK = RESP = 0x80000000
SECONDS = 10


class Got(NamedTuple):
    command: int
    status: int
    sequence: int
    body: bytes


def packed(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    return struct.pack(">4I", 16 + len(body), command, status, sequence) + body


def bind_body(system_id: str = TSTN.system_id, password: str = TSTN.password) -> bytes:
    return f"{system_id}\0{password}\0cms\0".encode() + b"\x34\0\0" + b"\0"


def submit_body(
    text: bytes = b"Xin chao",
    *,
    to: bytes = b"84901234567",
    registered: int = 0,
    esm_class: int = 0,
    data_coding: int = 0,
    tlvs: bytes = b"",
) -> bytes:
    addresses = b"\0\x00\x019231\0\x01\x01" + to + b"\0"
    fixed = bytes((esm_class, 0, 0)) + b"\0\0" + bytes((registered, 0, data_coding, 0, len(text)))
    return addresses + fixed + text + tlvs


class Delivered(NamedTuple):
    """A deliver_sm, taken apart."""

    source: str
    destination: str
    esm_class: int
    data_coding: int
    payload: bytes
    tlvs: dict[int, bytes]


def delivered(body: bytes) -> Delivered:
    _, rest = body.split(b"\0", 1)
    source, rest = rest[2:].split(b"\0", 1)
    destination, rest = rest[2:].split(b"\0", 1)
    assert rest[3:5] == b"\0\0"
    esm_class, data_coding, length = rest[0], rest[7], rest[9]
    payload, rest = rest[10 : 10 + length], rest[10 + length :]
    tlvs = {}
    while rest:
        tag, size = struct.unpack_from(">2H", rest)
        tlvs[tag] = rest[4 : 4 + size]
        rest = rest[4 + size :]
    return Delivered(source.decode(), destination.decode(), esm_class, data_coding, payload, tlvs)


class Esme:
    """Says what it is told to, and nothing by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.sequence = 0

    def say(self, command: int, body: bytes = b"") -> int:
        self.sequence += 1
        self.writer.write(packed(command, self.sequence, body))
        return self.sequence

    def acknowledge(self, got: Got, status: int = 0) -> None:
        self.writer.write(packed(got.command | RESP, got.sequence, b"\0", status))

    async def hear(self) -> Got:
        async with asyncio.timeout(SECONDS):
            length, *rest = struct.unpack(">4I", await self.reader.readexactly(16))
            return Got(*rest, await self.reader.readexactly(length - 16))

    async def hears_nothing(self) -> bool:
        """Whether all that was sent before an enquire_link's answer is read: the answer alone."""
        asked = self.say(ENQUIRE)
        return await self.hear() == Got(ENQUIRE | RESP, 0, asked, b"")

    async def ask(self, command: int, body: bytes = b"") -> Got:
        sequence = self.say(command, body)
        got = await self.hear()
        assert (got.command, got.sequence) == (command | RESP, sequence)
        return got

    async def ended(self) -> bytes:
        """What came before the link ended."""
        async with asyncio.timeout(SECONDS):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    def close(self) -> None:
        self.writer.close()


class Net:
    """An SMSC, and the ESMEs that a test connects to it."""

    def __init__(self) -> None:
        self.esmes: list[Esme] = []
        self.smscs: list[Smsc] = []

    async def smsc(self, tls: ssl.SSLContext | None = None, **setting: object) -> Smsc:
        smsc = Smsc(Setting(**setting), tls=tls)  # type: ignore[arg-type]
        self.smscs.append(await smsc.__aenter__())
        return smsc

    async def esme(self, smsc: Smsc, kind: int = BIND_TRX, **bind: str) -> Esme:
        esme = await self.connect(smsc)
        got = await esme.ask(kind, bind_body(**bind))
        assert got.status == 0
        assert got.body == b"TSTN-LAB\0\x02\x10\x00\x01\x34"
        return esme

    async def connect(self, smsc: Smsc, **options: object) -> Esme:
        streams = await asyncio.open_connection(
            smsc.setting.host,
            smsc.port,
            **options,  # type: ignore[arg-type]
        )
        self.esmes.append(Esme(*streams))
        return self.esmes[-1]

    async def close(self) -> None:
        for esme in self.esmes:
            esme.close()
        for smsc in self.smscs:
            await smsc.close()
        for esme in self.esmes:
            with suppress(OSError):
                await esme.writer.wait_closed()
