"""What a text came to, from the states of its parts. Pure."""

from collections.abc import Sequence

from domain.states import MessageOutState, TextOutcome

_NOT_YET = {MessageOutState.QUEUED, MessageOutState.SENDING}
_LOST = {MessageOutState.FAILED, MessageOutState.UNDELIVERED, MessageOutState.EXPIRED}


def outcome_of(parts: Sequence[str]) -> TextOutcome | None:
    """The outcome by the worst of its parts; None while one of them is under way.

    A text that lacks a part can't be read, and one that the SMSC has taken is as good as sent.
    """
    states = set(map(MessageOutState, parts))
    if states & _NOT_YET:
        return None
    if states & _LOST:
        return TextOutcome.FAILED
    if MessageOutState.UNKNOWN in states:
        return TextOutcome.UNKNOWN
    return TextOutcome.DELIVERED if states == {MessageOutState.DELIVERED} else TextOutcome.SENT
