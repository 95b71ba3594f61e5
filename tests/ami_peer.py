"""The other end of an AMI link, which does as a test tells it: half lines, floods, silence. I/O."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Headers = dict[str, str]
GREETING = b"Asterisk Call Manager/11.0.0\r\n"


@dataclass
class AmiPeer:
    """Answers every action with success, unless `answers` says otherwise for its name."""

    port: int = 0
    greeting: bytes = GREETING
    actions: list[Headers] = field(default_factory=list)
    answers: dict[str, Callable[[Headers], bytes | None]] = field(default_factory=dict)
    links: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.links.append(writer)
        writer.write(self.greeting)
        with suppress(OSError):
            while headers := await _read(reader):
                self.actions.append(headers)
                answer = self.answers.get(headers["Action"], success)(headers)
                if answer is not None:
                    writer.write(answer)
        writer.close()

    def send(self, raw: bytes) -> None:
        """On the newest link."""
        self.links[-1].write(raw)

    def cut(self) -> None:
        """The newest link, without a word."""
        self.links[-1].transport.abort()

    def names(self) -> list[str]:
        return [action["Action"] for action in self.actions]


async def _read(reader: asyncio.StreamReader) -> Headers:
    headers: Headers = {}
    while line := (await reader.readline()).decode().rstrip("\r\n"):
        name, _, value = line.partition(": ")
        headers[name] = value
    return headers


def message(**headers: str) -> bytes:
    """One AMI message."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n"


def success(action: Headers) -> bytes:
    return message(Response="Success", ActionID=action["ActionID"])


@asynccontextmanager
async def ami_peer() -> AsyncIterator[AmiPeer]:
    peer = AmiPeer()
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for link in peer.links:
            link.transport.abort()
            with suppress(OSError):
                await link.wait_closed()
