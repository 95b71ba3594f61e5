"""The AMI link of one Asterisk: kept open, its events handed on in order. I/O.

After every connect the listener first sets itself up, while events that come meanwhile already
reach it: what must wait, it holds back itself.
"""

import asyncio
import logging
import random
from typing import NoReturn, Protocol

from domain.errors import TstnError
from domain.pacing import retry_delay
from ivr.ami.errors import AmiError, AmiNotSent, AmiUnavailable
from ivr.ami.link import AmiLink
from ivr.ami.message import Message, Response, Value

log = logging.getLogger(__name__)

_OPEN_SECONDS = 5.0


class AmiListener(Protocol):
    """Who gets the events. Only `connected` may await; the others run inside the reader."""

    async def connected(self) -> None:
        """Asterisk is there and booted, actions are answered, events flow.

        May raise anything: the link is then closed, and opened anew a little later.
        """

    def receive(self, event: Message) -> None:
        """Take one event; they come in Asterisk's order."""

    def disconnected(self) -> None:
        """No event comes any more. Follows each `connected` exactly once, finished or not."""


class AmiConnection:
    """Keeps one AMI session open. Several connections may share a user.

    Args:
        user, secret: of `manager.conf`.
        timeout_seconds: the longest an action may take, its answer included.
        heartbeat_seconds: between pings; a dead peer is noticed within one more time-out.
        retry_seconds: the first and the longest pause between two tries to connect.

    Attributes:
        trouble: why there is no link, in words for the operator; None while there is one.
    """

    def __init__(
        self,
        host: str,
        port: int,
        user: str,
        secret: str,
        *,
        timeout_seconds: float = 5.0,
        heartbeat_seconds: float = 10.0,
        retry_seconds: tuple[float, float] = (0.5, 15.0),
    ) -> None:
        self.trouble: str | None = "not connected yet"
        self.where = f"{host}:{port}"
        self._address = (host, port)
        self._login = {"Username": user, "Secret": secret}
        self._timeout_seconds = timeout_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._retry_seconds = retry_seconds
        self._link: AmiLink | None = None
        self._failures = 0
        self._said: set[type[Exception]] = set()

    async def action(self, name: str, **headers: Value) -> Response:
        """Ask Asterisk; a sequence becomes several headers of one name.

        Raises:
            AmiNotSent: there is no link.
            AmiUnavailable: no answer came in time; it may have been done.
            ValueError: a value could end its line (before anything is sent).
        """
        if self._link is None:
            raise AmiNotSent(f"no AMI link to Asterisk at {self.where}")
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._link.action(name, headers)
        except TimeoutError:
            raise AmiUnavailable(
                f"Asterisk at {self.where} did not answer {name} in {self._timeout_seconds:g} s"
            ) from None

    async def run(self, listener: AmiListener) -> None:
        """Connect, and connect again after every fault, until cancelled."""
        while True:
            try:
                await self._session(listener)
            except Exception as error:
                self._note(error)
            first, longest = self._retry_seconds
            await asyncio.sleep(retry_delay(self._failures, first, longest, random.random()))

    async def _session(self, listener: AmiListener) -> NoReturn:
        """One link from its opening to its end, which is always an exception."""
        link = await self._open()
        booted = asyncio.Event()

        def receive(event: Message) -> None:
            if event.event == "FullyBooted":
                booted.set()
            _tell(listener, event)

        reader = asyncio.create_task(link.read(receive), name="ami-reader")
        keeper = asyncio.create_task(self._keep(link, booted, listener), name="ami-keeper")
        try:
            await asyncio.wait({reader, keeper}, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self.trouble, self._link = "disconnected", None
            link.close()
            reader.cancel()
            keeper.cancel()
            await asyncio.gather(reader, keeper, return_exceptions=True)
        # The reader's reason comes first: a lost link fails what is asked over it too.
        await (keeper if reader.cancelled() else reader)
        raise AssertionError("a reader ends by raising")

    async def _open(self) -> AmiLink:
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                return await AmiLink.open(*self._address)
        except (OSError, TimeoutError) as error:
            raise AmiUnavailable(f"no AMI at {self.where}: {error or 'no answer'}") from error

    async def _keep(self, link: AmiLink, booted: asyncio.Event, listener: AmiListener) -> NoReturn:
        """Log in, set the listener up, then ping."""
        async with asyncio.timeout(_OPEN_SECONDS):
            answer = await link.action("Login", self._login)
        if not answer.ok:
            raise AmiError(
                f"the AMI of Asterisk at {self.where} does not let us in ({answer.message}):"
                " check [asterisk] ami_user and its secret, run `tstn asterisk render` and reload"
            )
        await booted.wait()
        self._link = link
        try:
            await listener.connected()
            self._now_up()
            while True:
                await asyncio.sleep(self._heartbeat_seconds)
                await self.action("Ping")
        finally:
            listener.disconnected()

    def _now_up(self) -> None:
        log.info("connected to AMI of Asterisk at %s%s", self.where, " again" * bool(self._said))
        self.trouble = None
        self._failures = 0
        self._said.clear()

    def _note(self, error: Exception) -> None:
        """Keep the reason for `health`; log one of a kind per outage, not one per try."""
        self.trouble = str(error) or type(error).__name__
        self._failures += 1
        if type(error) in self._said:
            return
        self._said.add(type(error))
        ours = not isinstance(error, TstnError | TimeoutError)
        log.warning("%s; trying again", self.trouble, exc_info=ours)


def _tell(listener: AmiListener, event: Message) -> None:
    try:
        listener.receive(event)
    except Exception:
        log.exception("fault at the AMI event %s", event.event)
