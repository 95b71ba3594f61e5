"""Texts to subscribers, a row for each PDU: posted once, claimed before they are sent. I/O."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import (
    Connection,
    Integer,
    bindparam,
    case,
    func,
    literal_column,
    select,
    update,
)

from domain.states import MessageOutState, PostKind
from store import gate_texts
from store.batches import ManyTimes, NewRows
from store.columns import fixed
from store.locks import lock_sending
from store.messages import storable
from store.models import MessageOut, SmsReference, table
from store.statements import among, among_chosen, insert_new, insert_or_update

Tlvs = tuple[tuple[int, bytes], ...]
"""Tags and values."""

_REFERENCES = 1 << 16
_TLV_HEAD = struct.Struct(">HH")


@dataclass(frozen=True, slots=True)
class PartRow:
    """What one submit_sm carries."""

    payload: bytes
    data_coding: int
    esm_class: int
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class Post:
    """A text to send, in one part or more.

    `once` is the key by which it is posted only once. A reply has one of its own, the text it
    answers (`in_reply_to`); any other message without a key is posted each time.
    """

    account: str
    msisdn: str
    source: str
    kind: PostKind
    text: str
    parts: tuple[PartRow, ...]
    once: str | None = None
    in_reply_to: int | None = None
    campaign_id: int | None = None
    not_before: datetime | None = None


class Outgoing(NamedTuple):
    """A PDU that is ours to send. `message` is the id of its text; `tries` counts this one too."""

    id: int
    message: int
    part: int
    total: int
    msisdn: str
    source: str
    kind: PostKind
    posted_at: datetime
    payload: bytes
    data_coding: int
    esm_class: int
    tlvs: Tlvs
    tries: int


_out = table(MessageOut).c
_GIVEN = (
    *("head_id", "part_number", "part_total", "account", "msisdn", "source", "kind", "text"),
    *("payload", "data_coding", "esm_class", "tlvs", "once", "in_reply_to", "campaign_id"),
    *("posted_at", "not_before", "state", "tries", "unanswered"),
)
_ADD = NewRows(MessageOut, _GIVEN, _out.id, _out.once)
_ADD_MANY = ManyTimes(
    {name: _out[name].type for name in _GIVEN}, insert_new(MessageOut)["sqlite"].values
)
_ONCE = _GIVEN.index("once")
_STANDING = select(_out.id, _out.once).where(among(_out.once, "keys"))


def post(connection: Connection, posts: Sequence[Post], now: datetime) -> list[int]:
    """Queue texts; give the id of each. One whose key stands already gives the standing id."""
    if not posts:
        return []
    keys = [_key(post) for post in posts]
    wanted = dict(zip(keys, posts, strict=True))
    ids = _add(connection, [_row(post, 1, now, once=key) for key, post in wanted.items()])
    if parts := [row for key, head in ids.items() for row in _other_parts(wanted[key], head, now)]:
        _add(connection, parts)
    if standing := [key for key in wanted if key not in ids]:
        found = connection.execute(_STANDING, {"keys": standing})
        ids.update({once: identity for identity, once in found})
    return [ids[key] for key in keys]


def _add(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> dict[str, int]:
    """Insert what does not stand yet; give the ids of these rows by their keys."""
    if connection.dialect.name != "sqlite":
        return {row.once: row.id for row in _ADD.run(connection, rows)}
    count = _ADD_MANY.run(connection, rows)
    # Nobody else writes meanwhile, so that SQLite's numbers follow each other.
    last = connection.exec_driver_sql("SELECT last_insert_rowid()").scalar_one()
    keys = [row[_ONCE] for row in rows]
    if count == len(rows):
        return dict(zip(keys, range(last - count + 1, last + 1), strict=True))
    found = connection.execute(_STANDING, {"keys": keys}) if count else ()
    return {once: identity for identity, once in found if identity > last - count}


def _key(post: Post) -> str:
    """The database knows this rule too: it takes no second reply to a text."""
    if post.kind is PostKind.REPLY:
        return f"reply:{post.in_reply_to}"
    return post.once or uuid4().hex


def _other_parts(post: Post, head: int, now: datetime) -> Iterator[tuple[Any, ...]]:
    return (_row(post, number, now, head=head) for number in range(2, len(post.parts) + 1))


def _row(
    post: Post, number: int, now: datetime, head: int | None = None, once: str | None = None
) -> tuple[Any, ...]:
    """The values of a new row, in the order of _GIVEN."""
    part = post.parts[number - 1]
    return (
        head,
        number,
        len(post.parts),
        post.account,
        post.msisdn,
        post.source,
        post.kind,
        storable(post.text) if head is None else None,
        part.payload,
        part.data_coding,
        part.esm_class,
        _packed(part.tlvs),
        once,
        post.in_reply_to,
        post.campaign_id,
        now,
        post.not_before or now,
        MessageOutState.QUEUED,
        0,
        0,
    )


def _packed(tlvs: Tlvs) -> bytes | None:
    return b"".join(_TLV_HEAD.pack(tag, len(value)) + value for tag, value in tlvs) or None


def _unpacked(data: bytes) -> Tlvs:
    tlvs, at = [], 0
    while at < len(data):
        tag, length = _TLV_HEAD.unpack_from(data, at)
        at += _TLV_HEAD.size + length
        tlvs.append((tag, bytes(data[at - length : at])))
    return tuple(tlvs)


_reference = table(SmsReference).c.reference
_COUNT_UP = insert_or_update(
    SmsReference, {"reference": (_reference + 1) % _REFERENCES}, _reference
)


def next_reference(connection: Connection, source: str, destination: str) -> int:
    """The reference for the next long text from `source` to `destination`, 0 to 65535."""
    key = {"source": source, "destination": destination, "reference": 1}
    return int(connection.execute(_COUNT_UP[connection.dialect.name], key).scalar_one())


_NONE, _ONE = literal_column("0", Integer), literal_column("1", Integer)
_QUEUED = _out.state == fixed(MessageOutState.QUEUED)
_TAKE = (
    update(table(MessageOut))
    .where(_QUEUED)
    .values(
        state=fixed(MessageOutState.SENDING),
        bind=bindparam("bind_name"),
        tries=_out.tries + _ONE,
        sending_at=bindparam("now"),
    )
    .returning(
        _out.id,
        func.coalesce(_out.head_id, _out.id),
        # Of no type: what the driver gives is what we want, and quicker.
        *map(literal_column, ("part_number", "part_total", "msisdn", "source", "kind")),
        _out.posted_at,
        *map(literal_column, ("payload", "data_coding", "esm_class", "tlvs", "tries")),
        literal_column("not_before"),
    )
)


_head = table(MessageOut).alias("head").c
_HEAD_STATE = select(_head.state).where(_head.id == _out.head_id).scalar_subquery()
_IS_FRESH = _out.tries == _NONE
# Not EXISTS: PostgreSQL might read all heads at once for it.
_HEAD_IS_OVER = _HEAD_STATE.not_in([fixed(MessageOutState.QUEUED), fixed(MessageOutState.SENDING)])


def _next_of(kind: PostKind) -> Any:
    """Claims the next of a kind; a statement for each, since a partial index wants words.

    A part that was never tried comes with its head, so a head counts for all of its parts; it comes
    alone where it was given back after its head went out, and only once that has its answer.
    """
    pdus = case((_out.head_id.is_(None) & _IS_FRESH, _out.part_total), else_=_ONE)
    order = (_out.not_before, _out.id)
    due = (
        select(_out.id, (func.sum(pdus).over(order_by=order) - pdus).label("pdus_before"))
        .where(
            _out.account == bindparam("of_account"),
            _out.kind == fixed(kind),
            _QUEUED,
            _out.not_before <= bindparam("now"),
            _out.head_id.is_(None) | ~_IS_FRESH | _HEAD_IS_OVER,
        )
        .order_by(*order)
        .limit(bindparam("limit"))
        .subquery("due")
    )
    chosen = select(due.c.id).where(due.c.pdus_before < bindparam("limit"))
    return _TAKE.where(among_chosen(_out.id, chosen))


_NEXT = {kind: _next_of(kind) for kind in PostKind}
_OTHER_PARTS = _TAKE.where(among(_out.head_id, "heads"), _IS_FRESH)
_END_WITH_HEAD = (
    update(table(MessageOut))
    .where(among(_out.id, "ids"), _HEAD_STATE.in_([fixed(MessageOutState.FAILED)]))
    .values(state=fixed(MessageOutState.FAILED), tries=_NONE)
    .returning(_out.id)
)


def claim(
    connection: Connection, account: str, bind: str, limit: int, now: datetime
) -> list[Outgoing]:
    """Take what is due for an account, replies first. Commit before a byte of it is sent.

    All parts of a message come together and in order, be they more than `limit`. `bind` must be the
    name of no other bind anywhere. Invitations pass the gate (`store.gate_texts`).
    """
    lock_sending(connection, account)
    same = {"bind_name": bind, "now": now}
    taken: list[Outgoing] = []
    for kind in PostKind:
        if (left := limit - len(taken)) <= 0:
            break
        wanted = {**same, "of_account": account, "limit": left}
        rows = _without_lost(connection, connection.execute(_NEXT[kind], wanted).all())
        if heads := [row.id for row in rows if row.part_number < row.part_total]:
            rows += connection.execute(_OTHER_PARTS, {**same, "heads": heads})
        away: set[int] = set()
        if rows and kind is PostKind.INVITATION:
            away = gate_texts.turn_away(connection, [row.id for row in rows], now)
        taken += _in_order(row for row in rows if row.id not in away)
    return taken


def _without_lost(connection: Connection, rows: Sequence[Any]) -> list[Any]:
    """Without the parts whose head has failed meanwhile: nobody could read them."""
    alone = [row.id for row in rows if row.part_number > 1 and row.tries == 1]
    if not alone:
        return list(rows)
    lost = set(connection.execute(_END_WITH_HEAD, {"ids": alone}).scalars())
    return [row for row in rows if row.id not in lost]


def _in_order(rows: Iterable[Sequence[Any]]) -> list[Outgoing]:
    """PDUs by the time of their texts, parts one after the other."""
    outs = []
    due: dict[int, Any] = {}
    for *values, tlvs, tries, not_before in rows:
        out = Outgoing._make((*values, _unpacked(tlvs) if tlvs else (), tries))
        due[out.message] = min(due.get(out.message, not_before), not_before)
        outs.append(out)
    return sorted(outs, key=lambda out: (due[out.message], out.message, out.part))
