"""The door to the database: short transactions, and one error for a store that is gone. I/O."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from domain.errors import ConfigError, StoreUnavailable

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_POOL_SIZE = 5
_BUSY_SECONDS = 5
_CONNECT_SECONDS = 3
_COMMAND_SECONDS = 30


class Store:
    """An open database. `write()` and `read()` give a connection inside one short transaction.

    Both raise StoreUnavailable where the database can't be reached, is locked, or drops the link.
    """

    def __init__(self, url: str) -> None:
        """`url`: `sqlite:///path` or `postgresql://user@host/name`. Raises ConfigError."""
        self.url = database_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = _sqlite_engine(self.url) if self.is_sqlite else _postgres_engine(self.url)
        # SQLite has one writer: queue for it here, in order, instead of polling its file lock.
        self._one_writer = asyncio.Lock() if self.is_sqlite else None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits when the block ends well."""
        async with self._one_writer or nullcontext():
            with _unavailable_is_told():
                async with self._engine.begin() as connection:
                    yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A snapshot to read from; it never waits for a writer."""
        with _unavailable_is_told():
            async with self._engine.connect() as plain:
                connection = await plain.execution_options(tstn_reads=True)
                async with connection.begin():
                    yield connection

    async def close(self) -> None:
        """Give all connections back."""
        await self._engine.dispose()


def database_url(url: str) -> URL:
    """The URL with our async driver named. Raises ConfigError."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError(f"store url {url!r} can't be read: {error}") from error
    driver = _DRIVERS.get(parsed.get_backend_name())
    if driver is None:
        raise ConfigError(f"store url must begin with sqlite:// or postgresql://, not {url!r}")
    return parsed.set(drivername=driver)


@contextmanager
def _unavailable_is_told() -> Iterator[None]:
    """Turns what the drivers raise for a lost, locked or unreachable database into one error."""
    try:
        yield
    except (DBAPIError, OSError, PoolTimeout) as error:
        if not _is_unavailable(error):
            raise
        raise StoreUnavailable(f"the store can't be reached: {_one_line(error)}") from error


def _is_unavailable(error: Exception) -> bool:
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return True  # asyncpg raises bare OS and time-out errors while it connects


def _one_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]


def _sqlite_engine(url: URL) -> AsyncEngine:
    if url.database in (None, "", ":memory:"):
        raise ConfigError("store url needs a file: sqlite:///var/tstn.sqlite")
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=_POOL_SIZE,
        max_overflow=0,
        connect_args={"timeout": _BUSY_SECONDS},
    )
    event.listen(engine.sync_engine, "connect", _sqlite_on_connect)
    event.listen(engine.sync_engine, "begin", _sqlite_on_begin)
    return engine


def _sqlite_on_connect(dbapi_connection: Any, _: Any) -> None:
    dbapi_connection.isolation_level = None  # we send BEGIN ourselves, see below
    cursor = dbapi_connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a commit survives a power cut: registrations are promises
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-65536",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_on_begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: no upgrade that fails half-way through.
    reads = connection.get_execution_options().get("tstn_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _postgres_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=_POOL_SIZE,
        max_overflow=0,
        pool_timeout=_CONNECT_SECONDS,
        pool_pre_ping=False,
        connect_args={
            "timeout": _CONNECT_SECONDS,
            "command_timeout": _COMMAND_SECONDS,
            "server_settings": {"application_name": "tstn"},
        },
    )
