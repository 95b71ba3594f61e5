"""One AMI session, from its greeting to its end: actions out, answers and events in. I/O."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from typing import NoReturn

from ivr.ami.errors import AmiError, AmiNotSent, AmiUnavailable
from ivr.ami.message import END, Message, Response, Value, read_block, write_block

_GREETING = b"Asterisk Call Manager/"
_LONGEST_BLOCK = 1 << 20


class _Waiting:
    """An action that waits for its answer, and the rows of its list so far."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.rows: list[Message] = []
        self._headers: Mapping[str, str] = {}

    def take(self, message: Message) -> bool:
        """A block of this action; True with the last one."""
        listed = message.get("EventList").lower()
        if not message.event:
            ok = message.get("Response") in {"Success", "Goodbye"}
            self._headers = message.headers
            if ok and listed == "start":
                return False
            return self._done(ok)
        if listed == "complete":
            return self._done(ok=True)
        self.rows.append(message)
        return listed == "cancelled" and self._done(ok=False)

    def _done(self, ok: bool) -> bool:
        if not self.answer.done():
            message = self._headers.get("Message", "")
            self.answer.set_result(Response(ok, message, tuple(self.rows), self._headers))
        return True


class AmiLink:
    """A connected socket. `read` must be running for `action` to be answered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: dict[str, _Waiting] = {}
        self._numbers = count(1)

    @classmethod
    async def open(cls, host: str, port: int) -> "AmiLink":
        """Connect and read the greeting. Raises OSError, AmiError."""
        reader, writer = await asyncio.open_connection(host, port, limit=_LONGEST_BLOCK)
        link = cls(reader, writer)
        try:
            if not (await reader.readline()).startswith(_GREETING):
                raise AmiError(f"what listens on port {port} of {host} is no Asterisk manager")
        except BaseException:
            link.close()
            raise
        return link

    async def action(self, name: str, headers: Mapping[str, Value]) -> Response:
        """Ask, and wait for the answer and for all of its list. Raises AmiUnavailable, ValueError.

        An `ActionID` among the headers names the action; else it gets a name of its own.
        """
        rest = dict(headers)
        action_id = str(rest.pop("ActionID", f"tstn-{next(self._numbers)}"))
        block = write_block(name, action_id, rest)
        if self._writer.is_closing():
            raise AmiNotSent("the AMI link is closed")
        waiting = self._waiting[action_id] = _Waiting()
        try:
            self._writer.write(block)
            return await waiting.answer
        finally:
            self._waiting.pop(action_id, None)

    async def read(self, receive: Callable[[Message], None]) -> NoReturn:
        """Hand on what comes; always ends by raising AmiUnavailable."""
        try:
            while True:
                self._dispatch(read_block(await self._reader.readuntil(END)), receive)
        except (asyncio.IncompleteReadError, OSError):
            raise AmiUnavailable("Asterisk closed the AMI link") from None
        except asyncio.LimitOverrunError:
            raise AmiUnavailable("Asterisk sent an AMI block without an end") from None

    def close(self) -> None:
        """Close at once; who waits for an answer gets none."""
        self._writer.close()
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(AmiUnavailable("the AMI link was lost"))

    def _dispatch(self, message: Message, receive: Callable[[Message], None]) -> None:
        waiting = self._waiting.get(message.action_id) if message.action_id else None
        if waiting is not None:
            if waiting.take(message):
                del self._waiting[message.action_id]
        elif message.event:
            receive(message)
