"""Do-not-call lists: a file replaces its scope's list, in batches that never un-list a number. I/O.

While a new list comes in, the numbers of the old one stay on it too; if the import dies, both do,
and the list counts as old as it was.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from domain.gate import ListAges
from domain.states import ContactScope
from store import history
from store.batches import NewRows
from store.history import happening
from store.models import DoNotCall, DoNotCallList, table
from store.statements import among

_lists, _listed = table(DoNotCallList).c, table(DoNotCall).c
_OF_SCOPE = _listed.scope == bindparam("of_scope")
_OLDER = _listed.list_id < bindparam("own")
_TAKE_OVER = delete(table(DoNotCall)).where(among(_listed.msisdn, "msisdns"), _OF_SCOPE, _OLDER)
_ADD = NewRows(DoNotCall, ("msisdn", "scope", "list_id"))
_DROP_OLDER = delete(table(DoNotCall)).where(_OF_SCOPE, _OLDER)
_NEWEST = select(func.max(_lists.id)).where(_lists.is_complete).group_by(_lists.scope)
_SCOPES_OF = select(_listed.scope).where(_listed.msisdn == bindparam("of_msisdn"))


def begin(connection: Connection, scope: ContactScope, name: str, by: str, now: datetime) -> int:
    """Note a new list of a scope; give its id. It counts once `complete` has said so."""
    values = {"scope": scope, "name": name, "loaded_at": now, "loaded_by": by, "numbers": 0}
    made = table(DoNotCallList).insert().values(**values, is_complete=False).returning(_lists.id)
    return int(connection.execute(made).scalar_one())


def add(connection: Connection, list_id: int, scope: ContactScope, msisdns: Sequence[str]) -> None:
    """List numbers; at once in force. A newer list keeps those that it has already."""
    wanted = {"msisdns": msisdns, "of_scope": scope, "own": list_id}
    connection.execute(_TAKE_OVER, wanted)
    _ADD.run(connection, [(msisdn, scope, list_id) for msisdn in msisdns])


def complete(
    connection: Connection, list_id: int, scope: ContactScope, numbers: int, now: datetime
) -> None:
    """The list is whole: older ones of its scope go, and its age counts from when it began."""
    connection.execute(_DROP_OLDER, {"of_scope": scope, "own": list_id})
    connection.execute(
        update(table(DoNotCallList))
        .where(_lists.id == list_id)
        .values(numbers=numbers, is_complete=True)
    )
    loaded = happening(
        "do_not_call_loaded",
        now,
        once=f"do_not_call:{list_id}",
        list_id=list_id,
        scope=scope,
        numbers=numbers,
    )
    history.add(connection, [loaded])


def in_use(connection: Connection) -> list[dict[str, Any]]:
    """The newest complete list of each scope."""
    chosen = select(table(DoNotCallList)).where(_lists.id.in_(_NEWEST)).order_by(_lists.scope)
    return [dict(row) for row in connection.execute(chosen).mappings()]


def ages(connection: Connection) -> ListAges:
    """When the list of each scope was loaded; an empty list is none."""
    return {
        ContactScope(row["scope"]): row["loaded_at"] for row in in_use(connection) if row["numbers"]
    }


def scopes_of(connection: Connection, msisdn: str) -> list[str]:
    """The scopes on whose lists a number is."""
    return list(connection.execute(_SCOPES_OF, {"of_msisdn": msisdn}).scalars())
