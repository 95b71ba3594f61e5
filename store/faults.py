"""What the drivers raise for a lost, locked or unreachable database, turned into one error. I/O."""

from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import OperationalError as SqliteError

from asyncpg import InterfaceError as PostgresInterfaceError  # type: ignore[import-untyped]
from asyncpg import PostgresError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import StoreUnavailable

_AWAY = (DBAPIError, PostgresError, PostgresInterfaceError, SqliteError, OSError, PoolTimeout)
_OUR_FAULTS = (IntegrityError, DataError, ProgrammingError)
_OUR_SQLSTATES = ("22", "23", "P0")
"""Classes of PostgreSQL's errors that a repeat would only bring again (its manual, appendix A)."""

_LOST_TO_ANOTHER = ("40P01", "40001")
"""A deadlock, and a transaction that could not be put in order with another."""


@contextmanager
def unavailable_is_told() -> Iterator[None]:
    """Raises StoreUnavailable in place of what says that the database is away."""
    try:
        yield
    except _AWAY as error:
        if _is_our_fault(error):
            raise
        raise StoreUnavailable(f"the store can't be reached: {_one_line(error)}") from error


def is_lost_to_another(error: DBAPIError) -> bool:
    """Whether PostgreSQL ended the transaction for another's sake: the same once more may pass."""
    return getattr(error.orig, "sqlstate", None) in _LOST_TO_ANOTHER


def _is_our_fault(error: Exception) -> bool:
    """Whether the database refuses the statement, rather than being away, full or shutting down."""
    if not isinstance(error, DBAPIError):
        return False  # while asyncpg connects; where we speak to SQLite's driver ourselves
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate is not None:
        return str(sqlstate).startswith(_OUR_SQLSTATES)
    return isinstance(error, _OUR_FAULTS) and not error.connection_invalidated


def _one_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
