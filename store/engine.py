"""The door to the database: an operation is run as one short transaction. I/O.

Operations are plain functions of a SQLAlchemy connection, written once for both databases. On
PostgreSQL they run on the event loop over asyncpg; on SQLite in a thread, a whole transaction at a
time (docs/adr/0002). An operation can't await, so no transaction is ever open across the network.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import orjson
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from domain.errors import ConfigError
from store.faults import is_lost_to_another, unavailable_is_told
from store.private_file import make_private
from store.sqlite_writer import SqliteWriter

P = ParamSpec("P")
T = TypeVar("T")
Operation = Callable[Concatenate[Connection, P], T]

_READERS = 4
_POOL_SIZE = 5
"""For those who write, and as many for those who read: a slow page keeps no key 1 waiting."""
_BUSY_SECONDS = 5
_CONNECT_SECONDS = 3
_COMMAND_SECONDS = 30
_STATEMENTS = 500
"""More than there are, so that none is parsed twice on a connection."""


_SERVER_SETTINGS = {
    # A table may grow from nothing to millions of rows before the database has counted them: every
    # statement has its index, and a plan once (docs/adr/0010).
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    # A count for a page runs beside the calls: it must not take every processor.
    "max_parallel_workers_per_gather": "0",
}

_ONE_STATEMENT = "is_one_statement"


def one_statement(operation: Callable[P, T]) -> Callable[P, T]:
    """Mark an operation that runs one statement: PostgreSQL needs no BEGIN and no COMMIT for it."""
    setattr(operation, _ONE_STATEMENT, True)
    return operation


class Store(ABC):
    """An open database. Made by `open_store`. No error of it shows a parameter, such as a number.

    `write` and `read` raise StoreUnavailable where the database can't be reached, is locked, or
    drops the link.
    """

    @abstractmethod
    async def write(self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `operation(connection, …)` as a transaction; it is committed on return.

        It may be run a second time, where the first was ended for another transaction's sake: so it
        leaves nothing anywhere but in the database.
        """

    @abstractmethod
    async def read(self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `operation(connection, …)` on a snapshot; it waits for no writer."""

    @abstractmethod
    async def close(self) -> None:
        """Give all connections back."""


def open_store(url: str, program: str = "tstn") -> Store:
    """Open `sqlite:///path` or `postgresql://user@host/name`. Raises ConfigError.

    `program` is what PostgreSQL is told that its connections are of.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError(f"store url {url!r} can't be read: {error}") from error
    kind = _KINDS.get(parsed.get_backend_name())
    if kind is None:
        raise ConfigError(f"store url must begin with sqlite:// or postgresql://, not {url!r}")
    return kind(parsed, program)


class _SqliteStore(Store):
    """One thread writes, a few read: writers queue in order, a few of them share a commit."""

    def __init__(self, url: URL, _program: str) -> None:
        if url.database in (None, "", ":memory:"):
            raise ConfigError("store url needs a file: sqlite:///var/tstn.sqlite")
        try:
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"store {url.database}: {error.strerror}") from error
        self._engine = create_engine(
            url.set(drivername="sqlite+pysqlite"),
            poolclass=QueuePool,
            pool_size=_READERS + 1,
            max_overflow=0,
            hide_parameters=True,
            json_serializer=_as_json,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        event.listen(self._engine, "do_connect", _sqlite_before_connect)
        event.listen(self._engine, "connect", _sqlite_on_connect)
        event.listen(self._engine, "begin", _sqlite_on_begin)
        self._reading = self._engine.execution_options(tstn_reads=True)
        self._writer = SqliteWriter(self._engine)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")

    async def write(self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._writer.write(lambda connection: operation(connection, *args, **kwargs))

    async def read(self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def work() -> T:
            with unavailable_is_told(), self._reading.begin() as connection:
                return operation(connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def close(self) -> None:
        await asyncio.to_thread(self._writer.close)
        await asyncio.to_thread(self._readers.shutdown)
        self._engine.dispose()


class _PostgresStore(Store):
    """Pools of asyncpg connections; SQLAlchemy's greenlets carry the operations."""

    def __init__(self, url: URL, program: str) -> None:
        self._writing = _postgres_pool(url, program)
        self._at_once = self._writing.execution_options(isolation_level="AUTOCOMMIT")
        self._reading = _postgres_pool(url, program).execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    async def write(self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        at_once = getattr(operation, _ONE_STATEMENT, False)

        async def transaction() -> T:
            async with self._at_once.connect() if at_once else self._writing.begin() as connection:
                return await connection.run_sync(operation, *args, **kwargs)

        with unavailable_is_told():
            try:
                return await transaction()
            except DBAPIError as error:
                if not is_lost_to_another(error):
                    raise
            return await transaction()

    async def read(self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        with unavailable_is_told():
            async with self._reading.connect() as connection:
                return await connection.run_sync(operation, *args, **kwargs)

    async def close(self) -> None:
        await self._writing.dispose()
        await self._reading.dispose()


def _postgres_pool(url: URL, program: str) -> AsyncEngine:
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=_POOL_SIZE,
        max_overflow=0,
        pool_timeout=_CONNECT_SECONDS,
        hide_parameters=True,
        json_serializer=_as_json,
        connect_args={
            "timeout": _CONNECT_SECONDS,
            "command_timeout": _COMMAND_SECONDS,
            "server_settings": {"application_name": program, **_SERVER_SETTINGS},
            "prepared_statement_cache_size": _STATEMENTS,
        },
    )


_KINDS: dict[str, Callable[[URL, str], Store]] = {
    "sqlite": _SqliteStore,
    "postgresql": _PostgresStore,
}


def _as_json(value: Any) -> str:
    """Like json.dumps, in a tenth of the time: an audience has a million of them."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def _sqlite_before_connect(_dialect: Any, _record: Any, arguments: Any, _more: Any) -> None:
    with suppress(OSError):  # told by the connection
        make_private(arguments[0])


def _sqlite_on_connect(dbapi_connection: Any, _: Any) -> None:
    dbapi_connection.isolation_level = None  # we send BEGIN ourselves, see below
    cursor = dbapi_connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a commit survives a power cut: registrations are promises
        "foreign_keys=ON",
        "recursive_triggers=ON",  # else REPLACE would delete history unseen
        "temp_store=MEMORY",
        "cache_size=-65536",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_on_begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: no upgrade that fails half-way through.
    reads = connection.get_execution_options().get("tstn_reads", False)
    driver: Any = connection.connection.driver_connection  # ten times as quick as exec_driver_sql
    driver.execute("BEGIN" if reads else "BEGIN IMMEDIATE")
