"""The rows of texts: what came in, what goes out, receipts, opt-outs. Pure.

Nothing that an SMSC may send is refused for its length or its values: a text that can't be stored
would be sent to us again for ever. So addresses are of any length, and words of others unchecked.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from domain.states import (
    MessageInState,
    MessageOutState,
    PostKind,
    ReceiptMatch,
    ReceiptState,
)
from store.base import Base, BigId, Msisdn
from store.columns import Json, any_of, word

Account = String(80)
"""The name of an SMSC account or of one of its binds, as in the settings."""


_DONE = any_of(
    "state", MessageOutState.DELIVERED, MessageOutState.UNDELIVERED, MessageOutState.EXPIRED
)
UNSETTLED = (
    "campaign_id IS NOT NULL AND state <> 'queued' AND state <> 'sending'"
    " AND coalesce(settled_as, '') <> state"
)
"""An invitation has come to something that its target was not told of."""
_TAKEN = f"(state = '{MessageOutState.ACCEPTED}' OR {_DONE})"


def _known(column: str, words: Iterable[StrEnum]) -> CheckConstraint:
    return CheckConstraint(any_of(column, *words), name=f"{column}_is_known")


def _only(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the rows of one condition, which a query must have word for word."""
    return Index(
        name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where)
    )


class MessageIn(Base):
    """One deliver_sm or data_sm that is no receipt, as it came and as it was understood.

    A long text is several rows: the words stand in one, `joined_into` leads the others there.
    `fold` is the text as keywords are compared; `repeat_of` the text that this one repeats.
    """

    __tablename__ = "messages_in"
    __table_args__ = (
        _known("state", MessageInState),
        CheckConstraint("(state = 'read') = (read_at IS NOT NULL)", name="read_has_time"),
        CheckConstraint("joined_into IS NULL OR state = 'read'", name="joined_is_read"),
        CheckConstraint(
            "(part_reference IS NULL) = (part_number IS NULL)"
            " AND (part_bits IS NULL) = (part_number IS NULL)"
            " AND (part_total IS NULL) = (part_number IS NULL)",
            name="part_is_whole",
        ),
        CheckConstraint("part_number BETWEEN 1 AND part_total", name="part_is_one_of_total"),
        CheckConstraint("state <> 'waiting' OR part_number IS NOT NULL", name="waits_for_parts"),
        _only("ix_messages_in_received", "id", where="state = 'received'"),
        _only(
            "ix_messages_in_waiting",
            *("account", "source", "destination", "part_reference", "part_bits", "part_total"),
            *("part_number", "received_at"),
            where="state = 'waiting'",
        ),
        # Only what is read, so that taking a text in costs no page of this large index.
        _only("ix_messages_in_msisdn", "msisdn", "received_at", where="state = 'read'"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    account: Mapped[str] = mapped_column(Account)
    bind: Mapped[str] = mapped_column(Account)
    received_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(Text)
    msisdn: Mapped[str | None] = mapped_column(Msisdn)
    destination: Mapped[str] = mapped_column(Text)
    data_coding: Mapped[int] = mapped_column(SmallInteger)
    esm_class: Mapped[int] = mapped_column(SmallInteger)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    part_reference: Mapped[int | None] = mapped_column(default=None)
    part_bits: Mapped[int | None] = mapped_column(SmallInteger, default=None)
    part_total: Mapped[int | None] = mapped_column(SmallInteger, default=None)
    part_number: Mapped[int | None] = mapped_column(SmallInteger, default=None)
    state: Mapped[str] = mapped_column(word(), default=MessageInState.RECEIVED)
    read_at: Mapped[datetime | None] = mapped_column(default=None)
    text: Mapped[str | None] = mapped_column(Text, default=None)
    fold: Mapped[str | None] = mapped_column(Text, default=None)
    verdict: Mapped[str | None] = mapped_column(word(), default=None)
    answer: Mapped[str | None] = mapped_column(word(), default=None)
    repeat_of: Mapped[int | None] = mapped_column(BigId, ForeignKey("messages_in.id"), default=None)
    joined_into: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("messages_in.id"), default=None
    )


class MessageOut(Base):
    """One submit_sm, written before it is sent.

    The first part is the head of its message: it has the whole text and `once`, the key by which a
    message is posted only once; the others name it in `head_id`. `tlvs` are as on the wire.
    `unanswered` counts the tries to which the SMSC gave no answer; `settled_as` is the state that
    the target of a campaign's text was told of.
    """

    __tablename__ = "messages_out"
    __table_args__ = (
        _known("state", MessageOutState),
        _known("kind", PostKind),
        CheckConstraint(
            "(head_id IS NULL) = (part_number = 1)"
            " AND (head_id IS NULL) = (once IS NOT NULL)"
            " AND (head_id IS NULL) = (text IS NOT NULL)",
            name="head_is_first_part",
        ),
        CheckConstraint("part_number BETWEEN 1 AND part_total", name="part_is_one_of_total"),
        CheckConstraint(
            "kind <> 'reply' OR in_reply_to IS NOT NULL"
            " AND (once IS NULL OR once = 'reply:' || in_reply_to)",
            name="text_is_answered_once",
        ),
        CheckConstraint(
            "state <> 'queued' AND state <> 'sending' OR unanswered = 0"
            " OR unanswered = 1 AND kind = 'reply'",
            name="only_replies_are_resent",
        ),
        CheckConstraint(
            "state <> 'sending' OR bind IS NOT NULL AND sending_at IS NOT NULL",
            name="sending_has_bind",
        ),
        CheckConstraint(
            f"NOT {_TAKEN} OR responded_at IS NOT NULL",
            name="accepted_has_response",
        ),
        CheckConstraint(f"message_id IS NULL OR {_TAKEN}", name="id_comes_with_acceptance"),
        CheckConstraint(f"{_DONE} = (done_at IS NOT NULL)", name="done_has_time"),
        _only("uq_messages_out_once", "once", where="once IS NOT NULL", unique=True),
        _only(
            "uq_messages_out_head_id_part_number",
            *("head_id", "part_number"),
            where="head_id IS NOT NULL",
            unique=True,
        ),
        _only(
            "ix_messages_out_queued",
            *("account", "kind", "not_before", "id"),
            where="state = 'queued'",
        ),
        _only("ix_messages_out_sending", "bind", where="state = 'sending'"),
        _only("ix_messages_out_message_id", "message_id", where="message_id IS NOT NULL"),
        Index("ix_messages_out_msisdn", "msisdn"),
        # How many texts of a campaign are under way, and how many were answered lately.
        _only(
            "ix_messages_out_campaign",
            *("campaign_id", "state", "responded_at"),
            where="campaign_id IS NOT NULL",
        ),
        _only("ix_messages_out_unsettled", "id", where=UNSETTLED),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    head_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("messages_out.id"))
    part_number: Mapped[int] = mapped_column(SmallInteger)
    part_total: Mapped[int] = mapped_column(SmallInteger)
    account: Mapped[str] = mapped_column(Account)
    msisdn: Mapped[str] = mapped_column(Msisdn)
    source: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(word())
    text: Mapped[str | None] = mapped_column(Text)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    data_coding: Mapped[int] = mapped_column(SmallInteger)
    esm_class: Mapped[int] = mapped_column(SmallInteger)
    tlvs: Mapped[bytes | None] = mapped_column(LargeBinary)
    once: Mapped[str | None] = mapped_column(String(80))
    in_reply_to: Mapped[int | None] = mapped_column(BigId, ForeignKey("messages_in.id"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))
    posted_at: Mapped[datetime]
    not_before: Mapped[datetime]
    state: Mapped[str] = mapped_column(word(), default=MessageOutState.QUEUED)
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    unanswered: Mapped[int] = mapped_column(SmallInteger, default=0)
    bind: Mapped[str | None] = mapped_column(Account, default=None)
    sending_at: Mapped[datetime | None] = mapped_column(default=None)
    unanswered_at: Mapped[datetime | None] = mapped_column(default=None)
    responded_at: Mapped[datetime | None] = mapped_column(default=None)
    status: Mapped[int | None] = mapped_column(BigId, default=None)
    message_id: Mapped[str | None] = mapped_column(Text, default=None)
    done_at: Mapped[datetime | None] = mapped_column(default=None)
    error: Mapped[str | None] = mapped_column(Text, default=None)
    settled_as: Mapped[str | None] = mapped_column(word(), default=None)


class Receipt(Base):
    """A delivery receipt as it came; `forms` are the spellings under which its id may be known.

    An orphan, whose text is not known (yet), is looked up again at `again_at`.
    """

    __tablename__ = "receipts"
    __table_args__ = (
        _known("matching", ReceiptMatch),
        _known("state", ReceiptState),
        CheckConstraint(
            "(matching = 'matched') = (message_out_id IS NOT NULL)", name="matched_has_text"
        ),
        CheckConstraint(
            "(matching = 'orphan') = (again_at IS NOT NULL)", name="orphan_comes_again"
        ),
        _only("ix_receipts_orphan", "again_at", where="matching = 'orphan'"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    account: Mapped[str] = mapped_column(Account)
    received_at: Mapped[datetime]
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    message_id: Mapped[str | None] = mapped_column(Text)
    msisdn: Mapped[str | None] = mapped_column(Msisdn)
    forms: Mapped[list[Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(word())
    stat: Mapped[str] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    matching: Mapped[str] = mapped_column(word(), default=ReceiptMatch.ORPHAN)
    message_out_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("messages_out.id"), default=None
    )
    again_at: Mapped[datetime | None] = mapped_column(default=None)


class SmsReference(Base):
    """The reference that the parts of the last long text to a number bore, 0 to 65535."""

    __tablename__ = "sms_references"
    __table_args__ = (CheckConstraint("reference BETWEEN 0 AND 65535", name="reference_is_16_bit"),)

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    destination: Mapped[str] = mapped_column(Text, primary_key=True)
    reference: Mapped[int]


class OptOut(Base):
    """A subscriber wants no more invitations. Rows are only ever added: triggers refuse the rest.

    `at` is the receipt, `applied_at` when it took effect; `source_id` names the evidence.
    """

    __tablename__ = "opt_outs"
    __table_args__ = (Index("ix_opt_outs_msisdn", "msisdn"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    msisdn: Mapped[str] = mapped_column(Msisdn)
    at: Mapped[datetime]
    applied_at: Mapped[datetime]
    source_id: Mapped[str] = mapped_column(String(64), unique=True)
