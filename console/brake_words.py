"""What a brake says of its cause, in the words of the pages: the dialler writes English. Pure."""

import re
from collections.abc import Callable

from console.messages import marked as _
from console.words import WORDS

Say = Callable[[str], str]

_NUMBER = r"[\d.]+"
_KNOWN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern.replace("#", _NUMBER)), words)
    for pattern, words in (
        (
            "with (?P<agents>#) agents, (?P<late>#) of (?P<all>#) call-backs would be late within "
            "an hour of full rate",
            _(
                "With %(agents)s agents, %(late)s of %(all)s call-backs would be late after one "
                "more hour at the full rate"
            ),
        ),
        (
            "the call-backs will be in time with (?P<agents>#) agents",
            _("With %(agents)s agents the call-backs are in time again: it lets go step by step"),
        ),
        (
            "nobody has been on duty for a week",
            _("Nobody has been on duty for a week: it lets go step by step"),
        ),
        (
            "key 3 leads to nobody who could be waited for",
            _("Key 3 leads to nobody who could be waited for: it lets go step by step"),
        ),
        (
            "(?P<waiting>#) wait for an agent and (?P<more>#) more will; those who can be answered "
            "within (?P<seconds>#) s are (?P<room>-?#)",
            _(
                "%(waiting)s callers wait for an agent and %(more)s more will; the agents can "
                "answer %(room)s within %(seconds)s s"
            ),
        ),
        (
            "(?P<refused>#) of the last (?P<calls>#) calls were refused(?:: (?P<kinds>.*))?",
            _("%(refused)s of the last %(calls)s calls were refused by the trunk"),
        ),
    )
)


def said(reason: str, say: Say) -> str:
    """A brake's reason in the visitor's language; one that is not known stays as it is."""
    for pattern, words in _KNOWN:
        match = pattern.fullmatch(reason)
        if match is not None:
            told = say(words) % match.groupdict()
            kinds = match.groupdict().get("kinds")
            return f"{told}: {_kinds(kinds, say)}" if kinds else told
    return reason


def _kinds(kinds: str, say: Say) -> str:
    """Refusals by kind: "3 congestion, 1 unexpected cause"."""
    told = []
    for kind in kinds.split(", "):
        count, _space, words = kind.partition(" ")
        name = words.replace(" ", "_")
        told.append(f"{count} × {say(WORDS.get(name, words)).lower()}")
    return ", ".join(told)
