"""The history of one number as lines for people: when, what, and what is worth reading. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from console.formats import day, local
from console.messages import marked as _


class Group(StrEnum):
    """What a reader may want to see alone."""

    CALLS = "calls"
    TEXTS = "texts"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class Line:
    """One happening; a detail is a label and its value, both to be put into words."""

    at: datetime
    kind: str
    group: Group
    details: tuple[tuple[str, str], ...]
    text: str | None
    """A text's own words; None where there are none, or the reader may not see them."""
    is_hidden: bool


_LABELS = {
    "key": _("key"),
    "disposition": _("outcome"),
    "hangup_cause": _("Q.850 cause"),
    "tech_cause": _("SIP status"),
    "trunk": _("trunk"),
    "channel": _("channel"),
    "callback": _("call-back"),
    "verdict": _("understood as"),
    "answer": _("answered with"),
    "purpose": _("purpose"),
    "bind": _("SMSC bind"),
    "tries": _("tries"),
    "status": _("SMPP status"),
    "error": _("error"),
    "part": _("part"),
    "outcome": _("result"),
    "later_at": _("call at"),
    "late_since": _("after the phase, whose last day was"),
    "reason": _("reason"),
    "note": _("note"),
    "by": _("by"),
}
"""What is shown of a happening, in this order; ids are for programs."""
_FREE = {"note", "reason"}
"""What an agent or a supervisor wrote: it may be anything, also somebody's name and number."""
_CALLS = {
    "callback_dialled",
    "callback_agent_answered",
    "callback_subscriber_dialled",
    "callback_subscriber_answered",
    "callback_call_ended",
    "trial_call_asked",
}
_NO_ERROR = ("error", "000")


def lines(
    entries: Iterable[Mapping[str, Any]], *, whole: bool, group: Group | None = None
) -> list[Line]:
    """The entries of `store.history.timeline`; `whole` shows the words of texts too."""
    made = [_line(entry, whole=whole) for entry in entries]
    return [line for line in made if group in (None, line.group)]


def _line(entry: Mapping[str, Any], *, whole: bool) -> Line:
    text = entry.get("text")
    return Line(
        entry["at"],
        entry["kind"],
        _group(entry["kind"]),
        tuple(_details(entry, whole=whole)),
        text if whole else None,
        text is not None and not whole,
    )


def _details(entry: Mapping[str, Any], *, whole: bool) -> Iterable[tuple[str, str]]:
    for key, label in _LABELS.items():
        value = entry.get(key)
        if value in (None, "", 0) or (key, value) == _NO_ERROR:
            continue
        if key in _FREE and not whole:
            continue
        if key == "later_at":
            value = local(datetime.fromisoformat(value))
        if key == "late_since":
            value = day(value)
        yield label, f"outcome_{value}" if key == "outcome" else str(value)


def _group(kind: str) -> Group:
    if kind.startswith("text_"):
        return Group.TEXTS
    if kind.startswith(("attempt_", "key_")) or kind in _CALLS:
        return Group.CALLS
    return Group.REQUESTS
