"""Which servers have the database open. I/O."""

from sqlalchemy import Connection, bindparam, text

SERVER = "tstn serve"
"""The name by which a server's connections are known to PostgreSQL."""

_OPEN = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = :name"
).bindparams(bindparam("name", SERVER))


def connections(connection: Connection) -> int:
    """How many connections servers have, on whatever host; SQLite does not tell: 0."""
    if connection.dialect.name != "postgresql":
        return 0
    return int(connection.execute(_OPEN).scalar_one())
