"""ARI's websocket frames as typed events: bytes in, one event out, never an exception. Pure.

Only the events this server uses have a type; `ALLOWED_EVENTS` is the filter that keeps Asterisk
from sending the rest. All times are aware UTC. Field names and types: Asterisk's
`rest-api/events.json`; two facts that file does not tell:

* there is no "playback failed" event: PlaybackFinished comes for played, stopped, cancelled and
  failed alike, and only its state tells (`res_stasis_playback.c`); PlaybackStarted comes once for
  each sound of a playback, PlaybackFinished once for them all;
* `tech_cause` (the SIP status) exists from Asterisk 20.17 / 22.7 on, and only where SIP had one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from ivr.call_events import (
    CallEvent,
    ChannelDestroyed,
    ChannelEntered,
    ChannelRinging,
    ChannelUp,
    KeyReceived,
    PlaybackFinished,
    PlaybackStarted,
)

ALLOWED_EVENTS = (
    "StasisStart",
    "ChannelStateChange",
    "ChannelDestroyed",
    "ChannelDtmfReceived",
    "PlaybackStarted",
    "PlaybackFinished",
    "ApplicationReplaced",
    "RESTResponse",
)


@dataclass(frozen=True, slots=True)
class ApplicationReplaced:
    """Another websocket has taken over the app: no event comes to this one any more."""

    application: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a command that went by the websocket."""

    request_id: str
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Unknown:
    """A well-formed event of a kind this server does not use."""

    kind: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not an event at all, or one of ours with a field missing or of the wrong type."""

    reason: str


Event = CallEvent | ApplicationReplaced | Answered | Unknown | Malformed


def parse(frame: bytes) -> Event | None:
    """Read one websocket frame.

    Returns None for the events of a known kind that mean nothing here: channel states other than
    Ringing and Up, playbacks on bridges.
    """
    try:
        message = orjson.loads(frame)
        kind = message["type"]
        reader = _READERS.get(kind)
        if reader is None:
            return Unknown(_text(kind))
        return reader(message)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        return Malformed(f"{type(error).__name__}: {error}")


def _stasis_start(message: dict[str, Any]) -> ChannelEntered:
    channel = message["channel"]
    args = tuple(_text(arg) for arg in message["args"])
    return ChannelEntered(_text(channel["id"]), _at(message), args, _text(channel["name"]))


def _state_change(message: dict[str, Any]) -> ChannelRinging | ChannelUp | None:
    channel = message["channel"]
    state = _text(channel["state"])
    if state == "Ringing":
        return ChannelRinging(_text(channel["id"]), _at(message))
    if state == "Up":
        return ChannelUp(_text(channel["id"]), _at(message))
    return None


def _key_received(message: dict[str, Any]) -> KeyReceived:
    channel_id = _text(message["channel"]["id"])
    digit = _text(message["digit"])
    return KeyReceived(channel_id, digit, _at(message), _whole(message["duration_ms"]))


def _playback_started(message: dict[str, Any]) -> PlaybackStarted | None:
    playback = message["playback"]
    kind, _, channel_id = _text(playback["target_uri"]).partition(":")
    if kind != "channel":
        return None
    return PlaybackStarted(_text(playback["id"]), channel_id, _at(message))


def _playback_finished(message: dict[str, Any]) -> PlaybackFinished | None:
    playback = message["playback"]
    kind, _, channel_id = _text(playback["target_uri"]).partition(":")
    if kind != "channel":
        return None
    state = _text(playback["state"])
    return PlaybackFinished(_text(playback["id"]), channel_id, _at(message), state)


def _channel_destroyed(message: dict[str, Any]) -> ChannelDestroyed:
    tech_cause = message.get("tech_cause")
    return ChannelDestroyed(
        channel_id=_text(message["channel"]["id"]),
        cause=_whole(message["cause"]),
        tech_cause=None if tech_cause is None else _whole(tech_cause),
        cause_text=_text(message["cause_txt"]),
        at=_at(message),
    )


def _application_replaced(message: dict[str, Any]) -> ApplicationReplaced:
    return ApplicationReplaced(_text(message["application"]))


def _answered(message: dict[str, Any]) -> Answered:
    body = _text(message.get("message_body") or "").encode()
    return Answered(_text(message["request_id"]), _whole(message["status_code"]), body)


def _at(message: dict[str, Any]) -> datetime:
    at = datetime.fromisoformat(message["timestamp"])
    if at.tzinfo is UTC:  # Asterisk in UTC writes +0000, which parses to this very object
        return at
    if at.tzinfo is None:
        raise ValueError("timestamp without a zone")
    return at.astimezone(UTC)


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError(f"text expected, not {type(value).__name__}")
    return value


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"whole number expected, not {type(value).__name__}")
    return value


_READERS: dict[str, Callable[[dict[str, Any]], Event | None]] = {
    "StasisStart": _stasis_start,
    "ChannelStateChange": _state_change,
    "ChannelDestroyed": _channel_destroyed,
    "ChannelDtmfReceived": _key_received,
    "PlaybackStarted": _playback_started,
    "PlaybackFinished": _playback_finished,
    "ApplicationReplaced": _application_replaced,
    "RESTResponse": _answered,
}
