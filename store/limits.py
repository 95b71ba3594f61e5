"""Rate and channel limits of the whole server and of each trunk, kept in the store. I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from domain.errors import InputError
from store import history
from store.history import happening
from store.models import Event, Limit, table
from store.statements import insert_new

GLOBAL = "global"
_SET = "limits_set"
_NEW = insert_new(Limit)
_event = table(Event).c
_CHANGES = (
    select(_event.id, _event.data)
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


def put(connection: Connection, scope: str, caps: Caps, now: datetime) -> None:
    """Set the limits of a scope; the dialler reads them within a second."""
    before = read(connection).get(scope)
    _set(connection, scope, caps)
    _record(connection, scope, before, caps, now)


def revert(connection: Connection, scope: str, now: datetime) -> Caps | None:
    """Undo the last change of a scope's limits; give those that hold again, None for the settings'.

    Once more undoes the one before. Raises InputError where there is nothing to undo.
    """
    undone: set[int] = set()
    for change in connection.execute(_CHANGES):
        data = change.data
        if data["scope"] != scope or change.id in undone or "before" not in data:
            continue
        if "undoes" in data:
            undone.add(data["undoes"])
            continue
        if data["before"] == [data["cps"], data["max_channels"]]:
            continue
        caps = None if data["before"] is None else Caps(*data["before"])
        before = read(connection).get(scope)
        _set(connection, scope, caps)
        _record(connection, scope, before, caps, now, undoes=change.id)
        return caps
    raise InputError(f"the limits of {scope} have no change to undo")


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
