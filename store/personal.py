"""What is personal, table by table, and what stands in its place once it is taken out. I/O.

The one list that both know: the erasure of one number (`store.subscribers`) and what is done when
a period is over (`store.retention`). A row stays, for the counts that it is part of, under a name
that says only which row it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from domain.erasure import MARK
from domain.gate import Refusal
from domain.states import TargetState
from store import texts
from store.models import (
    Address,
    Attempt,
    Base,
    Callback,
    CallbackClaim,
    Event,
    MessageIn,
    MessageOut,
    Receipt,
    Registration,
    Target,
    table,
)
from store.statements import without_key

_NONE: Mapping[str, Any] = {}
OPT_OUT = "opt_out"
"""The verdict on a text that refuses."""


@dataclass(frozen=True, slots=True)
class Personal:
    """A table with something personal: `id` orders its rows, `instead` are the values put there.

    `rows_of` says that a row is of a number; `is_left`, that it was not taken out before.
    """

    row: type[Base]
    id: ColumnElement[Any]
    instead: Mapping[str, Any]
    rows_of: Callable[[str], ColumnElement[bool]]
    is_left: ColumnElement[bool]

    @property
    def name(self) -> str:
        """The table's."""
        return str(table(self.row).name)  # a subclass of str, which orjson refuses as a key

    def take_out(
        self, connection: Connection, where: ColumnElement[bool], given: Mapping[str, Any] = _NONE
    ) -> int:
        """Replace what is personal in the rows; give how many. `given`: what `where` asks for."""
        taken = update(table(self.row)).where(where).values(**self.instead)
        return connection.execute(taken, dict(given)).rowcount


def row_name(identity: ColumnElement[Any]) -> ColumnElement[Any]:
    """What stands in the place of a number: no number begins so, and no two rows share it."""
    return literal(MARK) + cast(identity, String)


def is_number(msisdn: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a column still has a number."""
    return func.substr(msisdn, 1, 1) == literal_column("'+'", String(1))


def _bearing(msisdn: ColumnElement[Any]) -> Callable[[str], ColumnElement[bool]]:
    return lambda number: msisdn == number


def _of_callbacks(identity: ColumnElement[Any]) -> Callable[[str], ColumnElement[bool]]:
    return lambda number: identity.in_(select(_callbacks.id).where(_callbacks.msisdn == number))


def _has_bytes(*columns: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(*(func.length(column) > literal_column("0") for column in columns))


def _emptied(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Empty where something stood: a rule of the table tells by it which part comes first."""
    return case((column.is_not(None), literal("")))


_OF_ADDRESS = (
    *("title", "contact_msisdn", "house_number", "alley", "street", "residents_group", "hamlet"),
    *("landmark", "latitude", "longitude", "at_home", "note", "contact_name"),
)
"""What an address says of a person and may be empty."""
_targets, _attempts = table(Target).c, table(Attempt).c
_callbacks, _addresses = table(Callback).c, table(Address).c
_claims, _registrations = table(CallbackClaim).c, table(Registration).c
_in, _out, _receipts = table(MessageIn).c, table(MessageOut).c, table(Receipt).c
_events = table(Event).c

ADDRESSES = Personal(
    Address,
    _addresses.callback_id,
    {**dict.fromkeys(_OF_ADDRESS), "ward": ""},
    _of_callbacks(_addresses.callback_id),
    _addresses.ward != literal_column("''"),
)
NOTES = Personal(  # an agent may have written anything
    CallbackClaim,
    _claims.callback_id,
    {"note": None, "reason": None},
    _of_callbacks(_claims.callback_id),
    or_(_claims.note.is_not(None), _claims.reason.is_not(None)),
)
TARGETS = Personal(
    Target,
    _targets.id,
    {
        **dict.fromkeys(("province", "district", "held_by")),
        "msisdn": row_name(_targets.id),
        "attributes": {},
        "state": TargetState.DONE,
        "outcome": func.coalesce(_targets.outcome, Refusal.ERASED),
    },
    _bearing(_targets.msisdn),
    is_number(_targets.msisdn),
)
ATTEMPTS = Personal(
    Attempt,
    _attempts.target_id,
    {"msisdn": row_name(_attempts.target_id)},
    _bearing(_attempts.msisdn),
    is_number(_attempts.msisdn),
)
TEXTS_OUT = Personal(
    MessageOut,
    _out.id,
    {"msisdn": row_name(_out.id), "payload": b"", "text": _emptied(_out.text)},
    _bearing(_out.msisdn),
    or_(is_number(_out.msisdn), _has_bytes(_out.payload)),
)
TEXTS_IN = Personal(
    MessageIn,
    _in.id,
    {
        **dict.fromkeys(("msisdn", "source"), row_name(_in.id)),
        **dict.fromkeys(("raw", "body"), b""),
        **dict.fromkeys(("text", "fold")),
    },
    texts.of_number,
    _has_bytes(_in.raw, _in.body),
)
RECEIPTS = Personal(
    Receipt,
    _receipts.id,
    {"msisdn": row_name(_receipts.id), "raw": b""},
    _bearing(_receipts.msisdn),
    _has_bytes(_receipts.raw),
)
CALLBACKS = Personal(
    Callback,
    _callbacks.id,
    {"msisdn": row_name(_callbacks.id)},
    _bearing(_callbacks.msisdn),
    is_number(_callbacks.msisdn),
)
REGISTRATIONS = Personal(
    Registration,
    _registrations.id,
    {"msisdn": row_name(_registrations.id), "evidence": {}},
    _bearing(_registrations.msisdn),
    is_number(_registrations.msisdn),
)
HISTORY = Personal(  # exactly this the database lets through (migration 0013)
    Event,
    _events.id,
    {"msisdn": row_name(_events.id), "data": without_key(_events.data, "evidence")},
    _bearing(_events.msisdn),
    is_number(_events.msisdn),
)
PERSONAL = (
    *(ADDRESSES, NOTES, TARGETS, ATTEMPTS, TEXTS_OUT, TEXTS_IN, RECEIPTS),
    *(CALLBACKS, REGISTRATIONS, HISTORY),
)
"""All but the refusals (`store.kept_refusals`), in an order in which each still finds its own."""
