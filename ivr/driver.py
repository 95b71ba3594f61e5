"""What calls need of their Asterisk; ARI (`ivr.ari`) and AGI (`ivr.agi`) both fulfil it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ivr.call_events import CallEvent
from ivr.origination import Endpoint, Originated


class CallControl(Protocol):
    """What a live call tells Asterisk. Each verb answers False where its object is gone.

    Raises DriverError where Asterisk can't be reached or refuses.
    """

    async def play(
        self, channel_id: str, playback_id: str, media: Sequence[str], stoppers: str
    ) -> bool:
        """Play sounds in a row, after those under way; PlaybackFinished tells their end.

        `stoppers` are the keys on which the call will stop it: Asterisk may do so by itself.
        """

    async def stop_playback(self, playback_id: str) -> bool:
        """Silence a playback; PlaybackFinished follows where this answers True."""

    async def is_playing(self, playback_id: str) -> bool:
        """Whether a playback is not over yet."""

    async def hang_up(self, channel_id: str) -> bool:
        """Hang up, in whatever state the channel is."""

    async def continue_in_dialplan(
        self, channel_id: str, context: str, extension: str, label: str
    ) -> bool:
        """Let go of the channel; raises too where the dialplan has no such place."""


class LiveChannel(Protocol):
    """A channel that Asterisk lists.

    `state` is Asterisk's word: "Down", "Ringing", "Up" …; `held`: it is ours to command (or will
    be again in a moment), not handed over to the dialplan.
    """

    @property
    def id(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def held(self) -> bool: ...


class CallDriver(CallControl, Protocol):
    """What a node asks of Asterisk beside. All but `originate` raise DriverError."""

    async def originate(
        self,
        channel_id: str,
        endpoint: Endpoint,
        *,
        caller_id: str,
        timeout_seconds: int,
        variables: Mapping[str, str],
    ) -> Originated:
        """Dial, by our id; never raises for what the network or Asterisk does."""

    async def channel(self, channel_id: str) -> LiveChannel | None:
        """Look one channel up."""

    async def channels(self) -> Sequence[LiveChannel]:
        """All live channels of this Asterisk, whoever made them."""

    async def variable(self, channel_id: str, name: str) -> str | None:
        """A variable of a channel; None where it is not set, or the channel is gone."""

    async def subscribe(self, channel_id: str) -> bool:
        """Ask for a channel's events (harmless if they come already); False if it is gone."""


class StreamListener(Protocol):
    """Who gets the events. Only `reconcile` may await; the others run inside the reader.

    What the others raise is logged and changes nothing.
    """

    async def reconcile(self) -> None:
        """A connection stands and its events wait: compare what is live with what is known.

        May raise anything: the connection is then closed, and opened anew a little later.
        Cancelled where the connection ends meanwhile.
        """

    def receive(self, event: CallEvent) -> None:
        """Take one event; they come in Asterisk's order."""

    def disconnected(self) -> None:
        """No event comes any more. Follows each `reconcile` exactly once, finished or not."""

    def replaced(self) -> None:
        """Another server has taken the app over: stop dialling for good."""


class EventStream(Protocol):
    """The events of one Asterisk, kept flowing to one listener."""

    @property
    def trouble(self) -> str | None:
        """Why none flow, in words for the operator; None while they do."""

    async def run(self, listener: StreamListener) -> None:
        """Connect, and connect again after every fault, until cancelled."""
