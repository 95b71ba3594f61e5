"""AMI for the event loop: kept connected, its events in order, its actions awaited. I/O.

After every connect the listener first brings Asterisk and itself to one truth, while events flow;
an Asterisk that was restarted has forgotten its queue members.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn, Protocol

from asterisk.manager import ManagerException  # type: ignore[import-untyped]

from domain.errors import TstnError
from domain.pacing import retry_delay
from ivr.ami.connection import Connection
from ivr.ami.errors import AmiError, AmiUnavailable
from ivr.ami.wire import Headers

log = logging.getLogger(__name__)


class AmiListener(Protocol):
    """Who gets the events. Only `connected` may await."""

    async def connected(self) -> None:
        """A link stands. May raise AmiError: the link is then closed, and opened anew later."""

    def receive(self, event: Headers) -> None:
        """Take one of the events that were asked for; they come in Asterisk's order."""

    def disconnected(self) -> None:
        """No event comes any more. Follows each `connected` exactly once."""


class AmiClient:
    """One Asterisk's AMI.

    Args:
        wanted: the events that the listener gets; all others are dropped as they are read.
        timeout_seconds: the longest an answer may take; then the link counts as dead.
        ping_seconds: between pings, by which a silent link is noticed.

    Attributes:
        trouble: why there is no link, in words for the operator; None while there is one.
    """

    def __init__(
        self,
        address: tuple[str, int],
        user: str,
        secret: str,
        wanted: frozenset[str],
        *,
        timeout_seconds: float = 5.0,
        ping_seconds: float = 15.0,
        retry_seconds: tuple[float, float] = (0.5, 15.0),
    ) -> None:
        self.trouble: str | None = "not connected yet"
        self._address = address
        self._login = (user, secret)
        self._wanted = wanted
        self._timeout_seconds = timeout_seconds
        self._ping_seconds = ping_seconds
        self._retry_seconds = retry_seconds
        self._failures = 0
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="ami")
        self._link: Connection | None = None

    async def run(self, listener: AmiListener) -> None:
        """Connect, and connect again after every fault, until cancelled."""
        try:
            while True:
                try:
                    await self._connection(listener)
                except TstnError as error:
                    if self._failures == 0:
                        log.warning("%s; agents' queue waits for it", error)
                    self.trouble = str(error)
                self._failures += 1
                first, longest = self._retry_seconds
                await asyncio.sleep(retry_delay(self._failures, first, longest, random.random()))
        finally:
            self._threads.shutdown(wait=False)

    async def action(self, name: str, **headers: str) -> Sequence[Headers]:
        """Ask Asterisk; gives the rows of a list, else nothing.

        Raises AmiUnavailable without a link or an answer, AmiError where Asterisk refuses, and
        ValueError for a value that would end its line.
        """
        link = self._link
        if link is None:
            raise AmiUnavailable("no AMI link to Asterisk")
        return await self._ask(link, {"Action": name, **headers})

    async def _connection(self, listener: AmiListener) -> NoReturn:
        """One link from its opening to its end, which is always an exception."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def on_event(event: Headers) -> None:
            if event.get("Event") in self._wanted and not loop.is_closed():
                loop.call_soon_threadsafe(listener.receive, event)

        def on_end() -> None:
            loop.call_soon_threadsafe(ended.set)

        link = Connection(on_event, on_end, self._timeout_seconds)
        try:
            await self._open(link)
            self._link = link
            try:
                await listener.connected()
                self._is_well()
                await self._keep(link, ended)
            finally:
                self._link = None
                listener.disconnected()
        finally:
            link.close()
        raise AmiUnavailable("Asterisk has ended the AMI link")

    async def _open(self, link: Connection) -> None:
        loop, (host, port) = asyncio.get_running_loop(), self._address
        try:
            await loop.run_in_executor(self._threads, link.connect, host, port)
            await loop.run_in_executor(self._threads, link.login, *self._login)
        except (OSError, ManagerException) as error:
            raise AmiUnavailable(f"AMI of Asterisk at {host}:{port}: {error}") from error

    def _is_well(self) -> None:
        log.info("connected to AMI at %s:%d", *self._address)
        self.trouble = None
        self._failures = 0

    async def _keep(self, link: Connection, ended: asyncio.Event) -> None:
        while not ended.is_set():
            try:
                await asyncio.wait_for(ended.wait(), self._ping_seconds)
            except TimeoutError:
                await self._ask(link, {"Action": "Ping"})

    async def _ask(self, link: Connection, headers: Headers) -> Sequence[Headers]:
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._threads, link.send_action, headers)
        except (OSError, ManagerException) as error:
            raise AmiUnavailable(f"AMI: {error}") from error
        if answer.get_header("Response") == "Error":
            raise AmiError(f"AMI {headers['Action']}: {answer.get_header('Message')}")
        rows: Sequence[Headers] = answer.rows
        return rows
