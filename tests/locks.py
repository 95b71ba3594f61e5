"""Transactions beside one another on PostgreSQL, in an order that a test provokes. I/O."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import Connection
from sqlalchemy.util import await_only

from store.engine import Operation, Store

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


async def waits_for_lock(url: str, transactions: int = 1) -> None:
    """Returns once so many transactions of the PostgreSQL cluster wait for others.

    It looks from outside of any transaction, since within one the activity stands still.
    Raises TimeoutError after 10 s.
    """
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(10):
            while await connection.fetchval(_WAITING) < transactions:
                await asyncio.sleep(0.01)
    finally:
        await connection.close()


@asynccontextmanager
async def held_open(
    store: Store, operation: Operation[..., Any], *args: Any
) -> AsyncIterator[None]:
    """Has done the operation, and commits it when the block ends."""
    done, may_commit = asyncio.Event(), asyncio.Event()

    def work(connection: Connection) -> None:
        operation(connection, *args)
        done.set()
        await_only(may_commit.wait())

    transaction = asyncio.create_task(store.write(work))
    try:
        async with asyncio.timeout(10):
            await done.wait()
        yield
    finally:
        may_commit.set()
        await transaction
