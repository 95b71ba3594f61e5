"""The figures of the demo's texts: while it runs, at its end, and in summary.json. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import ceil
from typing import Any, TypedDict

from domain.states import MessageOutState
from lab.demo_texts_verdict import TextJudged, TextRecords, whole_texts
from lab.demo_verdict import Row
from sms.replies import ReplyKind

_REFUSED = (ReplyKind.SYNTAX, ReplyKind.INELIGIBLE)


@dataclass(frozen=True)
class TextCounts:
    """Texts so far; those that the SMSC delivered again count once more in `received` only.

    `refused` are told the syntax, or that they are not in the audience; `delivered` are replies
    whose receipt came.
    """

    received: int
    registered: int
    answered: int
    refused: int
    delivered: int


class TexterSummary(TypedDict):
    """One sender: the fields of lab.demo_texts_verdict.TextOutcome, demanded and seen."""

    sender: str
    name: str
    demanded: dict[str, Any]
    seen: dict[str, Any]


class TextsSummary(TypedDict):
    """What summary.json says of texts.

    Attributes:
        received, registered, answered, refused, delivered: as in TextCounts.
        pdus: PDUs that the SMSC sent to us with them, `again` those it sent once more.
        replies: how many of each kind.
        silent: texts without an answer: repeats, and those that must get none.
        to_acknowledged: from the SMSC's sending to our answer: count, p50_ms, p99_ms, max_ms.
        to_answered: from the receipt to the SMSC's answer to our reply, likewise.
        texters: each sender with what was demanded and what was seen.
    """

    received: int
    registered: int
    answered: int
    refused: int
    delivered: int
    pdus: int
    again: int
    replies: dict[str, int]
    silent: int
    to_acknowledged: dict[str, float]
    to_answered: dict[str, float]
    texters: list[TexterSummary]


def count_texts(messages: Sequence[Row]) -> TextCounts:
    """Count the lines of `export messages`."""
    texts = whole_texts(messages)
    answers = Counter(row["answer"] for row in texts if row["answer"] is not None)
    return TextCounts(
        received=len(texts),
        registered=answers[ReplyKind.OK],
        answered=answers.total(),
        refused=sum(answers[kind] for kind in _REFUSED),
        delivered=sum(
            row["direction"] == "out" and row["state"] == MessageOutState.DELIVERED
            for row in messages
        ),
    )


def summarise_texts(records: TextRecords, judged: Sequence[TextJudged]) -> TextsSummary:
    """Put together what stands in summary.json."""
    counts = count_texts(records.messages)
    answers = [row["answer"] for row in whole_texts(records.messages)]
    times = [row["times"] for row in records.sent]
    return TextsSummary(
        received=counts.received,
        registered=counts.registered,
        answered=counts.answered,
        refused=counts.refused,
        delivered=counts.delivered,
        pdus=sum(times),
        again=sum(times) - len(times),
        replies=dict(Counter(answer for answer in answers if answer).most_common()),
        silent=answers.count(None),
        to_acknowledged=_waits(
            [row["acked_at"] - row["sent_at"] for row in records.sent if row["acked_at"]]
        ),
        to_answered=_waits(_answer_seconds(records.messages)),
        texters=[
            TexterSummary(
                sender=one.sender,
                name=one.name,
                demanded=asdict(one.demanded),
                seen=asdict(one.seen),
            )
            for one in judged
        ],
    )


def _answer_seconds(messages: Sequence[Row]) -> list[float]:
    received = {row["text_id"]: row["received_at"] for row in whole_texts(messages)}
    return [
        (_time(row["responded_at"]) - _time(received[row["in_reply_to"]])).total_seconds()
        for row in messages
        if row["direction"] == "out" and row["responded_at"] and row["in_reply_to"] in received
    ]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _waits(seconds: Sequence[float]) -> dict[str, float]:
    """In the form of `tstn health`; empty where nothing was measured."""
    if not seconds:
        return {}
    waits = sorted(round(1000 * each, 1) for each in seconds)
    at = {"p50_ms": 0.5, "p99_ms": 0.99, "max_ms": 1.0}
    percentiles = {name: waits[ceil(share * len(waits)) - 1] for name, share in at.items()}
    return {"count": len(waits), **percentiles}
