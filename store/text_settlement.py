"""What follows from the ends of a campaign's texts: their targets are done, with an outcome. I/O.

A text may come to several ends, one after the other (accepted, then delivered); each is told once,
in whatever order. `settled_as` in its row is the last one that was.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, Integer, String, Update, func, select, text, update

from domain.states import MessageOutState, TargetState, TextOutcome
from store.batches import Columns, EachRow
from store.columns import fixed
from store.message_models import UNSETTLED
from store.models import MessageOut, Target, table
from store.statements import among

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Ended:
    """A text of a campaign that has come to something new; `parts` are the states of its PDUs."""

    campaign_id: int
    msisdn: str
    parts: tuple[str, ...]
    withdrawn: str | None


_targets, _out = table(Target).c, table(MessageOut).c
_TELL_AGAIN = (
    update(table(MessageOut))
    .where(among(_out.id, "ids"), _out.settled_as.is_not(None))
    .values(settled_as=None)
)
_IS_UNSETTLED = text(UNSETTLED)
# In order of ids, else SQLite looks for it among all texts of campaigns.
_ANY = select(_out.id).where(_IS_UNSETTLED).order_by(_out.id).limit(1)
_NEXT = (
    select(_out.id, func.coalesce(_out.head_id, _out.id).label("head"), _out.state)
    .where(_IS_UNSETTLED)
    .order_by(_out.id)
    .limit(_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_PARTS = select(
    func.coalesce(_out.head_id, _out.id).label("head"),
    *(_out.campaign_id, _out.msisdn, _out.state, _out.error),
).where(among(_out.id, "heads") | among(_out.head_id, "heads"))


def _settle(new: Columns) -> Update:
    return (
        update(table(MessageOut)).where(_out.id == new["id"]).values(settled_as=new["settled_as"])
    )


def _end(new: Columns) -> Update:
    """A target that was made ready again meanwhile is left as it is."""
    return (
        update(table(Target))
        .where(
            _targets.campaign_id == new["campaign"],
            _targets.msisdn == new["msisdn"],
            _targets.state != fixed(TargetState.READY),
        )
        .values(state=fixed(TargetState.DONE), outcome=new["how"])
    )


_SETTLE = EachRow({"id": BigInteger(), "settled_as": String()}, _settle)
_END_TEXT = EachRow({"campaign": Integer(), "msisdn": String(), "how": String()}, _end)


def tell_again(connection: Connection, ids: Sequence[int]) -> None:
    """These texts were asked for again: what came of the ones that stand is told once more."""
    connection.execute(_TELL_AGAIN, {"ids": ids})


def has_unsettled(connection: Connection) -> bool:
    """Whether a text of a campaign has come to something that its target was not told of."""
    return connection.execute(_ANY).first() is not None


def unsettled(connection: Connection) -> list[Ended]:
    """The next texts that have come to something new, marked as told."""
    rows = connection.execute(_NEXT).all()
    if not rows:
        return []
    _SETTLE.run(connection, [(row.id, row.state) for row in rows])
    texts = defaultdict(list)
    for row in connection.execute(_PARTS, {"heads": list({row.head for row in rows})}):
        texts[row.head].append(row)
    return [
        Ended(
            parts[0].campaign_id,
            parts[0].msisdn,
            tuple(part.state for part in parts),
            next(
                (
                    part.error
                    for part in parts
                    if part.state == MessageOutState.FAILED and part.error
                ),
                None,
            ),
        )
        for parts in texts.values()
    ]


def settle(connection: Connection, ended: Sequence[tuple[Ended, TextOutcome | str]]) -> None:
    """The targets of these texts are done, with that outcome."""
    _END_TEXT.run(connection, [(one.campaign_id, one.msisdn, how) for one, how in ended])
