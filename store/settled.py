"""Up to which id a table's rows are settled: no smaller one can still be committed. I/O.

PostgreSQL gives an id out when a row is inserted, and shows the row when it is committed: a larger
one may show first. Who goes on from the last id that he has seen would never see the smaller one.
SQLite has one writer at a time, and so gives ids out in the order of commits.
"""

import asyncio

from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import InstrumentedAttribute

from domain.errors import StoreUnavailable
from store.engine import Store

_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.02

# Held from before the first id is taken until after the commit shows.
_WRITERS = text(
    "SELECT virtualtransaction FROM pg_locks JOIN pg_database ON pg_database.oid = database"
    " WHERE datname = current_database() AND relation = to_regclass(:name)"
    " AND mode = 'RowExclusiveLock' AND granted"
)


async def settled(store: Store, identity: InstrumentedAttribute[int]) -> int:
    """The last id there is, once all that were writing to the table have ended.

    Raises StoreUnavailable where one of them takes too long.
    """
    last, writers = await store.read(_last_and_writers, identity)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while writers:
                await asyncio.sleep(_PAUSE_SECONDS)
                writers &= await store.read(_writers, identity)
    except TimeoutError:
        name = _table(identity)
        raise StoreUnavailable(f"somebody writes to {name} for too long: try again") from None
    return last


def _last_and_writers(
    connection: Connection, identity: InstrumentedAttribute[int]
) -> tuple[int, set[str]]:
    """In this order: who has a smaller id, and is no writer by now, has committed or given up."""
    last = connection.execute(select(func.max(identity))).scalar_one()
    return last or 0, _writers(connection, identity)


def _writers(connection: Connection, identity: InstrumentedAttribute[int]) -> set[str]:
    if connection.dialect.name != "postgresql":
        return set()
    return set(connection.execute(_WRITERS, {"name": _table(identity)}).scalars())


def _table(identity: InstrumentedAttribute[int]) -> str:
    return str(identity.class_.__tablename__)
