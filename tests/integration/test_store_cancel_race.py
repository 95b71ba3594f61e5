"""An agent's result while its subscriber cancels, or asks once more, on PostgreSQL. I/O."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Connection
from sqlalchemy.util import await_only

from domain.callbacks import Outcome
from domain.states import CallbackState
from store import callback_results, registrations, standing
from store.callback_claims import held
from store.engine import Store
from store.models import Event, Registration
from store.registrations import Answer
from tests.answering_calls import ALL_DAY, on_duty, register, release, result, taken
from tests.locks import waits_for_lock
from tests.rows import BY_NINE, NOW, all_rows, asked, numbers

pytestmark = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)

[ONE] = numbers(1)


@pytest.fixture
async def agent(store_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(store_url)
    yield connection
    await connection.close()


async def test_neither_waits_for_the_other_for_ever(
    store: Store, agent: asyncpg.Connection, store_url: str
) -> None:
    """A result locks its call-back, then ends the registration (store.callback_results)."""
    await register(store, ONE)
    result = agent.transaction()
    await result.start()
    await agent.execute("SELECT id FROM callbacks FOR UPDATE")
    cancelling = asyncio.create_task(store.write(standing.cancel, ONE, NOW, ("sms", "1")))
    await waits_for_lock(store_url)
    await agent.execute("UPDATE registrations SET state = 'completed'")
    await result.commit()
    assert await cancelling is None, "the result was first"
    [row] = await all_rows(store, Registration)
    assert row["state"] == "completed"


async def test_a_request_with_an_earlier_receipt_waits_for_a_result(
    store: Store, store_url: str
) -> None:
    await register(store, ONE)
    await release(store)
    await on_duty(store, 1)
    claim = await taken(store, 1)
    is_locked, may_go_on, runs = asyncio.Event(), asyncio.Event(), []

    def refuse(connection: Connection) -> CallbackState:
        runs.append("result")
        held(connection, claim.claim_id)
        is_locked.set()
        await_only(may_go_on.wait())
        same = (claim.claim_id, result(Outcome.REFUSED), NOW, ALL_DAY)
        return callback_results.close(connection, *same)

    def ask_again(connection: Connection) -> list[Answer]:
        runs.append("request")
        return registrations.register(connection, [asked(ONE, NOW - timedelta(hours=1))], BY_NINE)

    refusing = asyncio.create_task(store.write(refuse))
    await is_locked.wait()
    asking = asyncio.create_task(store.write(ask_again))
    await waits_for_lock(store_url)
    may_go_on.set()
    assert (await refusing, await asking) == (CallbackState.DONE, [Answer.ALREADY_REGISTERED])
    assert runs == ["result", "request"], "neither was ended in a deadlock, and run again"
    [row] = await all_rows(store, Registration)
    assert (row["state"], row["registered_at"]) == ("cancelled", NOW)
    kinds = [row["kind"] for row in await all_rows(store, Event)]
    assert kinds[-2:] == ["registration_cancelled", "registration_repeated"], "nothing was moved"
