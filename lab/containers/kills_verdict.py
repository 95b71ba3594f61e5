"""Did anything get lost, or anybody dialled twice, while containers were killed? Pure.

Judged from the carrier's own log and the demo's summary. What a kill may cost is a call: one that
was up, at whichever end, ends somehow, and one that was begun meanwhile may not get through. It is
never a second one, nor a key that somebody was there to take (lab.presence), nor a text that the
SMSC had taken from a subscriber, nor the answer to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.msisdn import national
from lab.carrier import CarrierEvent
from lab.demo_summary import Summary
from lab.presence import Presence

MUST_COUNT = 40
"""Keys 1 that somebody was there to take: fewer would prove nothing."""
_OF_TEXTS = ("registrations", "notes", "opted_out")
"""What a text must come to, whatever dies."""


@dataclass(frozen=True)
class KillsVerdict:
    """The figures, and a line for each thing that is wrong."""

    invites: int
    twice: int
    keys: int
    taken: int
    lost: int
    problems: tuple[str, ...]


def judge_kills(
    summary: Summary, events: Sequence[CarrierEvent], presence: Presence
) -> KillsVerdict:
    """Judge a demo whose containers were killed."""
    invites = {event.call_id: event for event in events if event.event == "invite"}
    keys = [event for event in events if (event.event, event.value) == ("key", "1")]
    taken = [key for key in keys if presence.was_whole(invites[key.call_id], key)]
    registered = {
        national(number["msisdn"])
        for number in summary["numbers"]
        if number["seen"]["registrations"]
    }
    lost = sorted({key.number for key in taken} - registered)
    dialled = [event.number for event in events if event.event == "invite"]
    twice = sorted({number for number in dialled if dialled.count(number) > 1})
    problems = [
        *(f"{number} was dialled {dialled.count(number)} times" for number in twice),
        *(f"key 1 of {number} is lost" for number in lost),
        *_more_problems(summary, len(taken)),
    ]
    return KillsVerdict(len(dialled), len(twice), len(keys), len(taken), len(lost), tuple(problems))


def _more_problems(summary: Summary, taken: int) -> Iterator[str]:
    if not summary["finished"]:
        yield f"the campaign was not finished after {summary['seconds']:.0f} s"
    if taken < MUST_COUNT:
        yield f"only {taken} keys 1 came while our side was all there: {MUST_COUNT} prove something"
    for number in summary["numbers"]:
        if number["seen"]["registrations"] > number["demanded"]["registrations"]:
            yield f"{national(number['msisdn'])} is registered without having asked"
    for texter in summary["texts"]["texters"]:
        demanded, seen = _of_texts(texter["demanded"]), _of_texts(texter["seen"])
        if demanded != seen:
            yield f"{texter['name']}: {seen} instead of {demanded}"
        if unread := _unread(texter["demanded"], texter["seen"]):
            yield f"{texter['name']}: never read {', '.join(unread)}"


def judge_health(report: Mapping[str, Any]) -> Iterator[str]:
    """What the server says at the end: all that was killed must be there for it again."""
    if report.get("ok") is not True:
        yield f"the server is not well at the end: {report}"
        return
    for name, bind in report["binds"].items():
        if bind["state"] != "bound":
            yield f"{name} is not bound at the end: {bind['trouble'] or bind['state']}"
    if spooled := report["store"]["spooled_facts"]:
        yield f"{spooled} facts are still in the spool at the end"


def _unread(demanded: dict[str, Any], seen: dict[str, Any]) -> list[str]:
    """Answers that we gave and nobody has read: what is not known to be sent, is sent again.

    Which they are may hang on a call that was lost; how many there are may not.
    """
    missing = len(demanded["answers"]) - len(seen["answers"])
    lost = [kind for kind in dict.fromkeys(seen["answers"]) if kind not in seen["replies"]]
    return [*lost, f"{missing} answers more"] if missing > 0 else lost


def _of_texts(outcome: dict[str, Any]) -> dict[str, Any]:
    return {name: outcome[name] for name in _OF_TEXTS}
