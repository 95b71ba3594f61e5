"""Rate and channel limits of the whole server and of each trunk, kept in the store. I/O."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from store import history
from store.history import happening
from store.models import Limit
from store.statements import insert_new

GLOBAL = "global"
_NEW = insert_new(Limit)


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
    values = {"cps": caps.cps, "max_channels": caps.max_channels}
    connection.execute(_NEW[connection.dialect.name], {"scope": scope, **values})
    connection.execute(update(Limit).where(Limit.scope == scope).values(values))
    history.add(
        connection,
        [happening("limits_set", now, scope=scope, cps=caps.cps, max_channels=caps.max_channels)],
    )
