"""The event stream of one Asterisk: kept open, drained at once, put in order after a gap. I/O.

Asterisk closes a websocket whose reader is slow and keeps nothing for one that is away. So frames
are read in a task of their own that awaits nothing but the next frame, and after every connect the
listener first reconciles (asks Asterisk what is live) while new events wait, then gets those in
order, then live ones. What came to a connection that broke before that waits for the next one.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import NoReturn

from aiohttp import WSMsgType

from domain.errors import TstnError
from domain.pacing import retry_delay
from ivr.ari.client import AriClient
from ivr.ari.errors import AriUnavailable
from ivr.ari.events import ALLOWED_EVENTS, Answered, ApplicationReplaced, Malformed, Unknown, parse
from ivr.ari.lane import Lane
from ivr.ari.transport import EventSocket
from ivr.call_events import CallEvent
from ivr.driver import StreamListener

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 1.0
"""How long a closing handshake may hold us up; a peer that hangs must not hold up the next try."""


class AriStream:
    """Keeps one event websocket open for one listener.

    Args:
        heartbeat_seconds: between pings; a dead peer is noticed within 1.5 of them.
        retry_seconds: the first and the longest pause between two tries to connect.

    Attributes:
        trouble: why no events flow, in words for the operator; None while they do.
    """

    def __init__(
        self,
        client: AriClient,
        *,
        heartbeat_seconds: float = 10.0,
        retry_seconds: tuple[float, float] = (0.5, 15.0),
    ) -> None:
        self.trouble: str | None = "not connected yet"
        self._client = client
        self._heartbeat_seconds = heartbeat_seconds
        self._retry_seconds = retry_seconds
        self._failures = 0
        self._said: set[type[Exception]] = set()

    async def run(self, listener: StreamListener) -> None:
        """Connect, and connect again after every fault.

        Ends when cancelled, or returns once another server has taken the app over.
        """
        inbox = _Inbox(listener)
        while True:
            try:
                await self._connection(inbox)
            except _Replaced as error:
                self.trouble = str(error)
                logger.error("%s: stop one of the two, or give each its own app name", error)
                return
            except Exception as error:
                self._note(error)
            first, longest = self._retry_seconds
            await asyncio.sleep(retry_delay(self._failures, first, longest, random.random()))

    async def _connection(self, inbox: "_Inbox") -> NoReturn:
        """One connection from its opening to its end, which is always an exception."""
        socket = await self._client.open_events(self._heartbeat_seconds)
        lane = self._client.open_lane(socket)
        reader = asyncio.create_task(self._read(socket, inbox, lane), name="ari-reader")
        set_up = asyncio.create_task(self._set_up(inbox, lane), name="ari-set-up")
        try:
            await asyncio.wait({reader, set_up}, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self.trouble = "disconnected"
            lane.shut()
            try:
                await _cancel(reader, set_up)
            finally:
                inbox.shut()
                await _close(socket)
        # The reader's reason comes first: a lost connection fails the set-up too.
        await (set_up if reader.cancelled() else reader)
        raise AssertionError("a reader ends by raising")

    async def _set_up(self, inbox: "_Inbox", lane: Lane) -> None:
        await self._client.set_event_filter(ALLOWED_EVENTS)
        await lane.ask()  # after the filter: that holds back answers which it does not name
        await inbox.open()
        again = " again" if self._said else ""
        logger.info("connected to Asterisk at %s%s", self._client.url, again)
        self.trouble = None
        self._failures = 0
        self._said.clear()

    async def _read(self, socket: EventSocket, inbox: "_Inbox", lane: Lane) -> NoReturn:
        malformed = 0
        async for frame in socket:
            if frame.type is WSMsgType.ERROR:
                break
            event = parse(frame.data)
            if event is None or isinstance(event, Unknown):
                continue
            if isinstance(event, Malformed):
                malformed += 1
                if malformed == 1:  # the rest of a flood would say no more
                    logger.warning("Asterisk sent a malformed event, skipped: %s", event.reason)
            elif isinstance(event, Answered):
                lane.answered(event)
            elif isinstance(event, ApplicationReplaced):
                self._check_fence(event, inbox)
            else:
                inbox.put(event)
        why = socket.exception() or f"code {socket.close_code}"
        raise AriUnavailable(f"Asterisk at {self._client.url} ended the event stream ({why})")

    def _check_fence(self, event: ApplicationReplaced, inbox: "_Inbox") -> None:
        if event.application == self._client.app:
            _tell(inbox.listener.replaced)
            raise _Replaced(
                f"another server has taken over app {event.application!r} of Asterisk at"
                f" {self._client.url}, so this one dials no more"
            )

    def _note(self, error: Exception) -> None:
        """Keep the reason for `health`; log one of a kind per outage, not one per try."""
        self.trouble = str(error)
        self._failures += 1
        if type(error) in self._said:
            return
        self._said.add(type(error))
        ours = not isinstance(error, TstnError)
        logger.warning("%s; no calls until events flow again", error, exc_info=ours)


class _Replaced(TstnError):
    """Another server registered our app."""


class _Inbox:
    """Holds the events back until the listener has reconciled, over broken connections too."""

    def __init__(self, listener: StreamListener) -> None:
        self.listener = listener
        self._waiting: list[CallEvent] | None = []
        self._begun = False

    def put(self, event: CallEvent) -> None:
        if self._waiting is None:
            self._deliver(event)
        else:
            self._waiting.append(event)

    async def open(self) -> None:
        self._begun = True
        await self.listener.reconcile()
        waiting, self._waiting = self._waiting or [], None
        for event in waiting:
            self._deliver(event)

    def shut(self) -> None:
        if self._waiting is None:
            self._waiting = []
        if self._begun:
            self._begun = False
            _tell(self.listener.disconnected)

    def _deliver(self, event: CallEvent) -> None:
        try:
            self.listener.receive(event)
        except Exception:
            kind = type(event).__name__
            logger.exception("fault at %s of channel %s", kind, event.channel_id)


def _tell(listener: Callable[[], None]) -> None:
    """Call a listener whose fault must not undo the end of a stream."""
    try:
        listener()
    except Exception:
        logger.exception("fault in %s", listener.__qualname__)


async def _cancel(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _close(socket: EventSocket) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close()
    except Exception as error:
        logger.debug("the event stream did not close in good order: %r", error)
