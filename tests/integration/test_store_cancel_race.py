"""A cancel by text and an agent's result at the same moment, on PostgreSQL. I/O."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg  # type: ignore[import-untyped]
import pytest

from lab.postgres import Postgres
from store import standing
from store.engine import Store, open_store
from store.migrate import migrate
from store.models import Registration
from tests.answering_calls import register
from tests.locks import waits_for_lock
from tests.rows import NOW, all_rows, numbers

[ONE] = numbers(1)


@pytest.fixture
async def url(postgres: Postgres) -> str:
    return postgres.create_database("cancel_race")


@pytest.fixture
async def shared(url: str) -> AsyncIterator[Store]:
    store = open_store(url)
    await migrate(store)
    yield store
    await store.close()


@pytest.fixture
async def agent(shared: Store, url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def test_neither_waits_for_the_other_for_ever(
    shared: Store, agent: asyncpg.Connection, url: str
) -> None:
    """A result locks its call-back, then ends the registration (store.callback_results)."""
    await register(shared, ONE)
    result = agent.transaction()
    await result.start()
    await agent.execute("SELECT id FROM callbacks FOR UPDATE")
    cancelling = asyncio.create_task(shared.write(standing.cancel, ONE, NOW, ("sms", "1")))
    await waits_for_lock(url)
    await agent.execute("UPDATE registrations SET state = 'completed'")
    await result.commit()
    assert await cancelling is None, "the result was first"
    [row] = await all_rows(shared, Registration)
    assert row["state"] == "completed"
