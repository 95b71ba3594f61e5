"""Takes an import back as long as none of its numbers has had a contact. All or nothing. I/O.

A million rows are not deleted in one go while a server is dialling, so it goes by spans of ids,
each a short transaction: first every number is withdrawn, which no claim takes and which can be put
back as it was, then the import is `undone`, and only then are the rows removed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, literal, select, update

from domain.states import ImportState, PostKind, TargetState
from store import history
from store.columns import fixed
from store.history import happening
from store.models import Attempt, Campaign, Import, MessageOut, Target, table

WITHDRAWN = "withdrawn"
"""The outcome of a number whose import is being undone."""
_SPAN = 5000

_targets, _imports = table(Target).c, table(Import).c
_attempts, _texts = table(Attempt).c, table(MessageOut).c
_HERE = (
    _targets.id >= bindparam("first"),
    _targets.id < bindparam("end"),
    _targets.import_id == bindparam("of_import"),
)
_ENDS = select(func.min(_targets.id), func.max(_targets.id)).where(
    _targets.import_id == bindparam("of_import")
)
_CALLED = select(literal(1)).where(_attempts.target_id == _targets.id, *_HERE).limit(1)
_TEXTED = (
    select(literal(1))
    .where(
        _texts.msisdn == _targets.msisdn,
        _texts.campaign_id == _targets.campaign_id,
        _texts.kind == PostKind.INVITATION,
        *_HERE,
    )
    .limit(1)
)
_WITHDRAW = (
    update(table(Target))
    .where(*_HERE, _targets.state == fixed(TargetState.READY))
    .values(state=TargetState.DONE, outcome=WITHDRAWN)
)
_PUT_BACK = (
    update(table(Target))
    .where(*_HERE, _targets.state == fixed(TargetState.DONE), _targets.outcome == WITHDRAWN)
    .values(state=TargetState.READY, outcome=None)
)
_REMOVE = delete(table(Target)).where(*_HERE)


@dataclass(frozen=True, slots=True)
class Span:
    """Ids from `first` up to, not including, `end`."""

    first: int
    end: int

    def pieces(self) -> Iterator["Span"]:
        """The same ids in short spans."""
        for first in range(self.first, self.end, _SPAN):
            yield Span(first, min(first + _SPAN, self.end))


def span_of(connection: Connection, import_id: int) -> Span:
    """The ids between which the rows of an import stand; an empty span where it has none."""
    first, last = connection.execute(_ENDS, {"of_import": import_id}).one()
    return Span(0, 0) if last is None else Span(first, last + 1)


def withdraw(connection: Connection, import_id: int, span: Span) -> bool:
    """Take the numbers of a span out of the dialler's reach; False if one has had a contact.

    Whoever claims at the same moment is waited for, and seen.
    """
    values = _values(import_id, span)
    connection.execute(_WITHDRAW, values)
    contacts = (connection.execute(contact, values).first() for contact in (_CALLED, _TEXTED))
    return not any(contacts)


def put_back(connection: Connection, import_id: int, span: Span) -> None:
    """Make the withdrawn numbers of a span what they were."""
    connection.execute(_PUT_BACK, _values(import_id, span))


def mark_undone(
    connection: Connection, undone: Import, campaign: Campaign, end: int, now: datetime
) -> bool:
    """Say that the import is undone; False if it has got rows from id `end` on meanwhile."""
    mine = _imports.id == undone.id
    connection.execute(select(_imports.id).where(mine).with_for_update())
    if span_of(connection, undone.id).end > end:
        return False
    connection.execute(update(table(Import)).where(mine).values(state=ImportState.UNDONE))
    told = happening(
        "audience_undone",
        now,
        campaign_id=campaign.id,
        name=campaign.name,
        file=undone.file_name,
        import_id=undone.id,
    )
    history.add(connection, [told])
    return True


def remove(connection: Connection, import_id: int, span: Span) -> int:
    """Delete the rows of a span; give how many there were."""
    return connection.execute(_REMOVE, _values(import_id, span)).rowcount


def _values(import_id: int, span: Span) -> dict[str, int]:
    return {"of_import": import_id, "first": span.first, "end": span.end}
