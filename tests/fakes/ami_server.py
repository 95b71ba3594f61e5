"""An Asterisk that does as told: AMI and the channel's side of FastAGI, over real sockets. I/O.

Left alone it lets everybody in, makes each channel that is originated, and lists it. A test scripts
what shall differ: the answer of an action, no answer at all, an end of the link.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.running import Running

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
Action = dict[str, list[str]]
Answer = Callable[[Action], list[bytes]]


def block(**headers: object) -> bytes:
    """One block as Asterisk writes it; a `_` in a name stands for a hyphen."""
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    return "".join(lines).encode() + b"\r\n"


@dataclass
class FakeAmi(Running):
    """Use as `async with FakeAmi() as asterisk`; `stop` and `start` keep the port."""

    actions: list[Action] = field(default_factory=list)
    channels: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    greeting: bytes = GREETING
    links: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _writer: asyncio.StreamWriter | None = None
    _serving: set[asyncio.Task[None]] = field(default_factory=set)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Nobody listens any more, and the link is gone."""
        assert self._server is not None
        self._server.close()
        self.hang_link_up()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def hang_link_up(self) -> None:
        """End the newest link."""
        if self._writer is not None:
            self._writer.close()

    def send(self, data: bytes) -> None:
        """Write to the newest link."""
        assert self._writer is not None
        self._writer.write(data)

    def event(self, name: str, **headers: object) -> None:
        """Send an event."""
        self.send(block(Event=name, **headers))

    def asked(self, name: str) -> list[Action]:
        """The actions of that name so far."""
        return [action for action in self.actions if action["Action"] == [name]]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once the condition holds; it is looked at after each action and link."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(condition)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.links += 1
        writer.write(self.greeting)
        try:
            while True:
                action = _read(await reader.readuntil(b"\r\n\r\n"))
                self.actions.append(action)
                writer.write(b"".join(self._answer(action)))
                async with self._changed:
                    self._changed.notify_all()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    def _answer(self, action: Action) -> list[bytes]:
        [name], [action_id] = action["Action"], action["ActionID"]
        scripted = self.answers.get(name)
        if scripted is not None:
            return scripted(action)
        success = block(Response="Success", ActionID=action_id, Message="Done")
        match name:
            case "Login":
                return [success, block(Event="FullyBooted", Status="Fully Booted")]
            case "CoreShowChannels":
                return self._listed(action_id)
            case "Originate":
                return [success, self._made(action["ChannelId"][0])]
        return [success]

    def _made(self, channel_id: str) -> bytes:
        self.channels[channel_id] = {"ChannelStateDesc": "Down", "Context": "from-trunk"}
        return block(Event="Newchannel", Uniqueid=channel_id)

    def _listed(self, action_id: str) -> list[bytes]:
        rows = [
            block(Event="CoreShowChannel", ActionID=action_id, Uniqueid=id_, **channel)
            for id_, channel in self.channels.items()
        ]
        start = block(Response="Success", ActionID=action_id, EventList="start")
        end = block(Event="CoreShowChannelsComplete", ActionID=action_id, EventList="Complete")
        return [start, *rows, end]


def _read(data: bytes) -> Action:
    action: Action = {}
    for line in data.decode().split("\r\n"):
        name, colon, value = line.partition(": ")
        if colon:
            action.setdefault(name, []).append(value)
    return action


class AgiChannel:
    """A channel that has come to our FastAGI port: reads commands, answers as the test says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def call(cls, port: int, channel_id: str, *args: str) -> "AgiChannel":
        """Connect as res_agi does."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        env = {
            "network": "yes",
            "request": "agi://127.0.0.1",
            "channel": "PJSIP/carrier-00000001",
            "uniqueid": channel_id,
            "callerid": "9090",
            **{f"arg_{number}": arg for number, arg in enumerate([channel_id, *args], start=1)},
        }
        lines = "".join(f"agi_{name}: {value}\n" for name, value in env.items())
        writer.write(f"{lines}\n".encode())
        return cls(reader, writer)

    async def command(self) -> str:
        """The next command; empty where our side has closed."""
        async with asyncio.timeout(10):
            return (await self._reader.readline()).decode().strip()

    def answer(self, line: str) -> None:
        self._writer.write(f"{line}\n".encode())

    def played(self, key: str = "") -> None:
        """The file is over, at its end or by a key."""
        self.answer(f"200 result={ord(key) if key else 0} endpos=8000")

    def close(self) -> None:
        self._writer.close()
