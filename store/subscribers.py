"""All that is held on one number: shown, given to its owner, and taken out again. I/O.

The history and the refusals are append-only, and the do-not-call lists are not ours to change:
they keep the number. What is taken out keeps its row, under a name that says only which row it is.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    case,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)

from domain.errors import InputError
from domain.gate import ROLLING
from domain.msisdn import mask
from domain.states import (
    AttemptState,
    CallbackState,
    MessageInState,
    MessageOutState,
    RegistrationState,
    TargetState,
)
from store import audit
from store.audit import Act
from store.models import (
    Address,
    Attempt,
    Base,
    Callback,
    DoNotCall,
    Event,
    KeyPress,
    MessageIn,
    MessageOut,
    OptOut,
    Receipt,
    Registration,
    SmsReference,
    Target,
    table,
)

REFUSALS_KEPT = timedelta(days=365)
"""Refusals and their confirmations stay at least so long (Decree 91/2020)."""
ERASED = "erased"
"""The outcome of a target whose number was taken out before it was dialled."""
_OPT_OUT = "opt_out"
"""The verdict on a text that refuses."""

_BY_NUMBER: tuple[type[Base], ...] = (
    *(Target, Attempt, Registration, Callback, MessageIn, MessageOut, Receipt),
    *(OptOut, DoNotCall, Event),
)
_PERSONAL = (
    *("title", "contact_msisdn", "house_number", "alley", "street", "residents_group", "hamlet"),
    *("landmark", "latitude", "longitude", "at_home", "note", "contact_name"),
)
"""What an address says of a person and may be empty."""
_attempts, _keys = table(Attempt).c, table(KeyPress).c
_callbacks, _addresses = table(Callback).c, table(Address).c
_registrations = table(Registration).c
_in, _out = table(MessageIn).c, table(MessageOut).c


def held(connection: Connection, msisdn: str) -> dict[str, list[dict[str, Any]]]:
    """Every row that bears the number, or hangs on one that does, by table; bytes as hex."""
    found = {
        _name(row): _rows(connection, row, table(row).c.msisdn == msisdn) for row in _BY_NUMBER
    }
    of_calls = _keys.attempt_id.in_(select(_attempts.id).where(_attempts.msisdn == msisdn))
    found[_name(KeyPress)] = _rows(connection, KeyPress, of_calls)
    found[_name(Address)] = _rows(connection, Address, _addresses_of(msisdn))
    return found


def export(connection: Connection, msisdn: str, by: str, now: datetime) -> dict[str, list[Any]]:
    """The same for its owner; the audit keeps who looked."""
    act = Act("subscriber_exported", None, mask(msisdn), data={"by": by})
    return audit.perform(connection, act, now, lambda connection: held(connection, msisdn))


def erase(connection: Connection, msisdn: str, by: str, now: datetime) -> dict[str, int]:
    """Take a number out of its rows; give how many, by table.

    Raises InputError while something about the number is still under way.
    """
    _refuse_open(connection, msisdn)
    _refuse_recent(connection, msisdn, now)
    changed: dict[str, int] = {}
    for row, where, values in _erasures(msisdn, now):
        changed[_name(row)] = _put(connection, row, where, values)
    # The counter of its long texts; without it the next one begins anew.
    counted = table(SmsReference).c.destination == msisdn
    connection.execute(delete(table(SmsReference)).where(counted))
    act = Act("subscriber_erased", None, mask(msisdn), data={"by": by, "rows": changed})
    return audit.perform(connection, act, now, lambda _: changed)


def _name(row: type[Base]) -> str:
    return str(table(row).name)  # a subclass of str, which orjson refuses as a key


def _rows(connection: Connection, row: type[Base], where: ColumnElement[bool]) -> list[Any]:
    chosen = select(table(row)).where(where).order_by(*table(row).primary_key)
    return [
        {name: value.hex() if isinstance(value, bytes) else value for name, value in each.items()}
        for each in connection.execute(chosen).mappings()
    ]


def _addresses_of(msisdn: str) -> ColumnElement[bool]:
    own = select(_callbacks.id).where(_callbacks.msisdn == msisdn)
    return _addresses.callback_id.in_(own)


def _refuse_recent(connection: Connection, msisdn: str, now: datetime) -> None:
    """What went out lately still counts against the caps of the law."""
    for columns, at in ((_attempts, _attempts.started_at), (_out, _out.sending_at)):
        lately = select(columns.id).where(columns.msisdn == msisdn, at > now - ROLLING)
        if connection.execute(lately.limit(1)).first() is not None:
            raise InputError(
                "the number was called or texted within the last 24 hours, and that counts against "
                "the caps: erase it when they are over"
            )


def _refuse_open(connection: Connection, msisdn: str) -> None:
    open_states: tuple[tuple[type[Base], tuple[str, ...]], ...] = (
        (Attempt, (AttemptState.DIALLING, AttemptState.ANSWERED)),
        (Registration, (RegistrationState.OPEN,)),
        (Callback, (CallbackState.OPEN, CallbackState.CLAIMED)),
        (Target, (TargetState.CLAIMED,)),
        (MessageIn, (MessageInState.RECEIVED, MessageInState.WAITING)),
        (MessageOut, (MessageOutState.QUEUED, MessageOutState.SENDING)),
    )
    for row, states in open_states:
        columns = table(row).c
        standing = select(columns.id).where(columns.msisdn == msisdn, columns.state.in_(states))
        if connection.execute(standing.limit(1)).first() is not None:
            raise InputError(
                f"something in {_name(row)} is still under way for this number: end or cancel "
                "it first, see `tstn timeline`"
            )


def _erasures(
    msisdn: str, now: datetime
) -> list[tuple[type[Base], ColumnElement[bool], Mapping[str, Any]]]:
    """What is taken out of which rows, in an order in which each still finds its own."""
    refusals = select(_in.id).where(
        _in.msisdn == msisdn, _in.verdict == _OPT_OUT, _in.received_at > now - REFUSALS_KEPT
    )
    targets, receipts = table(Target).c, table(Receipt).c
    return [
        (Address, _addresses_of(msisdn), {**dict.fromkeys(_PERSONAL), "ward": ""}),
        (
            Target,
            targets.msisdn == msisdn,
            {
                **dict.fromkeys(("province", "district", "held_by")),
                "msisdn": _row_name(targets.id),
                "attributes": {},
                "state": TargetState.DONE,
                "outcome": func.coalesce(targets.outcome, ERASED),
            },
        ),
        (Attempt, _attempts.msisdn == msisdn, {"msisdn": _row_name(_attempts.target_id)}),
        (
            MessageOut,
            (_out.msisdn == msisdn)
            & or_(_out.in_reply_to.is_(None), _out.in_reply_to.not_in(refusals)),
            {"msisdn": _row_name(_out.id), "payload": b"", "text": _emptied(_out.text)},
        ),
        (
            MessageIn,
            (_in.msisdn == msisdn) & _in.id.not_in(refusals),
            {
                **dict.fromkeys(("msisdn", "source"), _row_name(_in.id)),
                **dict.fromkeys(("raw", "body"), b""),
                **dict.fromkeys(("text", "fold")),
            },
        ),
        (
            Receipt,
            receipts.msisdn == msisdn,
            {"msisdn": _row_name(receipts.id), "raw": b""},
        ),
        (
            Callback,
            _callbacks.msisdn == msisdn,
            {"msisdn": _row_name(_callbacks.id)},
        ),
        (
            Registration,
            _registrations.msisdn == msisdn,
            {"msisdn": _row_name(_registrations.id), "evidence": {}},
        ),
    ]


def _put(
    connection: Connection,
    row: type[Base],
    where: ColumnElement[bool],
    values: Mapping[str, Any],
) -> int:
    return connection.execute(update(table(row)).where(where).values(**values)).rowcount


def _row_name(identity: ColumnElement[Any]) -> ColumnElement[Any]:
    """What stands in the place of a number: no number begins so, and no two rows share it."""
    return literal("#") + cast(identity, String)


def _emptied(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Empty where something stood: a rule of the table tells by it which part comes first."""
    return case((column.is_not(None), literal("")))
