"""What became of PDUs that were claimed: taken, refused, nobody knows, or not sent at all. I/O.

Each outcome may be told twice, late, or after another: a later try is never judged by the outcome
of an earlier one, and a final state stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    SmallInteger,
    Text,
    Update,
    bindparam,
    case,
    func,
    literal_column,
    update,
)

from domain.states import MessageOutState, PostKind
from store.batches import Columns, EachRow
from store.columns import UtcDateTime, fixed
from store.message_models import Account
from store.messages import storable
from store.models import MessageOut, table
from store.statements import among


@dataclass(frozen=True, slots=True)
class Sent:
    """The SMSC has taken it. `message_id` as it was given; no receipt matches an empty one."""

    id: int
    message_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The SMSC has refused this try; it is sent again at `again_at`, or never where that is None.

    `tries` is that of the Outgoing, `status` the command_status.
    """

    id: int
    tries: int
    status: int
    again_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Unknown:
    """This try got no answer, and none will come."""

    id: int
    tries: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Unsent:
    """It was claimed and never written: it waits again, and this try does not count.

    `bind` and `claimed_at` are those of its claim: another may have taken it since.
    """

    id: int
    bind: str
    claimed_at: datetime


Outcome = Sent | Refused | Unknown | Unsent

_out = table(MessageOut).c
_SENDING = _out.state == fixed(MessageOutState.SENDING)
_IS_UNKNOWN = _out.state == fixed(MessageOutState.UNKNOWN)
_NONE, _ONE = literal_column("0", Integer), literal_column("1", Integer)


def _accept(new: Columns) -> Update:
    """An answer to an earlier try counts too: better one text without its receipt than two."""
    return (
        update(table(MessageOut))
        .where(
            _out.id == new["id"],
            _SENDING | _IS_UNKNOWN | (_out.state == fixed(MessageOutState.QUEUED)),
            _out.tries > _NONE,
        )
        .values(
            state=fixed(MessageOutState.ACCEPTED),
            message_id=new["message_id"],
            responded_at=new["at"],
            status=_NONE,
        )
    )


def _refuse(new: Columns) -> Update:
    return (
        update(table(MessageOut))
        .where(_out.id == new["id"], _out.tries == new["tries"], _SENDING | _IS_UNKNOWN)
        .values(
            state=case(
                (new["again_at"].is_(None), fixed(MessageOutState.FAILED)),
                else_=fixed(MessageOutState.QUEUED),
            ),
            status=new["status"],
            responded_at=new["at"],
            not_before=func.coalesce(new["again_at"], _out.not_before),
            unanswered=_out.unanswered - case((_IS_UNKNOWN, _ONE), else_=_NONE),
        )
    )


def _left_open(at: ColumnElement[datetime]) -> Mapping[str, Any]:
    """A reply is sent once more, since its reader waits for it; nothing else ever is."""
    may_repeat = (_out.kind == fixed(PostKind.REPLY)) & (_out.unanswered == _NONE)
    return {
        "state": case(
            (may_repeat, fixed(MessageOutState.QUEUED)), else_=fixed(MessageOutState.UNKNOWN)
        ),
        "unanswered": _out.unanswered + _ONE,
        "unanswered_at": at,
    }


def _leave_open(new: Columns) -> Update:
    return (
        update(table(MessageOut))
        .where(_out.id == new["id"], _out.tries == new["tries"], _SENDING)
        .values(_left_open(new["at"]))
    )


_ACCEPT = EachRow({"id": BigInteger(), "message_id": Text(), "at": UtcDateTime()}, _accept)
_REFUSE = EachRow(
    {
        "id": BigInteger(),
        "tries": SmallInteger(),
        "status": BigInteger(),
        "again_at": UtcDateTime(),
        "at": UtcDateTime(),
    },
    _refuse,
)
_LEAVE_OPEN = EachRow(
    {"id": BigInteger(), "tries": SmallInteger(), "at": UtcDateTime()}, _leave_open
)
_UNSENT = (
    update(table(MessageOut))
    .where(_SENDING)
    .values(state=fixed(MessageOutState.QUEUED), tries=_out.tries - _ONE)
)


def _give_back(new: Columns) -> Update:
    return _UNSENT.where(
        _out.id == new["id"], _out.bind == new["bind"], _out.sending_at == new["claimed_at"]
    )


_GIVE_BACK = EachRow({"id": BigInteger(), "bind": Account, "claimed_at": UtcDateTime()}, _give_back)
_GIVE_BACK_CLAIM = _UNSENT.where(
    _out.bind == bindparam("of_bind"), _out.sending_at == bindparam("claimed_at")
)
_ABANDON = (
    update(table(MessageOut))
    .where(_SENDING, _out.sending_at <= bindparam("until"))
    .values(_left_open(bindparam("now", type_=UtcDateTime())))
)
_ABANDON_BINDS = _ABANDON.where(among(_out.bind, "binds"))


def record(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Write outcomes: accepted; queued again or failed; queued once more or unknown; queued."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.id)
    _REFUSE.run(
        connection,
        [(o.id, o.tries, o.status, o.again_at, o.at) for o in ordered if isinstance(o, Refused)],
    )
    _LEAVE_OPEN.run(connection, [(o.id, o.tries, o.at) for o in ordered if isinstance(o, Unknown)])
    _ACCEPT.run(
        connection,
        [(o.id, storable(o.message_id) or None, o.at) for o in ordered if isinstance(o, Sent)],
    )
    _GIVE_BACK.run(
        connection, [(o.id, o.bind, o.claimed_at) for o in ordered if isinstance(o, Unsent)]
    )


def give_back_claim(connection: Connection, bind: str, claimed_at: datetime) -> None:
    """Queue again what a claim took of which nobody knew whether it was committed."""
    connection.execute(_GIVE_BACK_CLAIM, {"of_bind": bind, "claimed_at": claimed_at})


def abandon(connection: Connection, binds: Sequence[str], now: datetime) -> int:
    """At start, or once a link is lost: what these binds were sending until now is unknown.

    Gives how many. What the same bind has claimed after `now` is left alone.
    """
    if not binds:
        return 0
    values = {"binds": binds, "until": now, "now": now}
    return connection.execute(_ABANDON_BINDS, values).rowcount


def abandon_older(connection: Connection, until: datetime, now: datetime) -> int:
    """What any bind has been sending since `until` or before: its process never came back."""
    return connection.execute(_ABANDON, {"until": until, "now": now}).rowcount
