"""A journal that runs, its spool, and calls that report to it: for the tests of its faults. I/O."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from domain.dispositions import Disposition
from store.claims import Claimed
from store.engine import Store
from store.facts import Fact, Kept
from store.journal import Journal
from store.models import Attempt, Callback, Event, KeyPress, Registration
from store.spool import Spool
from tests.rows import (
    BY_NINE,
    NOW,
    all_rows,
    answered,
    asked,
    claim_some,
    ended,
    make_campaign,
    numbers,
    pressed,
)

SECOND = timedelta(seconds=1)
KEYS_A_CALL = 6


@asynccontextmanager
async def running(
    store: Store, spool: Spool | Path, patience_seconds: float = 2.0
) -> AsyncIterator[Journal]:
    """A journal at work; at the end it is closed in good order, and must not have died.

    Should it die before, the test ends with its error instead of waiting for answers.
    """
    kept = Spool(spool) if isinstance(spool, Path) else spool
    journal = Journal(store, kept, BY_NINE, patience_seconds)
    run = asyncio.create_task(journal.run())
    watch = asyncio.create_task(_cancel_when_done(run, asyncio.current_task()))
    try:
        yield journal
    finally:
        watch.cancel()
        if not run.done():
            await journal.close()
        async with asyncio.timeout(30):
            await run
        if kept is not spool:
            kept.close()


async def _cancel_when_done(run: asyncio.Task[None], waiting: asyncio.Task[Any] | None) -> None:
    await asyncio.wait({run})
    if waiting is not None:
        waiting.cancel()


async def calls(store: Store, count: int) -> list[Claimed]:
    """Attempts that are open, each of another number."""
    campaign = await make_campaign(store, numbers(count))
    return await claim_some(store, campaign, limit=count)


def story(call: Claimed) -> list[Fact]:
    """What a call of a subscriber reports who plays with the keys and then registers."""
    keys = [pressed(call, "2", NOW + turn * SECOND) for turn in range(KEYS_A_CALL - 1)]
    at = NOW + KEYS_A_CALL * SECOND
    return [
        answered(call, NOW),
        *keys,
        pressed(call, "1", at),
        asked(call.msisdn, at, call.attempt_id, campaign_id=call.campaign_id),
        ended(call, Disposition.ANSWERED, at + SECOND, cause=16, answered_at=NOW),
    ]


@dataclass
class Reports:
    """What came of the facts of many calls at once: where each was kept, and after how long."""

    kept: list[Kept] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def tell(self, journal: Journal, facts: Sequence[Fact]) -> None:
        """One call: each fact once the one before it is durable."""
        loop = asyncio.get_running_loop()
        for fact in facts:
            began = loop.time()
            self.kept.append(await journal.record(fact))
            self.seconds.append(loop.time() - began)
            self._changed.set()

    async def until(self, where: Kept, count: int) -> None:
        """Returns once so many facts were kept there."""
        async with asyncio.timeout(15):
            while self.kept.count(where) < count:
                self._changed.clear()
                await self._changed.wait()


async def replayed(journal: Journal) -> None:
    """Returns once nothing waits in the spool and the store takes facts again."""
    async with asyncio.timeout(30):
        while journal.spooled or not journal.store_is_up:
            await asyncio.sleep(0.02)


async def assert_all_told_once(store: Store, told: Sequence[Claimed]) -> None:
    """Every fact of every story stands in the store, none twice."""
    msisdns = {call.msisdn for call in told}
    keys = await all_rows(store, KeyPress)
    assert len(keys) == KEYS_A_CALL * len(told)
    assert [row["key"] for row in keys].count("1") == len(told)
    for row in await all_rows(store, Attempt):
        assert (row["state"], row["disposition"], row["answered_at"]) == ("ended", "answered", NOW)
    for table in (Registration, Callback):
        assert sorted(row["msisdn"] for row in await all_rows(store, table)) == sorted(msisdns)
    events = [row["kind"] for row in await all_rows(store, Event) if row["msisdn"]]
    assert events.count("registered") == events.count("callback_promised") == len(told)
    assert "registration_repeated" not in events


def refused_in(path: Path) -> list[tuple[Any, ...]]:
    """What the spool has set aside for a person: the fact, and why."""
    with sqlite3.connect(path) as file:
        rows = file.execute("SELECT body, why FROM refused ORDER BY id").fetchall()
    file.close()
    return rows
