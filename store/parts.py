"""The parts of long texts, in whatever order and however often they come. I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection, and_, bindparam, func, select

from domain.states import MessageInState
from store.columns import fixed
from store.locks import lock_reading
from store.messages import READ, UNREAD, Unread, as_unread
from store.models import MessageIn, table

_SENT_AGAIN_WITHIN = timedelta(hours=24)
"""How long after a long text was read one of its parts may still be sent again."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The parts of one long text: one of each number, in order.

    `ids` are all of its rows, those that came twice too; the first is that of the first part.
    """

    parts: Sequence[Unread]
    ids: Sequence[int]
    is_complete: bool


_in = table(MessageIn).c
_KEY = ("account", "source", "destination", "part_reference", "part_bits", "part_total")
_WAITING = _in.state == fixed(MessageInState.WAITING)
_oldest = func.min(_in.received_at)
_ripe = (
    select(*(_in[name] for name in _KEY), func.min(_in.id).label("first"))
    .where(_WAITING)
    .group_by(*(_in[name] for name in _KEY))
    .having(
        (func.count(_in.part_number.distinct()) == _in.part_total) | (_oldest < bindparam("until"))
    )
    .order_by(func.min(_in.id))
    .limit(bindparam("limit"))
    .subquery("ripe")
)
_RIPE = (
    UNREAD.join_from(table(MessageIn), _ripe, and_(*(_in[name] == _ripe.c[name] for name in _KEY)))
    .where(_WAITING)
    .order_by(_ripe.c.first, _in.part_number, _in.id)
)
_READ_BEFORE = select(_in.id, _in.joined_into, _in.part_number, _in.body).where(
    *(_in[name] == bindparam(f"of_{name}") for name in _KEY),
    _in.msisdn == bindparam("msisdn"),
    _in.received_at >= bindparam("since"),
    _in.state == fixed(MessageInState.READ),
)


def whole(connection: Connection, now: datetime, wait_seconds: float, limit: int) -> list[Joined]:
    """Long texts that are complete, or whose oldest part has waited too long; ours to read.

    A part that the SMSC sends again after its text was read belongs to that text: it is put there,
    and not given out as a text of its own.
    """
    lock_reading(connection)
    until = now - timedelta(seconds=wait_seconds)
    rows = map(as_unread, connection.execute(_RIPE, {"until": until, "limit": limit}))
    groups = [list(group) for _, group in groupby(rows, _key)]
    texts = [_joined(group) for group in groups]
    return [
        text
        for text in (t if t.is_complete else _without_repeats(connection, t, now) for t in texts)
        if text.parts
    ]


def _key(text: Unread) -> tuple[object, ...]:
    return (text.account, text.source, text.destination, *(text.part or ())[:3])


def _number(text: Unread) -> int:
    return text.part[3] if text.part else 0


def _joined(rows: Iterable[Unread]) -> Joined:
    ordered = list(rows)
    firsts = {_number(row): row for row in reversed(ordered)}
    parts = [firsts[number] for number in sorted(firsts)]
    kept = [part.id for part in parts]
    total = parts[0].part[2] if parts and parts[0].part else 0
    ids = [*kept, *(row.id for row in ordered if row.id not in kept)]
    return Joined(parts, ids, is_complete=len(parts) == total)


def _without_repeats(connection: Connection, text: Joined, now: datetime) -> Joined:
    """An incomplete text without the parts of another that has been read."""
    [first, *_] = text.parts
    before = connection.execute(
        _READ_BEFORE,
        {
            **dict(zip((f"of_{name}" for name in _KEY), _key(first), strict=True)),
            "msisdn": first.msisdn,
            "since": first.received_at - _SENT_AGAIN_WITHIN,
        },
    )
    known = {(row.part_number, row.body): row.joined_into or row.id for row in before}
    repeats = {part.id: known.get((_number(part), part.body)) for part in text.parts}
    READ.run(
        connection,
        [(i, now, *(None,) * 5, head) for i, head in repeats.items() if head is not None],
    )
    left = [part for part in text.parts if repeats[part.id] is None]
    gone = {i for i, head in repeats.items() if head is not None}
    return Joined(left, [i for i in text.ids if i not in gone], is_complete=False)
