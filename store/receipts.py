"""Delivery receipts: matched to texts by id, kept in any case, and matched again later. I/O.

A receipt may come before the response that gives its text an id, twice, and on any bind. Its id
may be spelled otherwise than the response spelled it (decimal, hex, zeros, case).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    String,
    Text,
    Update,
    bindparam,
    null,
    select,
    update,
)

from domain.states import MessageOutState, ReceiptMatch, ReceiptState
from store.batches import Columns, EachRow, NewRows
from store.columns import UtcDateTime, fixed
from store.messages import storable
from store.models import MessageOut, Receipt, table
from store.statements import among

GIVE_UP_AFTER = timedelta(minutes=10)
_AGAIN_AFTER = (timedelta(seconds=1), timedelta(minutes=1))
"""An orphan is looked up again after as long as it has waited, within these bounds."""

_BECOMES = {
    ReceiptState.DELIVERED: MessageOutState.DELIVERED,
    ReceiptState.EXPIRED: MessageOutState.EXPIRED,
    ReceiptState.DELETED: MessageOutState.UNDELIVERED,
    ReceiptState.UNDELIVERABLE: MessageOutState.UNDELIVERED,
    ReceiptState.REJECTED: MessageOutState.UNDELIVERED,
}
"""What a receipt makes of its text; other states change nothing."""


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """A receipt as read. `forms`: the spellings of its id that may be ours, likeliest first.

    `msisdn` is the subscriber it came from, None where that is no number. It means a text to that
    number, if there is one; only where none turns up, what `message_id` itself is the id of.
    """

    account: str
    raw: bytes
    message_id: str | None
    forms: tuple[str, ...]
    state: ReceiptState
    stat: str
    error: str | None
    received_at: datetime
    msisdn: str | None = None


class _Named(NamedTuple):
    """What a receipt says of whom it means."""

    account: str
    message_id: str | None
    forms: Sequence[str]
    msisdn: str | None


_Known = Mapping[tuple[str, str], Sequence[tuple[int, str]]]
"""By account and id: the texts that bear it, row and number, newest first."""

_out, _receipt = table(MessageOut).c, table(Receipt).c
_WITH_ID = (
    select(_out.account, _out.message_id, _out.id, _out.msisdn)
    .where(among(_out.message_id, "message_ids"))
    .order_by(_out.id.desc())
)
_KEEP = NewRows(
    Receipt,
    (
        *("account", "received_at", "raw", "message_id", "msisdn", "forms", "state", "stat"),
        *("error", "matching", "message_out_id", "again_at"),
    ),
)
_DUE = (
    select(table(Receipt))
    .where(_receipt.matching == fixed(ReceiptMatch.ORPHAN), _receipt.again_at <= bindparam("now"))
    .order_by(_receipt.again_at)
    .limit(bindparam("limit"))
)


def _finish(new: Columns) -> Update:
    return (
        update(table(MessageOut))
        .where(_out.id == new["id"], _out.state == fixed(MessageOutState.ACCEPTED))
        .values(state=new["state"], done_at=new["at"], error=new["error"])
    )


def _adopt(new: Columns) -> Update:
    return (
        update(table(Receipt))
        .where(_receipt.id == new["id"], _receipt.matching == fixed(ReceiptMatch.ORPHAN))
        .values(matching=fixed(ReceiptMatch.MATCHED), message_out_id=new["text"], again_at=null())
    )


def _wait(new: Columns) -> Update:
    return (
        update(table(Receipt))
        .where(_receipt.id == new["id"], _receipt.matching == fixed(ReceiptMatch.ORPHAN))
        .values(matching=new["matching"], again_at=new["at"])
    )


_FINISH = EachRow(
    {"id": BigInteger(), "state": String(24), "at": UtcDateTime(), "error": Text()}, _finish
)
_ADOPT = EachRow({"id": BigInteger(), "text": BigInteger()}, _adopt)
_WAIT = EachRow({"id": BigInteger(), "matching": String(24), "at": UtcDateTime()}, _wait)


def take_receipts(connection: Connection, receipts: Sequence[NewReceipt]) -> None:
    """Keep receipts, and end the texts that they are about. A final state stays as it is."""
    if not receipts:
        return
    named = [_Named(r.account, r.message_id, r.forms, r.msisdn) for r in receipts]
    known = _known(connection, named)
    texts = [_match(receipt, known) for receipt in named]
    rows = [_row(*pair) for pair in zip(receipts, texts, strict=True)]
    _KEEP.run(connection, rows)
    _end_texts(
        connection,
        [
            (text, receipt.state, receipt.received_at, receipt.error)
            for receipt, text in zip(receipts, texts, strict=True)
            if text is not None
        ],
    )


def rematch(connection: Connection, now: datetime, limit: int = 500) -> int:
    """Look orphans up again whose turn it is; give how many have found their text."""
    orphans = connection.execute(_DUE, {"now": now, "limit": limit}).all()
    named = [_Named(o.account, o.message_id, o.forms, o.msisdn) for o in orphans]
    known = _known(connection, named)
    found = [
        (o, _match(receipt, known, is_last=now - o.received_at >= GIVE_UP_AFTER))
        for o, receipt in zip(orphans, named, strict=True)
    ]
    adopted = [(orphan, text) for orphan, text in found if text is not None]
    _ADOPT.run(connection, [(orphan.id, text) for orphan, text in adopted])
    _end_texts(connection, [(t, o.state, o.received_at, o.error) for o, t in adopted])
    _WAIT.run(
        connection,
        [(o.id, *_later(o.received_at, now)) for o, text in found if text is None],
    )
    return len(adopted)


def _later(received_at: datetime, now: datetime) -> tuple[ReceiptMatch, datetime | None]:
    waited = now - received_at
    if waited >= GIVE_UP_AFTER:
        return ReceiptMatch.GIVEN_UP, None
    shortest, longest = _AGAIN_AFTER
    return ReceiptMatch.ORPHAN, now + min(max(waited, shortest), longest)


def _known(connection: Connection, receipts: Sequence[_Named]) -> _Known:
    ids = {form for receipt in receipts for form in _spellings(receipt)}
    known: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    if ids:
        rows = connection.execute(_WITH_ID, {"message_ids": sorted(ids)})
        for account, message_id, identity, msisdn in rows:
            known[account, message_id].append((identity, msisdn))
    return known


def _spellings(receipt: _Named) -> list[str]:
    return [storable(i) for i in dict.fromkeys([receipt.message_id, *receipt.forms]) if i]


def _match(receipt: _Named, known: _Known, *, is_last: bool = False) -> int | None:
    """The newest text to the receipt's number that the id is of, in any spelling.

    Without a number, or where one fits no text and it is looked up for the last time, that of the
    id alone: as it is spelled, else (without a number) in another spelling.
    """
    forms = _spellings(receipt)
    for form in forms:
        for identity, msisdn in known.get((receipt.account, form), ()):
            if msisdn == receipt.msisdn:
                return identity
    if receipt.msisdn is not None:
        forms = forms[:1] if is_last and receipt.message_id else []
    alone = (known.get((receipt.account, form)) for form in forms)
    return next((texts[0][0] for texts in alone if texts), None)


def _row(receipt: NewReceipt, text: int | None) -> tuple[Any, ...]:
    """The values of a new row, in the order of _KEEP."""
    message_id = receipt.message_id
    is_orphan = text is None
    return (
        receipt.account,
        receipt.received_at,
        receipt.raw,
        storable(message_id) if message_id is not None else None,
        receipt.msisdn,
        [storable(form) for form in receipt.forms] if is_orphan else [],
        receipt.state,
        storable(receipt.stat),
        storable(receipt.error) if receipt.error is not None else None,
        ReceiptMatch.ORPHAN if is_orphan else ReceiptMatch.MATCHED,
        text,
        receipt.received_at if is_orphan else None,
    )


def _end_texts(
    connection: Connection, said: Sequence[tuple[int, str, datetime, str | None]]
) -> None:
    """The first final state that is said of a text stays."""
    ends: dict[int, tuple[Any, ...]] = {}
    for text, state, at, error in said:
        if final := _BECOMES.get(ReceiptState(state)):
            ends.setdefault(text, (text, final, at, storable(error) if error else None))
    _FINISH.run(connection, [ends[text] for text in sorted(ends)])
