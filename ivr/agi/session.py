"""One FastAGI connection: Asterisk dialled us for one channel and waits for commands. I/O.

asyncio carries the bytes, pyst2 the words. A thread for each call, as pyst2 has it, would be a
thousand threads at 100 calls a second, all waiting.

Asterisk polls its socket but reads it through a buffer (`run_agi`: fdopen, fgets): of two lines
that come at once, the second wakes nobody. So a command waits for the answers to all before it,
and an interruption, which cannot wait, is sent again until it is answered.
"""

import asyncio
from collections.abc import Sequence
from typing import NoReturn

from ivr.agi.commands import INTERRUPTION, USAGE_BEGINS, USAGE_ENDS, Commands, is_of_sound
from ivr.agi.errors import AgiError

_GREETING_SECONDS = 5.0
_AGAIN_SECONDS = 0.2
_HANGUP = b"HANGUP"


class AgiSession:
    """A channel that waits for commands. `read` must be running for `play` to end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.env: dict[str, str] = {}
        self._reader = reader
        self._writer = writer
        self._commands = Commands()
        self._answer: asyncio.Future[list[bytes]] | None = None
        self._interruptions = 0
        """Sent, and not answered yet."""
        self._all_answered = asyncio.Event()
        self._all_answered.set()

    @property
    def channel_id(self) -> str:
        """The channel's unique id: ours, where we have dialled it."""
        return self.env.get("agi_uniqueid", "")

    @property
    def args(self) -> tuple[str, ...]:
        """What the dialplan gave after the address."""
        numbered = (self.env.get(f"agi_arg_{number}") for number in range(1, 10))
        return tuple(arg for arg in numbered if arg is not None)

    async def greet(self) -> None:
        """Take what Asterisk says first. Raises AgiError where it says nothing legible."""
        lines: list[bytes] = []
        try:
            async with asyncio.timeout(_GREETING_SECONDS):
                while (line := await self._reader.readline()).strip():
                    lines.append(line)
        except (TimeoutError, ValueError, OSError) as error:
            raise AgiError("a FastAGI connection without a greeting") from error
        self.env = self._commands.greet(lines)
        if not self.channel_id:
            raise AgiError("a FastAGI connection that names no channel")

    async def settled(self) -> None:
        """Wait until Asterisk has answered all interruptions."""
        await self._all_answered.wait()

    async def play(self, file: str, stoppers: str) -> str:
        """Play one file to its end, an interruption, or a key of `stoppers`, which is returned.

        The session must have settled.

        Raises:
            AgiError: the channel is gone, or has left us.
        """
        command = self._commands.stream_file_command(file, stoppers)
        self._answer = asyncio.get_running_loop().create_future()
        self._writer.write(command)
        return self._commands.key_of(await self._answer)

    def interrupt(self) -> None:
        """End the file under way; nothing happens where there is none."""
        under_way = self._answer is not None and not self._answer.done()
        if under_way and self._all_answered.is_set():
            self._all_answered.clear()
            self._interrupt()

    async def read(self) -> NoReturn:
        """Take Asterisk's lines; always ends by raising AgiError, when the session is over."""
        try:
            answer: list[bytes] = []
            while (line := await self._reader.readline()) and not line.startswith(_HANGUP):
                answer.append(line)
                if not line.startswith(USAGE_BEGINS) and self._is_whole(answer):
                    self._answered(answer)
                    answer = []
        except (ValueError, OSError) as error:
            raise AgiError("the AGI session broke") from error
        raise AgiError("the channel has hung up or left us")

    def close(self) -> None:
        """Give the channel back to the dialplan."""
        self._writer.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(AgiError("the AGI session is over"))

    def _interrupt(self) -> None:
        if not self._all_answered.is_set() and not self._writer.is_closing():
            self._interruptions += 1
            self._writer.write(INTERRUPTION)
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._interrupt)

    @staticmethod
    def _is_whole(answer: Sequence[bytes]) -> bool:
        usage = answer[0].startswith(USAGE_BEGINS)
        return not usage or answer[-1].startswith(USAGE_ENDS)

    def _answered(self, lines: list[bytes]) -> None:
        """An interruption is answered in any case, the file it interrupts only if it was over."""
        if self._interruptions and not is_of_sound(lines):
            self._interruptions -= 1
            if not self._interruptions:
                self._all_answered.set()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(lines)
