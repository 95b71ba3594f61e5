"""Fixtures that several kinds of tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from lab.postgres import Postgres
from store.engine import Store, open_store
from store.migrate import migrate


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL cluster of our own, from Debian's package."""
    with Postgres() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.sqlite"
    cluster: Postgres = request.getfixturevalue("postgres")
    return cluster.create_database(f"t{uuid4().hex}")


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An open, migrated store."""
    opened = open_store(store_url)
    await migrate(opened)
    yield opened
    await opened.close()
