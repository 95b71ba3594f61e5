"""Did every subscriber who texted get what domain.md §8 demands? Pure.

Judged from our export and from the SMSC's journal, field by field, as lab.demo_verdict does for
calls.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from domain.states import CallbackKind, CallbackState, Channel, MessageOutState
from lab.demo_replies import kind_of
from lab.demo_texters import Texter, Way
from lab.demo_verdict import Mismatch, Row, deadlines_are_right
from sms.replies import ReplyKind

ANYONE = "did not text"


@dataclass(frozen=True)
class TextRecords:
    """All that is known of the texts.

    Attributes:
        messages: lines of `export messages`.
        registrations, callbacks: lines of our exports, of all campaigns and channels.
        standing: the numbers that have an open registration.
        opted_out: the numbers that want no invitations.
        sent: what the SMSC delivered to us (`SmscControl.mos`).
        read: what subscribers have read (`SmscControl.texts`).
        replies: the words of our replies, by kind.
    """

    messages: Sequence[Row]
    registrations: Sequence[Row]
    callbacks: Sequence[Row]
    standing: frozenset[str]
    opted_out: frozenset[str]
    sent: Sequence[Row]
    read: Sequence[Row]
    replies: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class TextOutcome:
    """What the texts of one sender came to.

    Attributes:
        words: what our store has of it, each delivery counted.
        repeats: how many of these we took for a text that the SMSC delivered again.
        unacknowledged: PDUs that we did not acknowledge for good.
        answers: the kinds of reply we say that we gave, in order.
        replies: the kinds of reply that the subscriber read, in order.
        delivered: replies whose delivery we know of.
        registrations: how many its texts have opened.
        notes: what these registrations note, in order.
        stands: whether a registration is open at the end, whatever it came by.
        confirm_callbacks: how many call-backs that confirm the address are open at the end.
        opted_out: whether it wants no invitations.
        wrong_deadlines: call-backs whose 21:00 of the next day or whose 48 hours are not right.
    """

    words: tuple[str, ...] = ()
    repeats: int = 0
    unacknowledged: int = 0
    answers: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    delivered: int = 0
    registrations: int = 0
    notes: tuple[str, ...] = ()
    stands: bool = False
    confirm_callbacks: int = 0
    opted_out: bool = False
    wrong_deadlines: int = 0


@dataclass(frozen=True)
class TextJudged:
    """One sender: what was demanded, what was seen, and where they differ."""

    sender: str
    name: str
    demanded: TextOutcome
    seen: TextOutcome
    mismatches: tuple[Mismatch, ...]


def is_by_text(row: Row) -> bool:
    """Whether a registration or a call-back of the export came by a text."""
    channel = row.get("channel") or row["source_id"].partition(":")[0]
    return bool(channel == Channel.SMS)


def judge_texts(texters: Sequence[Texter], records: TextRecords) -> list[TextJudged]:
    """Judge all who texted, and anybody else to whom anything came by text."""
    known = {texter.sender for texter in texters}
    anyone = sorted(_touched(records) - known)
    return [
        *(_judged(each.sender, each.name, text_demand(each), records) for each in texters),
        *(_judged(sender, ANYONE, TextOutcome(), records) for sender in anyone),
    ]


def text_demand(texter: Texter) -> TextOutcome:
    """What a sender must come to, by the replies that its texts must get."""
    replies = tuple(str(step.reply) for step in texter.steps if step.reply is not None)
    opened, cancelled = replies.count(ReplyKind.OK), replies.count(ReplyKind.CANCELLED)
    stands = texter.presses_1 + opened - cancelled
    return TextOutcome(
        words=tuple(
            words
            for step in texter.steps
            for words in [step.words] * (2 if step.way is Way.TWICE else 1)
        ),
        repeats=sum(step.way is Way.TWICE for step in texter.steps),
        answers=replies,
        replies=replies,
        delivered=len(replies),
        registrations=opened,
        notes=tuple(step.note for step in texter.steps if step.note is not None),
        stands=stands == 1,
        confirm_callbacks=stands,
        opted_out=ReplyKind.OPTED_OUT in replies,
    )


def sender_of(row: Row) -> str:
    """E.164 for a subscriber; else as the SMSC writes it."""
    if "msisdn" in row:
        return str(row["msisdn"] or row["source"])
    return e164(row["source"])


def e164(digits: str) -> str:
    """A subscriber's number as the SMSC writes it, in our form; anything else as it is."""
    return f"+{digits}" if digits.startswith("84") and len(digits) > len("84") else digits


def _touched(records: TextRecords) -> set[str]:
    registered = [*records.registrations, *records.callbacks]
    return {
        *(sender_of(row) for row in records.messages),
        *(row["msisdn"] for row in registered if is_by_text(row)),
        *(e164(row["destination"]) for row in records.read),
    }


def _judged(sender: str, name: str, demanded: TextOutcome, records: TextRecords) -> TextJudged:
    seen = _seen(sender, records)
    mismatches = tuple(
        Mismatch(sender, name, what, wanted, found)
        for what, wanted, found in _differences(demanded, seen)
    )
    return TextJudged(sender, name, demanded, seen, mismatches)


def _seen(sender: str, records: TextRecords) -> TextOutcome:
    messages = [row for row in records.messages if sender_of(row) == sender]
    texts = whole_texts(messages)
    registrations = [
        row for row in records.registrations if row["msisdn"] == sender and is_by_text(row)
    ]
    callbacks = [row for row in records.callbacks if row["msisdn"] == sender]
    confirms = [row for row in callbacks if row["kind"] == CallbackKind.CONFIRM]
    notes = [row["evidence"].get("note") for row in registrations]
    return TextOutcome(
        words=tuple(row["text"] for row in texts),
        repeats=sum(row["repeat_of"] is not None for row in texts),
        unacknowledged=sum(sender_of(row) == sender and row["status"] != 0 for row in records.sent),
        answers=tuple(row["answer"] for row in texts if row["answer"] is not None),
        replies=tuple(
            kind_of(row["text"], records.replies)
            for row in records.read
            if e164(row["destination"]) == sender
        ),
        delivered=sum(
            row["direction"] == "out" and row["state"] == MessageOutState.DELIVERED
            for row in messages
        ),
        registrations=len(registrations),
        notes=tuple(note for note in notes if note is not None),
        stands=sender in records.standing,
        confirm_callbacks=sum(row["state"] == CallbackState.OPEN for row in confirms),
        opted_out=sender in records.opted_out,
        wrong_deadlines=sum(not deadlines_are_right(row) for row in callbacks),
    )


def whole_texts(messages: Sequence[Row]) -> list[Row]:
    """The texts that came in, each once however many parts it had."""
    return [row for row in messages if row["direction"] == "in" and row["joined_into"] is None]


def _differences(demanded: TextOutcome, seen: TextOutcome) -> Iterator[tuple[str, object, object]]:
    for field in fields(TextOutcome):
        wanted, found = getattr(demanded, field.name), getattr(seen, field.name)
        if wanted != found:
            yield field.name, wanted, found
