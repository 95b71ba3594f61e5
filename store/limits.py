"""Rate and channel limits of the whole server and of each trunk, kept in the store. I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from domain.errors import InputError
from store import history
from store.history import happening
from store.locks import lock_limits
from store.models import Event, Limit, table
from store.statements import insert_new

GLOBAL = "global"
_SET = "limits_set"
_NEW = insert_new(Limit)
_event = table(Event).c
_CHANGES = (
    select(_event.id, _event.at, _event.data)
    .where(_event.msisdn.is_(None), _event.campaign_id.is_(None), _event.kind == _SET)
    .order_by(_event.id.desc())
)


@dataclass(frozen=True, slots=True)
class Caps:
    """Calls per second, and channels in use at once."""

    cps: float
    max_channels: int


def of_trunk(name: str) -> str:
    """The scope of a trunk's own limits."""
    return f"trunk:{name}"


def read(connection: Connection) -> dict[str, Caps]:
    """All limits that are set, by scope."""
    rows = connection.execute(select(Limit.scope, Limit.cps, Limit.max_channels))
    return {scope: Caps(cps, channels) for scope, cps, channels in rows}


def to_change(connection: Connection) -> dict[str, Caps]:
    """The same, which nobody else changes until the transaction ends."""
    lock_limits(connection)
    return read(connection)


def put(connection: Connection, scope: str, caps: Caps, now: datetime) -> None:
    """Set the limits of a scope; the dialler reads them within a second."""
    before = to_change(connection).get(scope)
    _set(connection, scope, caps)
    _record(connection, scope, before, caps, now)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a scope's limits; None stands for those of the settings."""

    id: int
    at: datetime
    before: Caps | None
    after: Caps | None


def last_change(connection: Connection, scope: str) -> Change | None:
    """The newest change of a scope that is not undone yet, and is none that undoes another."""
    undone: set[int] = set()
    for row in connection.execute(_CHANGES):
        data = row.data
        if data["scope"] != scope or row.id in undone or "before" not in data:
            continue
        after = [data["cps"], data["max_channels"]]
        if "undoes" in data:
            undone.add(data["undoes"])
        elif data["before"] != after:
            return Change(row.id, row.at, _caps(data["before"]), _caps(after))
    return None


def revert(
    connection: Connection, scope: str, now: datetime, change_id: int | None = None
) -> Caps | None:
    """Undo the last change of a scope's limits; give those that hold again, None for the settings'.

    Once more undoes the one before. Raises InputError where there is nothing to undo, or where
    `change_id` is given and another would be undone: that is not what its reader saw.
    """
    before = to_change(connection).get(scope)
    undone = last_change(connection, scope)
    if undone is None:
        raise InputError(f"the limits of {scope} have no change to undo")
    if change_id not in (None, undone.id):
        raise InputError(f"the limits of {scope} were changed again: look at what stands now")
    _set(connection, scope, undone.before)
    _record(connection, scope, before, undone.before, now, undoes=undone.id)
    return undone.before


def _caps(pair: list[Any] | None) -> Caps | None:
    return None if pair is None or None in pair else Caps(*pair)


def _set(connection: Connection, scope: str, caps: Caps | None) -> None:
    if caps is None:
        connection.execute(delete(Limit).where(Limit.scope == scope))
        return
    values = {"cps": caps.cps, "max_channels": caps.max_channels}
    connection.execute(_NEW[connection.dialect.name], {"scope": scope, **values})
    connection.execute(update(Limit).where(Limit.scope == scope).values(values))


def _record(
    connection: Connection,
    scope: str,
    before: Caps | None,
    after: Caps | None,
    now: datetime,
    **more: Any,
) -> None:
    told = happening(
        _SET,
        now,
        scope=scope,
        cps=after and after.cps,
        max_channels=after and after.max_channels,
        before=before and [before.cps, before.max_channels],
        **more,
    )
    history.add(connection, [told])
