"""A store's tables emptied, to be used by the next test. I/O."""

from sqlalchemy import Connection, Integer

from store.models import Base


def empty(connection: Connection) -> None:
    """Deleting few rows is ten times as quick as TRUNCATE, which makes new files."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
    connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no triggers
    connection.exec_driver_sql(_EMPTYING)


def _emptying() -> str:
    """One statement for all tables, since each of its own would be sent and planned apart."""
    tables = Base.metadata.tables.values()
    numbered = [each for each in tables if "id" in each.c and isinstance(each.c.id.type, Integer)]
    deletes = [f"{each.delete()};" for each in tables]
    restarts = [f"ALTER SEQUENCE {each.name}_id_seq RESTART;" for each in numbered]
    return f"DO $$ BEGIN {' '.join(deletes + restarts)} END $$"


_EMPTYING = _emptying()
