"""What there is to see of texts: how many in which state, and those of one number. I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select, union_all

from domain.states import MessageInState, MessageOutState, ReceiptMatch, ReceiptState
from store.columns import fixed
from store.models import MessageIn, MessageOut, Receipt, table
from store.statements import among_chosen

_in, _out, _receipt = table(MessageIn).c, table(MessageOut).c, table(Receipt).c


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits now. Quick: only rows that wait are looked at."""

    unread: int
    parts_waiting: int
    queued: dict[str, int]
    """By account."""
    sending: dict[str, int]
    """By bind."""
    orphans: int


def backlog(connection: Connection) -> Backlog:
    """What waits to be read, joined, sent, answered or matched."""
    queued, sending = fixed(MessageOutState.QUEUED), fixed(MessageOutState.SENDING)
    orphan = _receipt.matching == fixed(ReceiptMatch.ORPHAN)
    return Backlog(
        unread=_count(connection, _in.state == fixed(MessageInState.RECEIVED)),
        parts_waiting=_count(connection, _in.state == fixed(MessageInState.WAITING)),
        queued=_counts(connection, _out.account, _out.state == queued),
        sending=_counts(connection, _out.bind, _out.state == sending),
        orphans=_count(connection, orphan),
    )


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """Every row by its state: `in`, `verdicts`, `out`, `receipts`, and `loud`: to be looked into.

    Loud are receipts whose state nobody knows, those given up as orphans, and texts without an
    answer from the SMSC.
    """
    out = _counts(connection, _out.state)
    receipts = _counts(connection, _receipt.matching)
    unknown = _receipt.state == fixed(ReceiptState.UNKNOWN)
    return {
        "in": _counts(connection, _in.state),
        "verdicts": _counts(connection, _in.verdict, _in.joined_into.is_(None)),
        "out": out,
        "receipts": receipts,
        "loud": {
            "unknown_receipts": _count(connection, unknown),
            "orphans_given_up": receipts.get(ReceiptMatch.GIVEN_UP, 0),
            "unanswered": out.get(MessageOutState.UNKNOWN, 0),
        },
    }


def _count(connection: Connection, where: Any) -> int:
    return int(connection.execute(select(func.count()).where(where)).scalar_one())


def _counts(connection: Connection, word: Any, *where: Any) -> dict[str, int]:
    rows = connection.execute(select(word, func.count()).where(*where).group_by(word))
    return {str(value): count for value, count in rows if value is not None}


def of_number(msisdn: str) -> ColumnElement[bool]:
    """That a text came from a number, state by state: each has an index of its own."""
    arms = (
        select(_in.id).where(_in.msisdn == msisdn, _in.state == fixed(state))
        for state in MessageInState
    )
    return among_chosen(_in.id, union_all(*arms))


def entries(connection: Connection, msisdn: str) -> list[dict[str, Any]]:
    """The texts from and to a number as entries of its timeline, in no order."""
    chosen = select(table(MessageIn)).where(of_number(msisdn), _in.joined_into.is_(None))
    found = [_received(row) for row in connection.execute(chosen).mappings()]
    sent = connection.execute(select(table(MessageOut)).where(_out.msisdn == msisdn))
    return found + [entry for row in sent.mappings() for entry in _steps(row)]


def _received(row: RowMapping) -> dict[str, Any]:
    known = ("text", "state", "verdict", "answer", "repeat_of")
    return {
        "at": row["received_at"],
        "kind": "text_received",
        "text_id": row["id"],
        "to": row["destination"],
        **{name: row[name] for name in known},
    }


def _steps(row: RowMapping) -> list[dict[str, Any]]:
    """The steps of a PDU that its row gives a time for."""
    accepted = row["status"] == 0
    steps: list[tuple[str, datetime | None, dict[str, Any]]] = [
        ("text_sent", row["sending_at"], {"bind": row["bind"], "tries": row["tries"]}),
        ("text_unanswered", row["unanswered_at"], {}),
        (
            "text_accepted" if accepted else "text_refused",
            row["responded_at"],
            {} if accepted else {"status": row["status"]},
        ),
        (f"text_{row['state']}", row["done_at"], {"error": row["error"]}),
    ]
    if row["head_id"] is None:
        steps.insert(0, ("text_posted", row["posted_at"], _words(row)))
    same: dict[str, Any] = {
        "campaign_id": row["campaign_id"],
        "text_id": row["head_id"] or row["id"],
    }
    if row["part_total"] > 1:
        same["part"] = row["part_number"]
    return [{"at": at, "kind": kind, **same, **more} for kind, at, more in steps if at is not None]


def _words(row: RowMapping) -> dict[str, Any]:
    known = ("text", "state", "in_reply_to", "error")
    return {
        "purpose": row["kind"],
        **{name: row[name] for name in known},
        "parts": row["part_total"],
    }
