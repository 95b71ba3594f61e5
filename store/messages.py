"""Texts from subscribers: kept before the SMSC is answered, joined when long, read once. I/O.

A text that the SMSC sends again is one more row: SMPP gives texts no id. What it repeats is for
the reader to find in `recent`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    String,
    Text,
    bindparam,
    select,
    update,
)

from domain.states import MessageInState
from store.batches import Columns, EachRow, NewRows
from store.columns import UtcDateTime, fixed
from store.engine import one_statement
from store.locks import lock_reading
from store.models import MessageIn, table
from store.statements import among

Part = tuple[int, int, int, int]
"""Of a long text: reference, bits of the reference (0 for SAR), total, number."""


class NewText(NamedTuple):
    """A deliver_sm or data_sm that is no receipt; `body` is the payload without its UDH.

    `msisdn` is None where the sender is no subscriber: a short code, or words.
    """

    account: str
    bind: str
    received_at: datetime
    source: str
    msisdn: str | None
    destination: str
    data_coding: int
    esm_class: int
    raw: bytes
    body: bytes
    part: Part | None = None


class Unread(NamedTuple):
    """A text, or a part of one, that nobody has read yet."""

    id: int
    account: str
    bind: str
    received_at: datetime
    source: str
    msisdn: str | None
    destination: str
    data_coding: int
    esm_class: int
    body: bytes
    part: Part | None


@dataclass(frozen=True, slots=True)
class ReadText:
    """What was understood of the rows `ids`; the words are kept in the first of them.

    `text` is None where it can't be decoded; `answer` is None where there is none.
    """

    ids: Sequence[int]
    text: str | None
    fold: str | None
    verdict: str
    answer: str | None = None
    repeat_of: int | None = None


@dataclass(frozen=True, slots=True)
class Recent:
    """A text of a number that has been read."""

    msisdn: str
    id: int
    account: str
    received_at: datetime
    fold: str | None
    verdict: str
    answer: str | None
    repeat_of: int | None


_in = table(MessageIn).c
_TAKE = NewRows(
    MessageIn,
    (
        *("account", "bind", "received_at", "source", "msisdn", "destination", "data_coding"),
        *("esm_class", "raw", "body", "part_reference", "part_bits", "part_total", "part_number"),
        "state",
    ),
)
_PARTS = (_in.part_reference, _in.part_bits, _in.part_total, _in.part_number)
UNREAD = select(
    *(_in.id, _in.account, _in.bind, _in.received_at, _in.source, _in.msisdn, _in.destination),
    *(_in.data_coding, _in.esm_class, _in.body, *_PARTS),
)
"""What makes an Unread of a row; without a condition yet."""
_OLDEST = (
    UNREAD.where(_in.state == fixed(MessageInState.RECEIVED))
    .order_by(_in.id)
    .limit(bindparam("limit"))
)


def _read_one(new: Columns) -> Any:
    return (
        update(table(MessageIn))
        .where(_in.id == new["id"], _in.state != fixed(MessageInState.READ))
        .values(
            state=fixed(MessageInState.READ),
            **{name: new[name] for name in new if name != "id"},
        )
    )


READ = EachRow(
    {
        "id": BigInteger(),
        "read_at": UtcDateTime(),
        "text": Text(),
        "fold": Text(),
        "verdict": String(24),
        "answer": String(24),
        "repeat_of": BigInteger(),
        "joined_into": BigInteger(),
    },
    _read_one,
)


@one_statement
def take_in(connection: Connection, texts: Sequence[NewText]) -> None:
    """Keep texts as they came, in this order.

    Parts of a long text wait for the others, what says it is part 3 of 2 does not.
    """
    _TAKE.run(connection, [_row(text) for text in texts])


def _row(text: NewText) -> tuple[Any, ...]:
    """The values of a new row, in the order of _TAKE."""
    part = _sane(text.part)
    return (
        text.account,
        text.bind,
        text.received_at,
        storable(text.source),
        text.msisdn,
        storable(text.destination),
        text.data_coding,
        text.esm_class,
        text.raw,
        text.body,
        *part,
        MessageInState.RECEIVED if part[0] is None else MessageInState.WAITING,
    )


def _sane(part: Part | None) -> Part | tuple[None, None, None, None]:
    if part is None or not 1 <= part[3] <= part[2]:
        return (None, None, None, None)
    return part


def storable(text: str) -> str:
    """A text that both databases take: NUL and lone surrogates become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    known = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return known.replace("\0", "\ufffd")


def unread(connection: Connection, limit: int) -> list[Unread]:
    """The oldest texts that nobody has read, ours to read until the transaction ends."""
    lock_reading(connection)
    return [as_unread(row) for row in connection.execute(_OLDEST, {"limit": limit})]


def as_unread(row: Sequence[Any]) -> Unread:
    """A row of the UNREAD statement."""
    part = None if row[-1] is None else (row[-4], row[-3], row[-2], row[-1])
    return Unread._make((*row[:-4], part))


def read(connection: Connection, results: Sequence[ReadText], now: datetime) -> None:
    """Keep what was understood. A text that has been read already stays as it is."""
    rows: list[tuple[Any, ...]] = []
    for result in results:
        head, *others = result.ids
        words = [None if word is None else storable(word) for word in (result.text, result.fold)]
        rows.append((head, now, *words, result.verdict, result.answer, result.repeat_of, None))
        rows += [(i, now, None, None, result.verdict, None, None, head) for i in others]
    READ.run(connection, rows)


_RECENT = (
    select(
        *(_in.msisdn, _in.id, _in.account, _in.received_at),
        *(_in.fold, _in.verdict, _in.answer, _in.repeat_of),
    )
    .where(
        among(_in.msisdn, "msisdns"),
        _in.received_at >= bindparam("since"),
        _in.state == fixed(MessageInState.READ),
        _in.joined_into.is_(None),
    )
    .order_by(_in.id)
)


def recent(connection: Connection, msisdns: Sequence[str], since: datetime) -> list[Recent]:
    """What these numbers have sent since then and was read, oldest first."""
    if not msisdns:
        return []
    rows = connection.execute(_RECENT, {"msisdns": list(set(msisdns)), "since": since})
    return [Recent(*row) for row in rows]
