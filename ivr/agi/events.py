"""AMI's events as what happens to a channel. Pure.

Asterisk 22's `core-en_US.xml` names the headers; TechCause (SIP's status) exists where ARI has
`tech_cause`: from 20.17 and 22.7 on.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from domain.clock import Clock
from ivr.ami.message import Message
from ivr.call_events import CallEvent, ChannelDestroyed, ChannelRinging, ChannelUp, KeyReceived

_RINGING, _UP = "5", "6"


def translate(message: Message, clock: Clock) -> CallEvent | None:
    """Give the event a call knows, or None for all others and what lacks a number."""
    reader = _READERS.get(message.event)
    try:
        return reader(message, _at(message, clock)) if reader else None
    except ValueError:
        return None


def _new_state(message: Message, at: datetime) -> CallEvent | None:
    state = message.get("ChannelState")
    if state == _RINGING:
        return ChannelRinging(message.get("Uniqueid"), at)
    return ChannelUp(message.get("Uniqueid"), at) if state == _UP else None


def _key(message: Message, at: datetime) -> CallEvent | None:
    if message.get("Direction") != "Received":
        return None
    milliseconds = int(message.get("DurationMs"))
    return KeyReceived(message.get("Uniqueid"), message.get("Digit"), at, milliseconds)


def _hangup(message: Message, at: datetime) -> CallEvent:
    tech_cause = message.get("TechCause")
    return ChannelDestroyed(
        channel_id=message.get("Uniqueid"),
        cause=int(message.get("Cause")),
        tech_cause=int(tech_cause) if tech_cause else None,
        cause_text=message.get("Cause-txt"),
        at=at,
    )


def _at(message: Message, clock: Clock) -> datetime:
    """Asterisk's own time, where manager.conf has it told (`timestampevents`)."""
    timestamp = message.get("Timestamp")
    return datetime.fromtimestamp(float(timestamp), UTC) if timestamp else clock()


_READERS: dict[str, Callable[[Message, datetime], CallEvent | None]] = {
    "Newstate": _new_state,
    "DTMFEnd": _key,
    "Hangup": _hangup,
}
