"""Commands by the event websocket: less work than an HTTP request, for us and for Asterisk. I/O.

Asterisk carries them out one after another, in the thread that reads the websocket, and answers
among the events. So the lane is for commands that wait for nothing there; what may wait, or may
have a long answer (Asterisk copies it to its stack), goes by HTTP. See docs/adr/0013.
"""

import asyncio
from itertools import count

import orjson
from aiohttp import WSMsgType

from ivr.ari.errors import AriUnavailable
from ivr.ari.events import Answered
from ivr.ari.transport import EventSocket

_ASK = ("GET", "/asterisk/ping")


class Lane:
    """The commands of one websocket, and those of them that wait for an answer.

    Attributes:
        is_open: whether Asterisk has ever answered here. One before 20.14, 21.9 and 22.4 does not.
    """

    def __init__(self, socket: EventSocket, url: str, timeout_seconds: float) -> None:
        self.is_open = False
        self._socket = socket
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._numbers = count()
        self._waiting: dict[str, asyncio.Future[Answered]] = {}

    async def ask(self) -> None:
        """See whether Asterisk answers; nobody waits for that. Raises AriUnavailable."""
        await self._send("ask", *_ASK)

    async def call(self, method: str, path: str) -> tuple[int, bytes]:
        """Send one command; the status and the body of its answer. It is never sent twice.

        Args:
            path: below `/ari`, encoded, with its query.

        Raises:
            AriUnavailable: no answer in time, or none will come.
        """
        number = str(next(self._numbers))
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._send(number, method, path)
                answered = await answer
        except TimeoutError as error:
            raise self._absent(f"no answer in {self._timeout_seconds:g} s") from error
        finally:
            del self._waiting[number]
        return answered.status, answered.body

    def answered(self, answer: Answered) -> None:
        """Hand an answer to the command that waits for it; one may have ceased to."""
        self.is_open = True
        waiting = self._waiting.get(answer.request_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def shut(self) -> None:
        """The websocket is no more: what waits waits in vain, what comes goes by HTTP."""
        self.is_open = False
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(self._absent("its websocket broke"))

    async def _send(self, number: str, method: str, path: str) -> None:
        command = {
            "type": "RESTRequest",
            "request_id": number,
            "method": method,
            "uri": path.removeprefix("/"),
        }
        try:
            await self._socket.send_frame(orjson.dumps(command), WSMsgType.TEXT)
        except ConnectionError as error:
            raise self._absent("its websocket is closing") from error

    def _absent(self, why: str) -> AriUnavailable:
        return AriUnavailable(f"Asterisk at {self._url} does not answer: {why}")
