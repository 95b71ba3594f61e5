"""Fixtures that several kinds of tests share."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings
from sqlalchemy.exc import DBAPIError

from domain.errors import StoreUnavailable
from lab.postgres import Postgres
from store.engine import Store, open_store
from store.migrate import migrate
from tests.stores import empty

# How long an example takes depends on what else the machine does.
settings.register_profile("tstn", deadline=None)
settings.load_profile("tstn")

MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 4_000_000_000  # noqa: S108

CALLS_SHARE = 0.4
"""The share of the other modules beside which the modules of calls run."""


def pytest_configure() -> None:
    """Files of the tests lie in memory, where there is room: there, no fsync stalls for seconds.

    What was committed outlives a kill -9 there as well. TMPDIR, where it is set, decides.
    """
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES:
        tempfile.tempdir = os.environ.setdefault("TMPDIR", str(MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules of calls, which wait much, run beside others, which compute; short ones come last."""
    calls: list[list[pytest.Item]] = []
    others: list[list[pytest.Item]] = []
    for path, module in groupby(items, key=lambda item: item.path):
        (calls if "acceptance" in path.parts else others).append(list(module))
    placed = [(CALLS_SHARE * at / len(calls), module) for at, module in enumerate(calls)]
    placed += [(at / len(others), module) for at, module in enumerate(others)]
    placed.sort(key=itemgetter(0))
    items[:] = chain.from_iterable(module for _, module in placed)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL cluster of our own, from Debian's package."""
    with Postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def emptied() -> list[str]:
    """Databases that tests before have left: migrated, and emptied again."""
    return []


@pytest.fixture(scope="session")
def migrated() -> set[str]:
    """Databases that have this version's schema, so that no test has to look."""
    return set()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path, emptied: list[str]) -> str:
    """An empty database of each kind; where `store` is wanted too, it may be migrated already."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.sqlite"
    if emptied and "store" in request.fixturenames:
        return emptied.pop()
    cluster: Postgres = request.getfixturevalue("postgres")
    return cluster.create_database(f"t{uuid4().hex}")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that is migrated and empty, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "store.sqlite"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


async def _migrate(url: str) -> None:
    opened = open_store(url)
    await migrate(opened)
    await opened.close()


@pytest.fixture
async def store(
    store_url: str, emptied: list[str], migrated: set[str], migrated_file: Path
) -> AsyncIterator[Store]:
    """An open, migrated store."""
    if store_url.startswith("sqlite"):
        shutil.copy(migrated_file, store_url.removeprefix("sqlite:///"))
        migrated.add(store_url)
    opened = open_store(store_url)
    if store_url not in migrated:
        await migrate(opened)
        migrated.add(store_url)
    yield opened
    if store_url.startswith("postgresql"):
        # A new database takes half a second. What a test has changed beyond rows is not used again.
        with suppress(DBAPIError, StoreUnavailable):
            await opened.write(empty)
            emptied.append(store_url)
    await opened.close()
