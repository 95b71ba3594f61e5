"""Tells when a transaction waits for another, so that a test can provoke that order. I/O."""

import asyncio

import asyncpg  # type: ignore[import-untyped]

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
