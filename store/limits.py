"""Rate and channel limits of the whole server and of each trunk, kept in the store. I/O."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from store import history
from store.history import happening
from store.models import Limit

GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class Caps:
    """Calls per second, and channels in use at once."""

    cps: float
    max_channels: int


def of_trunk(name: str) -> str:
    """The scope of a trunk's own limits."""
    return f"trunk:{name}"


async def read(connection: AsyncConnection) -> dict[str, Caps]:
    """All limits that are set, by scope."""
    rows = await connection.execute(select(Limit.scope, Limit.cps, Limit.max_channels))
    return {scope: Caps(cps, channels) for scope, cps, channels in rows}


async def put(connection: AsyncConnection, scope: str, caps: Caps, now: datetime) -> None:
    """Set the limits of a scope; the dialler reads them within a second."""
    await connection.execute(delete(Limit).where(Limit.scope == scope))
    await connection.execute(
        insert(Limit).values(scope=scope, cps=caps.cps, max_channels=caps.max_channels)
    )
    await history.add(
        connection,
        [happening("limits_set", now, scope=scope, cps=caps.cps, max_channels=caps.max_channels)],
    )
