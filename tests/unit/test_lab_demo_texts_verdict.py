"""The verdict on texts: what is right passes, and every single fault in it is named. Pure."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.deadlines import promise_at, target_at
from lab.behaviours import numbers_for
from lab.demo_replies import kind_of
from lab.demo_texters import Step, Texter, Way
from lab.demo_texts_summary import count_texts, summarise_texts
from lab.demo_texts_verdict import ANYONE, TextJudged, TextRecords, judge_texts
from sms import replies
from sms.replies import DEFAULTS, ReplyKind

AT = datetime(2026, 3, 26, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 3, 26, 9, 30, 1, tzinfo=UTC)
[PRESSED] = numbers_for("press-1")
OTHER = "+84910009999"
REGISTERS = Texter("registers", "+84910000001", (Step("TSTN x", ReplyKind.OK, note="x"),))
TWICE = Texter("twice", "+84910000002", (Step("HD", ReplyKind.HELP, Way.TWICE),))
CANCELS = Texter("cancels", PRESSED, (Step("HUY", ReplyKind.CANCELLED),), is_called=True)
REFUSES = Texter("opts out", "+84910000003", (Step("TC", ReplyKind.OPTED_OUT),))
CODE = Texter("a short code", "9090", (Step("TSTN", None),))
TEXTERS = [REGISTERS, TWICE, CANCELS, REFUSES, CODE]
WORDS = {str(kind): words for kind, words in DEFAULTS.items()}


def came(number: int, who: Texter, answer: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "direction": "in",
        "text_id": number,
        "msisdn": who.sender if who.is_subscriber else None,
        "source": who.sender.removeprefix("+"),
        "received_at": AT.isoformat(),
        "text": who.steps[0].words,
        "answer": answer,
        "repeat_of": None,
        "joined_into": None,
        **changes,
    }


def went(answered: int, who: Texter) -> dict[str, Any]:
    return {
        "direction": "out",
        "text_id": answered,
        "msisdn": who.sender,
        "source": "9231",
        "state": "delivered",
        "in_reply_to": answered,
        "responded_at": LATER.isoformat(),
    }


def callback(who: Texter, source_id: str, state: str) -> dict[str, Any]:
    return {
        "msisdn": who.sender,
        "kind": "confirm",
        "state": state,
        "source_id": source_id,
        "requested_at": AT.isoformat(),
        "target_at": target_at(AT).isoformat(),
        "promise_at": promise_at(AT).isoformat(),
    }


def mo(who: Texter, times: int = 1) -> dict[str, Any]:
    source = who.sender.removeprefix("+")
    return {"source": source, "status": 0, "times": times, "sent_at": 1.0, "acked_at": 1.002}


def read(who: Texter, kind: ReplyKind) -> dict[str, Any]:
    dates = {"date": AT, "received": AT, "applied": AT}
    return {"destination": who.sender[1:], "text": replies.text(kind, DEFAULTS, **dates)}


def perfect() -> TextRecords:
    answered = [(1, REGISTERS), (2, TWICE), (4, CANCELS), (5, REFUSES)]
    return TextRecords(
        messages=[
            *(came(number, who, str(who.steps[0].reply)) for number, who in answered),
            came(3, TWICE, None, repeat_of=2),
            came(6, CODE, None),
            *(went(number, who) for number, who in answered),
        ],
        registrations=[
            {
                "msisdn": REGISTERS.sender,
                "channel": "sms",
                "source_id": "1",
                "evidence": {"note": "x"},
            },
            {"msisdn": PRESSED, "channel": "ivr", "source_id": "call-1", "evidence": {}},
        ],
        callbacks=[
            callback(REGISTERS, "sms:1", "open"),
            callback(CANCELS, "ivr:call-1", "cancelled"),
        ],
        standing=frozenset({REGISTERS.sender}),
        opted_out=frozenset({REFUSES.sender}),
        sent=[mo(REGISTERS), mo(TWICE, 2), mo(CANCELS), mo(REFUSES), mo(CODE)],
        read=[read(who, who.steps[0].reply or ReplyKind.HELP) for _, who in answered],
        replies=WORDS,
    )


def faults(judged: list[TextJudged]) -> list[tuple[str, str]]:
    return [(each.behaviour, each.what) for one in judged for each in one.mismatches]


def test_what_is_right_passes() -> None:
    judged = judge_texts(TEXTERS, perfect())
    assert [one.sender for one in judged] == [each.sender for each in TEXTERS]
    assert faults(judged) == []


def test_a_text_that_was_lost_is_named() -> None:
    records = perfect()
    messages = [row for row in records.messages if row["msisdn"] != REFUSES.sender]
    sent = [{**row, "status": None} for row in records.sent]
    lost = replace(records, messages=messages, sent=sent, opted_out=frozenset())
    found = faults(judge_texts(TEXTERS, lost))
    for what in ("words", "unacknowledged", "answers", "delivered", "opted_out"):
        assert ("opts out", what) in found


def changed(rows: Any, index: int, **changes: Any) -> list[Any]:
    return [{**row, **changes} if at == index else row for at, row in enumerate(rows)]


def answered_twice(records: TextRecords) -> TextRecords:
    return replace(records, read=[*records.read, records.read[0]])


def other_words(records: TextRecords) -> TextRecords:
    return replace(records, read=changed(records.read, 0, text="Xin chao"))


def misread(records: TextRecords) -> TextRecords:
    return replace(records, messages=changed(records.messages, 0, text="TSTN ?"))


def undelivered(records: TextRecords) -> TextRecords:
    return replace(records, messages=changed(records.messages, 6, state="accepted"))


def lost_note(records: TextRecords) -> TextRecords:
    return replace(records, registrations=changed(records.registrations, 0, evidence={}))


def registered_twice(records: TextRecords) -> TextRecords:
    again = {**records.registrations[0], "evidence": {}}
    return replace(records, registrations=[*records.registrations, again])


def closed(records: TextRecords) -> TextRecords:
    return replace(records, standing=frozenset())


def lost_call_back(records: TextRecords) -> TextRecords:
    return replace(records, callbacks=records.callbacks[1:])


def late(records: TextRecords) -> TextRecords:
    at = promise_at(AT).isoformat()
    return replace(records, callbacks=changed(records.callbacks, 0, target_at=at))


def refused_to_take(records: TextRecords) -> TextRecords:
    return replace(records, sent=changed(records.sent, 0, status=8))


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (answered_twice, "replies"),
        (other_words, "replies"),
        (misread, "words"),
        (undelivered, "delivered"),
        (lost_note, "notes"),
        (registered_twice, "registrations"),
        (closed, "stands"),
        (lost_call_back, "confirm_callbacks"),
        (late, "wrong_deadlines"),
        (refused_to_take, "unacknowledged"),
    ],
)
def test_one_fault_anywhere_is_named(
    spoil: Callable[[TextRecords], TextRecords], what: str
) -> None:
    assert faults(judge_texts(TEXTERS, spoil(perfect()))) == [("registers", what)]


def test_a_second_action_on_a_redelivered_text_is_named() -> None:
    records = perfect()
    messages = changed(records.messages, 4, repeat_of=None, answer="help")
    found = faults(judge_texts(TEXTERS, replace(records, messages=messages)))
    assert found == [("twice", "repeats"), ("twice", "answers")]


def test_a_call_back_that_was_not_cancelled_is_named() -> None:
    records = perfect()
    spoilt = replace(records, callbacks=changed(records.callbacks, 1, state="open"))
    assert faults(judge_texts(TEXTERS, spoilt)) == [("cancels", "confirm_callbacks")]


def test_who_did_not_text_must_have_nothing_by_text() -> None:
    records = perfect()
    row = {"msisdn": OTHER, "channel": "sms", "source_id": "9", "evidence": {}}
    spoilt = replace(
        records,
        registrations=[*records.registrations, row],
        read=[*records.read, {"destination": "9090", "text": "?"}],
    )
    found = faults(judge_texts([each for each in TEXTERS if each is not CODE], spoilt))
    assert (ANYONE, "registrations") in found
    assert (ANYONE, "replies") in found


@pytest.mark.parametrize("kind", ReplyKind)
def test_a_reply_is_known_by_its_words_whatever_its_dates(kind: ReplyKind) -> None:
    text = replies.text(kind, DEFAULTS, date=AT, received=AT, applied=LATER)
    assert kind_of(text, WORDS) == kind
    assert kind_of(text + ".", WORDS) == text + "."


def test_the_figures() -> None:
    counts = count_texts(perfect().messages)
    assert (counts.received, counts.registered, counts.answered) == (6, 1, 4)
    assert (counts.refused, counts.delivered) == (0, 4)
    summary = summarise_texts(perfect(), judge_texts(TEXTERS, perfect()))
    assert (summary["pdus"], summary["again"], summary["silent"]) == (6, 1, 2)
    assert summary["replies"] == {"ok": 1, "help": 1, "cancelled": 1, "opted_out": 1}
    assert summary["to_answered"] == {"count": 4, "p50_ms": 1000, "p99_ms": 1000, "max_ms": 1000}
    assert summary["to_acknowledged"]["p50_ms"] == 2.0
    assert len(summary["texters"]) == len(TEXTERS)
