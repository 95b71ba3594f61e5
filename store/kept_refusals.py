"""Refusals outlive their numbers: under a keyed hash, in force again if a number returns. I/O.

A refusal whose number is taken out is known by `domain.erasure.keyed_name` alone. Whoever brings
numbers in (an audience file) asks here first, in the same transaction; a number that is found is
refused anew, by a row that the gate sees like any other.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, select, update

from domain.erasure import key_name, keyed_name
from domain.errors import InputError
from store import consent
from store.facts import OptOutAsked
from store.locks import lock_bringing_in
from store.models import ErasureKey, OptOut, table
from store.statements import among, insert_new

_opt_outs, _keys = table(OptOut).c, table(ErasureKey).c
_NAMES = select(_keys.name)
_NOTE_KEY = insert_new(ErasureKey)
_KEPT = select(_opt_outs.msisdn, _opt_outs.at).where(among(_opt_outs.msisdn, "names"))


def keep(connection: Connection, msisdn: str, key: str, now: datetime) -> int:
    """Put the refusals of a number under its keyed name; give how many there were.

    Raises InputError where there is no key, or where others stand under another one.
    """
    _require(connection, key)
    own = {"name": key_name(key), "since": now}
    connection.execute(_NOTE_KEY[connection.dialect.name], own)
    hidden = update(table(OptOut)).where(_opt_outs.msisdn == msisdn)
    return connection.execute(hidden.values(msisdn=keyed_name(key, msisdn))).rowcount


def heed(connection: Connection, msisdns: Sequence[str], key: str, now: datetime) -> None:
    """Numbers come in: what some of them have refused before they were taken out holds again.

    Raises InputError where refusals stand under a key that is not ours: nobody could tell.
    """
    lock_bringing_in(connection)
    if not connection.execute(_NAMES).scalars().all():
        return
    _require(connection, key)
    by_name = {keyed_name(key, msisdn): msisdn for msisdn in msisdns}
    found = connection.execute(_KEPT, {"names": list(by_name)}).all()
    returned = {by_name[name]: at for name, at in found}
    known = consent.opted_out(connection, list(returned))
    again = [
        OptOutAsked(msisdn, at, f"kept:{uuid4().hex}")
        for msisdn, at in returned.items()
        if msisdn not in known
    ]
    consent.opt_out(connection, again, now)


def _require(connection: Connection, key: str) -> None:
    if not key:
        raise InputError(
            "there is no law.erasure_key, under which refusals are kept: `tstn asterisk render "
            "DIR` makes it, or copy it from the secrets file of the server that has it"
        )
    others = set(connection.execute(_NAMES).scalars()) - {key_name(key)}
    if others:
        raise InputError(
            "refusals of numbers that were taken out stand under another law.erasure_key: copy it "
            "from the secrets file of the server that took them out"
        )
