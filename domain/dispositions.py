"""What a dial came to: our own word for each hang-up cause of Asterisk. Pure.

A hang-up cause is an integer of Q.850; a disposition is ours, and the retry rules are written in
dispositions. The table was read from Asterisk's dial.c and chan_pjsip.c and measured on 22.10.1.
Keep the raw causes beside the disposition: this table may be wrong for a carrier.
"""

from enum import StrEnum


class Disposition(StrEnum):
    """How one attempt ended, as stored. Add values, never rename one."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"  # the number does not exist: no retry
    UNREACHABLE = "unreachable"  # switched off, out of coverage, or forwarded elsewhere
    CONGESTION = "congestion"  # the trunk's or the network's fault, not the number's
    NOT_DIALLED = "not_dialled"  # Asterisk refused the originate, nothing was sent
    UNKNOWN = "unknown"  # cannot be known: neither failed nor to be redialled at once
    UNEXPECTED_CAUSE = "unexpected_cause"  # not in the table: log it loudly


_BY_CAUSE = {
    **dict.fromkeys((18, 19), Disposition.NO_ANSWER),
    17: Disposition.BUSY,
    21: Disposition.REJECTED,
    **dict.fromkeys((1, 22, 28), Disposition.INVALID_NUMBER),
    # 23 is a 302: we follow no redirection, so the subscriber himself was not reached.
    **dict.fromkeys((20, 23, 27, 31), Disposition.UNREACHABLE),
    **dict.fromkeys((3, 34, 38, 41, 42, 44, 58, 102, 127), Disposition.CONGESTION),
}
_NOT_SET, _NO_ROUTE, _NORMAL_CLEARING, _NO_REPLY = 0, 3, 16, 19
_NOT_FOUND, _TEMPORARILY_UNAVAILABLE = 404, 480


def classify(
    *,
    cause: int,
    tech_cause: int | None,
    answered: bool,
    rang: bool,
    ringing_seconds: float,
    ring_timeout_seconds: float,
) -> Disposition:
    """Judge one ended channel by its ChannelDestroyed event and what was seen before it.

    Never use the cause of a soft ChannelHangupRequest here: that is a flag, not Q.850.

    Args:
        cause: the hang-up cause of ChannelDestroyed (Q.850; 0 = none was set).
        tech_cause: the SIP status, None where Asterisk gives none.
        answered: the channel was seen Up; wins over every cause.
        rang: Dial RINGING was seen. It alone tells "switched off" from "no answer", since a
            carrier's 480 and our own ring timeout are both 19/480.
        ringing_seconds: from RINGING to the end, 0 if it did not ring.
        ring_timeout_seconds: the originate timeout of this attempt.
    """
    if answered:
        return Disposition.ANSWERED
    if cause in (_NOT_SET, _NORMAL_CLEARING):
        return _without_reason(cause, rang, ringing_seconds, ring_timeout_seconds)
    if (cause, tech_cause, rang) == (_NO_REPLY, _TEMPORARILY_UNAVAILABLE, False):
        return Disposition.UNREACHABLE
    if (cause, tech_cause) == (_NO_ROUTE, _NOT_FOUND):
        return Disposition.INVALID_NUMBER
    return _BY_CAUSE.get(cause, Disposition.UNEXPECTED_CAUSE)


def _without_reason(
    cause: int, rang: bool, ringing_seconds: float, ring_timeout_seconds: float
) -> Disposition:
    """Judge an end that carries no reason: our own hang-up, or a timeout before 20.18 / 22.8.

    Asterisk counts the timeout from the INVITE and the ringing begins seconds later, so half the
    timeout is taken for all of it. Shorter than that with cause 0 may be a 302 lost in a race.
    """
    rang_through = rang and ringing_seconds >= ring_timeout_seconds / 2
    we_hung_up = rang and cause == _NORMAL_CLEARING
    return Disposition.NO_ANSWER if rang_through or we_hung_up else Disposition.UNKNOWN
