"""The door to the database: transactions, and one error for every way a store can be gone. I/O."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.util import await_only

from domain.errors import ConfigError, StoreUnavailable
from lab.ports import free_ports
from lab.postgres import Postgres
from store.engine import Store, open_store
from store.migrate import migrate
from store.models import Limit
from tests.rows import all_rows

ADD = "INSERT INTO limits (scope, cps, max_channels) VALUES ('{}', 1, 1)"
RAISE = text("UPDATE limits SET cps = cps + 1 WHERE scope = :scope")


def add(connection: Connection, scope: str) -> None:
    connection.exec_driver_sql(ADD.format(scope))


def scopes(connection: Connection) -> list[str]:
    return list(connection.scalars(text("SELECT scope FROM limits ORDER BY scope")))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    """A cluster that tests may kill."""
    with Postgres() as running:
        yield running


async def test_an_operation_that_raises_leaves_nothing_and_raises_as_it_is(store: Store) -> None:
    def half_way(connection: Connection) -> None:
        add(connection, "a")
        raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError, match="a fault of ours"):
        await store.write(half_way)
    assert await store.read(scopes) == []
    await store.write(add, "b")
    assert await store.read(scopes) == ["b"]


async def test_a_refused_row_is_a_fault_of_ours_and_not_a_store_that_is_gone(store: Store) -> None:
    await store.write(add, "a")
    with pytest.raises(IntegrityError):
        await store.write(add, "a")


async def test_a_reader_waits_for_no_writer(store: Store, store_url: str) -> None:
    """While another process holds a write transaction open, reading goes on."""
    await store.write(add, "a")
    if store_url.startswith("sqlite"):
        with _sqlite_writer(store_url) as other:
            assert await store.read(scopes) == ["a"]
            other.rollback()
    else:
        connection = await asyncpg.connect(store_url)
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(ADD.format("b"))
        assert await store.read(scopes) == ["a"]
        await transaction.rollback()
        await connection.close()


def _sqlite_writer(store_url: str) -> sqlite3.Connection:
    other = sqlite3.connect(store_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


async def test_many_writers_at_once_all_succeed(store: Store) -> None:
    await asyncio.gather(*(store.write(add, f"{number:03}") for number in range(60)))
    assert len(await store.read(scopes)) == 60


def test_a_url_that_names_no_database_of_ours_is_refused_in_one_line() -> None:
    for url in (
        "mysql://host/db",
        "tstn.sqlite",
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "http://x",
    ):
        with pytest.raises(ConfigError) as refused:
            open_store(url)
        assert "\n" not in str(refused.value)
        assert "store url" in str(refused.value)


async def unavailable(store: Store) -> str:
    """What the store says of itself, from a write and from a read: the same kind of error."""
    with pytest.raises(StoreUnavailable) as written:
        await store.write(add, "x")
    with pytest.raises(StoreUnavailable) as read:
        await store.read(scopes)
    assert "\n" not in str(written.value) + str(read.value)
    return str(written.value)


async def test_nobody_listens(tmp_path: Path) -> None:
    store = open_store(f"postgresql://tstn@127.0.0.1:{free_ports(1)[0]}/tstn")
    await unavailable(store)
    await store.close()


async def test_a_password_is_never_told(cluster: Postgres) -> None:
    """Wrong password, unknown database: a clear line, without the secret."""
    place = f"127.0.0.1:{cluster.port}"
    for url in (f"postgresql://tstn:geheim@{place}/postgres", cluster.url("nowhere")):
        store = open_store(url)
        told = await unavailable(store)
        assert "geheim" not in told
        await store.close()


async def test_a_file_that_is_no_database_or_can_not_be_made(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sqlite"
    await asyncio.to_thread(broken.write_bytes, b"not a database at all" * 500)
    for path in (broken, tmp_path):
        store = open_store(f"sqlite:///{path}")
        await unavailable(store)
        await store.close()


async def test_a_locked_file_is_unavailable_and_free_again_available(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.engine._BUSY_SECONDS", 0.2)
    url = f"sqlite:///{tmp_path}/store.sqlite"
    store = open_store(url)
    await migrate(store)
    with _sqlite_writer(url) as other:
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.write(add, "a")
        other.rollback()
    await store.write(add, "a")
    await store.close()


async def test_a_cluster_that_dies_and_returns(cluster: Postgres) -> None:
    """Idle connections of before the fault must not spoil the first writes after it."""
    store = open_store(cluster.create_database("dies"))
    await migrate(store)
    await asyncio.gather(*(store.write(add, f"{number}") for number in range(5)))
    cluster.kill()
    await unavailable(store)
    cluster.start()  # in this thread: it dies with the one that started it
    async with asyncio.timeout(10):
        while True:
            try:
                await store.write(add, "back")
            except StoreUnavailable:
                continue
            break
    assert "back" in await store.read(scopes)
    await store.close()


async def test_a_cluster_that_shuts_down_takes_no_new_connection(cluster: Postgres) -> None:
    """SQLSTATE 57P03, also told while it starts: an error of the connection, not of ours."""
    url = cluster.create_database("stops")
    witness = await asyncpg.connect(url)
    backend = await witness.fetchval("SELECT pg_backend_pid()")
    stat = await asyncio.to_thread(Path(f"/proc/{backend}/stat").read_text)
    postmaster = int(stat.rpartition(")")[2].split()[1])
    os.kill(postmaster, signal.SIGTERM)  # waits for the witness to go, and lets nobody in
    store = open_store(url)
    try:
        async with asyncio.timeout(10):
            assert "shutting down" in await unavailable(store)
    finally:
        await store.close()
        await witness.close()
        cluster.stop()
        cluster.start()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_transaction_that_the_server_ends_is_unavailable(
    store: Store, store_url: str
) -> None:
    """An administrator's kill, a cancelled statement, a failover to a read-only copy."""

    def between(connection: Connection, query: str) -> None:
        add(connection, "x")
        connection.exec_driver_sql(query)
        add(connection, "y")

    for query in (
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)",
        "SET TRANSACTION READ ONLY",
    ):
        with pytest.raises(StoreUnavailable):
            await store.write(between, query)
    assert await store.read(scopes) == []
    await store.write(add, "z")


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_slow_readers_keep_no_writer_waiting(store: Store, store_url: str) -> None:
    """A page that takes long, opened by everybody, and a key 1."""
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    holder = await asyncpg.connect(store_url)
    await holder.execute("SELECT pg_advisory_lock(1)")
    reading = [asyncio.create_task(store.read(_wait_for_the_lock)) for _ in range(20)]
    async with asyncio.timeout(10):
        while not await holder.fetchval(query):
            await asyncio.sleep(0.01)
        await store.write(add, "key 1")
    assert not any(one.done() for one in reading)
    await holder.close()
    told = await asyncio.gather(*reading, return_exceptions=True)
    assert all(one is None or isinstance(one, StoreUnavailable) for one in told)


def _wait_for_the_lock(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock_shared(1)")


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_read_is_one_snapshot_and_changes_nothing(store: Store, store_url: str) -> None:
    other = await asyncpg.connect(store_url)

    def twice(connection: Connection) -> tuple[list[str], list[str]]:
        before = scopes(connection)
        await_only(other.execute(ADD.format("other")))
        return before, scopes(connection)

    before, after = await store.read(twice)
    assert before == after == []
    assert await store.read(scopes) == ["other"]
    with pytest.raises(StoreUnavailable, match="read-only"):
        await store.read(add, "x")
    await other.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_who_is_ended_in_a_deadlock_is_tried_again(store: Store) -> None:
    both_have_one = asyncio.Barrier(2)
    runs = []

    def cross(connection: Connection, first: str, second: str) -> None:
        runs.append(first)
        connection.exec_driver_sql("SET LOCAL deadlock_timeout = '20ms'")
        connection.execute(RAISE, {"scope": first})
        if len(runs) <= 2:
            await_only(both_have_one.wait())
        connection.execute(RAISE, {"scope": second})

    await store.write(add, "a")
    await store.write(add, "b")
    await asyncio.gather(store.write(cross, "a", "b"), store.write(cross, "b", "a"))
    assert len(runs) == 3
    assert [row["cps"] for row in await all_rows(store, Limit)] == [3, 3]


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_it_is_tried_again_once(store: Store, sqlstate: str) -> None:
    runs = []

    def ended(connection: Connection) -> None:
        runs.append(sqlstate)
        connection.exec_driver_sql(f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$")

    with pytest.raises(StoreUnavailable):
        await store.write(ended)
    assert len(runs) == 2


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_no_free_connection_is_unavailable_and_does_not_wait_for_ever(
    store: Store, store_url: str
) -> None:
    holders = [await asyncpg.connect(store_url)]
    other = open_store(store_url)
    try:
        for _ in range(int(await holders[0].fetchval("SHOW max_connections"))):
            try:
                holders.append(await asyncpg.connect(store_url))
            except asyncpg.TooManyConnectionsError:
                break
        async with asyncio.timeout(10):
            await unavailable(other)
    finally:
        await asyncio.gather(*(holder.close() for holder in holders))
        await other.close()
