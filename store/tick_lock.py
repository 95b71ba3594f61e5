"""Lets one node at a time do a tick's work. I/O."""

from sqlalchemy import Connection, text

_TRY = text("SELECT pg_try_advisory_xact_lock(2169240, hashtext(:name))")


def is_mine(connection: Connection, name: str) -> bool:
    """Whether this transaction may do the tick; if not, another node is at it now.

    SQLite's write transaction is such a lock already.
    """
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.execute(_TRY, {"name": name}).scalar_one())
