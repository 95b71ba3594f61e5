"""The events of an Asterisk without ARI: AMI's and FastAGI's in one order. I/O."""

import logging

from domain.clock import Clock
from ivr.agi.client import AgiClient
from ivr.agi.events import translate
from ivr.agi.lanes import Lanes
from ivr.ami.connection import AmiConnection
from ivr.ami.message import Message
from ivr.call_events import CallEvent, ChannelDestroyed
from ivr.driver import StreamListener

log = logging.getLogger(__name__)


class AgiStream:
    """Keeps events flowing: they wait while the listener reconciles, and before it first has.

    Between two AMI links FastAGI's events go on: a key that ended a sound counts.
    """

    def __init__(self, ami: AmiConnection, client: AgiClient, lanes: Lanes, clock: Clock) -> None:
        self._ami = ami
        self._client = client
        self._lanes = lanes
        self._clock = clock
        self._listener: StreamListener | None = None
        self._waiting: list[CallEvent] | None = []
        lanes.emit = self._put

    @property
    def trouble(self) -> str | None:
        """Why no events flow, in words for the operator; None while they do."""
        return self._ami.trouble

    async def run(self, listener: StreamListener) -> None:
        """Connect, and connect again after every fault, until cancelled."""
        self._listener = listener
        await self._ami.run(self)

    # -- for the AMI connection

    async def connected(self) -> None:
        """Compare what is live with what is known, then let the events through."""
        if self._waiting is None:
            self._waiting = []
        self._lanes.keep_only([channel.id for channel in await self._client.channels()])
        await self._listening.reconcile()
        waiting, self._waiting = self._waiting, None
        for event in waiting:
            self._deliver(event)

    def receive(self, event: Message) -> None:
        """Take an event of AMI."""
        self._client.told(event)
        happened = translate(event, self._clock)
        if happened is not None and self._lanes.is_news(happened):
            self._put(happened)
        if isinstance(happened, ChannelDestroyed):
            self._lanes.forget(happened.channel_id)

    def disconnected(self) -> None:
        """The AMI link is lost."""
        self._listening.disconnected()

    # -- inside

    @property
    def _listening(self) -> StreamListener:
        assert self._listener is not None  # noqa: S101
        return self._listener

    def _put(self, event: CallEvent) -> None:
        if self._waiting is None:
            self._deliver(event)
        else:
            self._waiting.append(event)

    def _deliver(self, event: CallEvent) -> None:
        try:
            self._listening.receive(event)
        except Exception:
            kind = type(event).__name__
            log.exception("fault at %s of channel %s", kind, event.channel_id)
