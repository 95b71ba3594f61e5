"""How texts look in an answer for people. Pure."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from runtime.cli import campaign_view
from runtime.cli.output import table
from store.texts import Backlog

_BOUND = "bound"
_LOUD = "!!"
_IN_WORDS = {
    "unknown_receipts": "receipts with a state that nobody knows",
    "orphans_given_up": "receipts for no text of ours",
    "unanswered": "texts that the SMSC did not answer: nobody knows whether they went out",
    "unreadable": "texts that we failed to read",
}


def binds_table(binds: Mapping[str, Mapping[str, Any]]) -> Table:
    """The binds of `/health`, one a line; one that is not bound is marked."""
    return table(
        ("", "bind", "state", "sent", "room", "trouble"),
        (
            (
                *("" if bind["state"] == _BOUND else _LOUD, name, bind["state"]),
                *(bind["sent"], bind["room"], bind["trouble"]),
            )
            for name, bind in binds.items()
        ),
    )


def waiting_table(backlog: Backlog) -> Table:
    """What waits, with the number; of what is to be sent, a line an account or bind."""
    return table(
        (),
        (
            ("waiting", "to be read", backlog.unread),
            ("", "for other parts", backlog.parts_waiting),
            *_each("to be sent", "by", backlog.queued),
            *_each("for the SMSC's answer", "on", backlog.sending),
            ("", "receipts for their text", backlog.orphans),
        ),
    )


def counts_table(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """All texts and receipts by state, the most frequent first."""
    return campaign_view.counts_table({k: v for k, v in counts.items() if k != "loud"})


def loud_table(loud: Mapping[str, int]) -> Table | str:
    """What people have to look into."""
    found = {kind: number for kind, number in loud.items() if number}
    if not found:
        return "nothing to look into"
    return table((), ((_LOUD, number, _IN_WORDS.get(kind, kind)) for kind, number in found.items()))


def quoted(text: str) -> str:
    """A text on one line, what would not show (a line's end, an escape, no width) as its code."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return f'"{"".join(shown)}"'


def _each(what: str, joined: str, numbers: Mapping[str, int]) -> list[tuple[str, str, int]]:
    lines = [("", f"{what} {joined} {name}", number) for name, number in sorted(numbers.items())]
    return lines or [("", what, 0)]
