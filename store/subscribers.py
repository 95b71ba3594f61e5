"""All that is held on one number: shown, given to its owner, and taken out again. I/O.

What is taken out, and what stands in its place, says `store.personal`. The do-not-call lists are
not ours to change: they keep the number.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, update

from domain.erasure import keyed_name
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
from store import audit, kept_refusals, texts
from store.audit import Act
from store.columns import fixed
from store.engine import Store
from store.locks import lock_claims, lock_taking_out
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
    TrialCall,
    table,
)
from store.personal import OPT_OUT, PERSONAL, RECEIPTS
from store.settled import settled

REFUSALS_KEPT = timedelta(days=365)
"""Refusals and their confirmations stay at least so long (Decree 91/2020)."""

_BY_NUMBER: tuple[type[Base], ...] = (
    *(Target, Attempt, Registration, Callback, MessageOut, Receipt),
    *(OptOut, DoNotCall, Event, TrialCall),
)
_attempts, _keys = table(Attempt).c, table(KeyPress).c
_callbacks, _addresses = table(Callback).c, table(Address).c
_opt_outs, _receipts = table(OptOut).c, table(Receipt).c
_in, _out = table(MessageIn).c, table(MessageOut).c


def held(connection: Connection, msisdn: str) -> dict[str, list[dict[str, Any]]]:
    """Every row that bears the number, or hangs on one that does, by table; bytes as hex."""
    found = {
        _name(row): _rows(connection, row, table(row).c.msisdn == msisdn) for row in _BY_NUMBER
    }
    found[_name(MessageIn)] = _rows(connection, MessageIn, texts.of_number(msisdn))
    of_calls = _keys.attempt_id.in_(select(_attempts.id).where(_attempts.msisdn == msisdn))
    found[_name(KeyPress)] = _rows(connection, KeyPress, of_calls)
    found[_name(Address)] = _rows(connection, Address, _addresses_of(msisdn))
    return found


async def export(store: Store, msisdn: str, by: str, now: datetime) -> dict[str, list[Any]]:
    """The same for its owner; the audit keeps who looked."""
    found = await store.read(held, msisdn)  # which takes a while, and should keep nobody waiting
    act = Act("subscriber_exported", None, mask(msisdn), data={"by": by})
    await store.write(audit.add, act, now)
    return found


async def erase(store: Store, msisdn: str, key: str, by: str, now: datetime) -> dict[str, int]:
    """Take a number out of its rows; give how many, by table.

    Its refusals stay in force under a keyed name, with their texts and confirmations for as long as
    the law demands. Raises InputError while something about the number is still under way, and
    where it has refusals but there is no key.
    """
    last = await settled(store, Receipt.id)
    known = await store.read(_receipts_of, msisdn, last)
    of_receipts = _receipts.id.in_(known) | (_receipts.id > last) & (_receipts.msisdn == msisdn)
    return await store.write(_erase, msisdn, key, by, now, of_receipts)


def _receipts_of(connection: Connection, msisdn: str, last: int) -> list[int]:
    """They have no index by number, as it would cost every receipt: all of them are read."""
    chosen = select(_receipts.id).where(_receipts.msisdn == msisdn, _receipts.id <= last)
    return list(connection.execute(chosen).scalars())


def _erase(
    connection: Connection,
    msisdn: str,
    key: str,
    by: str,
    now: datetime,
    of_receipts: ColumnElement[bool],
) -> dict[str, int]:
    """Short, since nobody dials meanwhile: with the receipts that were looked for before."""
    lock_taking_out(connection)
    lock_claims(connection)
    _refuse_open(connection, msisdn)
    _refuse_recent(connection, msisdn, now)
    changed = _keep_refusals(connection, msisdn, key, now)
    for each in PERSONAL:
        where = of_receipts if each is RECEIPTS else each.rows_of(msisdn)
        taken = each.take_out(connection, where)
        changed[each.name] = changed.get(each.name, 0) + taken
    # The counter of its long texts; without it the next one begins anew.
    counted = table(SmsReference).c.destination == msisdn
    connection.execute(delete(table(SmsReference)).where(counted))
    connection.execute(delete(table(TrialCall)).where(table(TrialCall).c.msisdn == msisdn))
    act = Act("subscriber_erased", None, mask(msisdn), data={"by": by, "rows": changed})
    return audit.perform(connection, act, now, lambda _: changed)


def _keep_refusals(connection: Connection, msisdn: str, key: str, now: datetime) -> dict[str, int]:
    """What refuses and what confirms it: under the keyed name, without the number."""
    refuses = texts.of_number(msisdn) & (_in.verdict == OPT_OUT)
    lately = refuses & (_in.received_at > now - REFUSALS_KEPT)
    has_refused = select(_opt_outs.id).where(_opt_outs.msisdn == msisdn).limit(1)
    if connection.execute(has_refused).first() is None:
        return {}
    name = keyed_name(key, msisdn)
    confirms = (_out.msisdn == msisdn) & _out.in_reply_to.in_(select(_in.id).where(lately))
    # The PDU has the number in it; what was said stays.
    refusals = update(table(MessageIn)).where(lately).values(msisdn=name, source=name, raw=b"")
    confirmations = update(table(MessageOut)).where(confirms).values(msisdn=name)
    return {
        _name(MessageOut): connection.execute(confirmations).rowcount,
        _name(MessageIn): connection.execute(refusals).rowcount,
        _name(OptOut): kept_refusals.keep(connection, msisdn, key, now),
    }


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
    open_states: tuple[tuple[type[Base], tuple[StrEnum, ...]], ...] = (
        (Attempt, (AttemptState.DIALLING, AttemptState.ANSWERED)),
        (Registration, (RegistrationState.OPEN,)),
        (Callback, (CallbackState.OPEN, CallbackState.CLAIMED)),
        (Target, (TargetState.CLAIMED,)),
        (MessageIn, (MessageInState.RECEIVED, MessageInState.WAITING)),
        (MessageOut, (MessageOutState.QUEUED, MessageOutState.SENDING)),
    )
    for row, states in open_states:
        columns = table(row).c
        for state in states:  # in the words of the partial indexes
            chosen = select(columns.id).where(
                columns.msisdn == msisdn, columns.state == fixed(state)
            )
            if connection.execute(chosen.limit(1)).first() is not None:
                raise InputError(
                    f"something in {_name(row)} is still under way for this number: end or cancel "
                    "it first, see `tstn timeline`"
                )
