"""What one text means, given what its sender sent before: act, answer, or neither. Pure.

SMPP gives a text no id, so a text that the SMSC delivers twice can only be known by its words. The
same words again soon after count as the same text; but where the sender has sent something else in
between (TSTN, HUY, TSTN), only if they come within the minute that a link takes to come back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.folding import fold
from sms import keywords, replies
from sms.keywords import Verdict

NOT_A_SUBSCRIBER = "not_a_subscriber"
UNDECODABLE = "undecodable"
ECHO = "echo"
UNREADABLE = "unreadable"
"""A fault of ours: people have to look at it."""

_RECONNECTED_WITHIN = timedelta(seconds=60)
_HOUR = timedelta(hours=1)


class Act(StrEnum):
    """What is to be done for a text. NOTHING: it is neither acted on nor answered."""

    REGISTER = "register"
    CANCEL = "cancel"
    OPT_OUT = "opt_out"
    STATUS = "status"
    HELP = "help"
    SYNTAX = "syntax"
    NOTHING = "nothing"


_ACTS = {
    Verdict.REGISTER: Act.REGISTER,
    Verdict.CANCEL: Act.CANCEL,
    Verdict.OPT_OUT: Act.OPT_OUT,
    Verdict.STATUS: Act.STATUS,
    Verdict.HELP: Act.HELP,
    Verdict.NEAR_MISS: Act.SYNTAX,
    Verdict.UNKNOWN: Act.SYNTAX,
    Verdict.EMPTY: Act.NOTHING,
}


@dataclass(frozen=True, slots=True)
class Past:
    """A text that this sender sent before."""

    id: int
    received_at: datetime
    fold: str | None
    is_repeat: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A text understood.

    `verdict` is kept with it; `is_answered` is False where the act is to be done in silence;
    `repeat_of` is the id of the text that this one is again.
    """

    verdict: str
    act: Act
    fold: str | None = None
    note: str | None = None
    is_answered: bool = True
    repeat_of: int | None = None


def judge(
    text: str | None,
    at: datetime,
    past: Sequence[Past],
    texts: Mapping[str, str],
    *,
    repeat_seconds: float,
    most_an_hour: int,
) -> Judged:
    """Judge a subscriber's text.

    Args:
        text: None where it can't be decoded.
        past: what the sender sent before it, oldest first.
        texts: our own replies, to know an echo by.
    """
    if text is None:
        judged = Judged(UNDECODABLE, Act.SYNTAX)
    elif replies.is_ours(text, texts):
        return Judged(ECHO, Act.NOTHING, fold(text).fold)
    else:
        reading = keywords.read(text)
        judged = Judged(reading.verdict, _ACTS[reading.verdict], reading.fold, reading.note)
    if judged.act is Act.NOTHING:
        return judged
    before = [each for each in past if not each.is_repeat]
    first = _same(judged.fold, at, before, timedelta(seconds=repeat_seconds))
    if first is not None:
        return Judged(judged.verdict, Act.NOTHING, judged.fold, judged.note, False, first.id)
    recent = sum(1 for each in before if at - each.received_at < _HOUR)
    answered = recent <= most_an_hour
    return Judged(judged.verdict, judged.act, judged.fold, judged.note, answered)


def _same(
    words: str | None, at: datetime, before: Sequence[Past], within: timedelta
) -> Past | None:
    """The text that this one is again."""
    for back, each in enumerate(reversed(before)):
        limit = within if back == 0 else min(within, _RECONNECTED_WITHIN)
        if each.fold == words and abs(at - each.received_at) <= limit:
            return each
    return None
