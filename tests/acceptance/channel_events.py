"""A listener that lets a test wait for what happens to a channel of a real Asterisk. I/O."""

import asyncio
import wave
from pathlib import Path
from typing import TypeVar

from ivr.call_events import CallEvent
from ivr.origination import Endpoint
from lab.behaviours import numbers_for

VARIABLES = {
    "CHANNEL(language)": "vi",
    "FORWARD_CONTEXT": "no-redirect",
    "PJSIP_HEADER(add,X-Attempt-ID)": "a-1",
}

T = TypeVar("T", bound=CallEvent)


class ChannelEvents:
    """Keeps every event, and a log of the stream's own ends and beginnings."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []
        self.log: asyncio.Queue[str] = asyncio.Queue()
        self._more = asyncio.Event()

    def receive(self, event: CallEvent) -> None:
        self.events.append(event)
        self._more.set()

    def disconnected(self) -> None:
        self.log.put_nowait("disconnected")

    def replaced(self) -> None:
        self.log.put_nowait("replaced")

    async def next(self) -> str:
        """The next line of the log."""
        async with asyncio.timeout(20):
            return await self.log.get()

    def of(self, channel_id: str) -> list[CallEvent]:
        """What has happened to a channel."""
        return [event for event in self.events if event.channel_id == channel_id]

    async def wait(self, channel_id: str, kind: type[T], count: int = 1) -> T:
        """The `count`th event of this kind on this channel."""
        async with asyncio.timeout(20):
            while True:
                found = [event for event in self.of(channel_id) if isinstance(event, kind)]
                if len(found) >= count:
                    return found[count - 1]
                self._more.clear()
                await self._more.wait()


def write_silence(file: Path, seconds: float) -> None:
    """A sound of so many seconds."""
    file.parent.mkdir(exist_ok=True)
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(bytes(int(16000 * seconds)))


def subscriber(behaviour: str) -> Endpoint:
    """A number that behaves so."""
    return Endpoint("0" + numbers_for(behaviour)[0].removeprefix("+84"), "carrier")
