"""What happens to a channel, whichever way Asterisk tells it. Pure. All times are aware UTC."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ChannelEntered:
    """The channel is ours to command: just answered, or given back by the dialplan.

    `args`: our name for the call, then what the dialplan says where it gives the channel back.
    """

    channel_id: str
    at: datetime
    args: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class ChannelRinging:
    """The far end rings (SIP 180)."""

    channel_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChannelUp:
    """The far end answered (SIP 200)."""

    channel_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KeyReceived:
    """The subscriber released a key: one of 0-9, *, #, A-D."""

    channel_id: str
    digit: str
    at: datetime
    duration_ms: int


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """A sound of a playback begins: the first, and then each further one."""

    playback_id: str
    channel_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """A playback is over, all its sounds; `state` is "done" (played, stopped) or "failed"."""

    playback_id: str
    channel_id: str
    at: datetime
    state: str

    @property
    def failed(self) -> bool:
        """Not all was heard: a sound file is missing, or the call ended meanwhile.

        Which of the two, only a ChannelDestroyed that follows (or does not) can tell.
        """
        return self.state == "failed"


@dataclass(frozen=True, slots=True)
class ChannelDestroyed:
    """The channel is over, answered or not; always the last event of a channel.

    `cause` is Q.850 (0 = none given); `tech_cause` the SIP status where there was one.
    """

    channel_id: str
    cause: int
    tech_cause: int | None
    cause_text: str
    at: datetime


CallEvent = (
    ChannelEntered
    | ChannelRinging
    | ChannelUp
    | KeyReceived
    | PlaybackStarted
    | PlaybackFinished
    | ChannelDestroyed
)
"""What happens to one channel; each has `channel_id` and `at`."""
