"""The private PostgreSQL cluster: durable, killable, freezable."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from lab.postgres import Postgres


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    with Postgres() as running:
        yield running


async def test_it_writes_as_a_real_one_does(cluster: Postgres) -> None:
    connection = await asyncpg.connect(cluster.create_database("plain"))
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert await connection.fetchval(f"show {setting}") == "on"
    assert await connection.fetchval("show server_encoding") == "UTF8"
    await connection.close()


async def test_frozen_it_gives_no_answer_and_thawed_it_does(cluster: Postgres) -> None:
    connection = await asyncpg.connect(cluster.create_database("frozen"))
    cluster.freeze()
    try:
        answer = asyncio.create_task(connection.fetchval("select 1"))
        done, _ = await asyncio.wait([answer], timeout=0.3)
        assert not done
    finally:
        cluster.thaw()
    assert await answer == 1
    await connection.close()


async def test_what_was_committed_outlives_a_kill(cluster: Postgres) -> None:
    url = cluster.create_database("killed")
    connection = await asyncpg.connect(url)
    await connection.execute("create table kept as select 7 as value")
    await connection.close()
    cluster.kill()
    assert not cluster.is_running()
    cluster.start()
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("select value from kept") == 7
    await connection.close()
    cluster.drop_database("killed")


async def test_removed_it_leaves_no_shared_memory_behind() -> None:
    with Postgres() as removed:
        connection = await asyncpg.connect(removed.create_database("removed"))
        directory = Path(await connection.fetchval("show data_directory"))
        await connection.close()
        first = (directory / "postmaster.pid").read_text().split()[0]
        assert first in _makers_of_segments()
    assert first not in _makers_of_segments()


def _makers_of_segments() -> set[str]:
    """Processes that have made System V shared memory which is still there."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()
    return {line.split()[lines[0].split().index("cpid")] for line in lines[1:]}
