"""Fifty agents work a queue of 5,000: nothing twice, nothing lost, in order, and quick. I/O.

The agents talk for a moment between the claims, as agents do, and all of them at once: 50 agents
with 0.5 s each are 90 calls a second, three hundred times what 50 people do. The quietest of twenty
windows is judged, and all of them are printed; where the machine does other work too, against what
a bare look at the database takes meanwhile.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from domain.callbacks import Outcome
from domain.clock import utc_now
from domain.states import CallbackState, ClaimEnd
from store import callback_queue, callback_results, callbacks
from store.callback_queue import Taken
from store.engine import Store, open_store
from store.models import Callback, CallbackClaim
from tests.answering_calls import ALL_DAY, LEASE, on_duty, release, result
from tests.rows import BY_NINE, NOW, all_rows, numbers, wants_advice

CALLS, AGENTS = 5000, 50
TALK_SECONDS = 0.5
CLAIM_P99_SECONDS = 0.050
BARE_LOOKS = 5
"""On a machine that has no time for them, a claim may take as long as so many bare looks."""
LOOK_EVERY_SECONDS = 0.02
WINDOWS = 20


class Desk:
    """One agent: claims, talks, tells the result, until nothing is left."""

    def __init__(self, store: Store, agent: int) -> None:
        self._store, self._agent = store, agent
        self._chance = random.Random(agent)
        self.served: list[tuple[datetime, Taken]] = []
        self.waits: list[tuple[float, float]] = []

    async def work(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, TALK_SECONDS))
        while (claim := await self._claim()) is not None:
            self.served.append((claim.claimed_at, claim))
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * TALK_SECONDS)
            await self._store.write(
                callback_results.close, claim.claim_id, result(Outcome.ADVISED), utc_now(), ALL_DAY
            )

    async def _claim(self) -> Taken | None:
        started = time.perf_counter()
        claim = await self._store.write(
            callback_queue.take_next, self._agent, utc_now(), LEASE, ALL_DAY
        )
        self.waits.append((started, time.perf_counter() - started))
        return claim


@pytest.mark.timeout(170)
async def test_fifty_agents_work_five_thousand_call_backs(store: Store, store_url: str) -> None:
    await _promise(store)
    desks = [Desk(store, agent) for agent in range(1, AGENTS + 1)]
    await on_duty(store, *range(1, AGENTS + 1))
    looks: list[tuple[float, float]] = []
    looking = asyncio.create_task(_look(store_url, looks))
    started = time.perf_counter()
    await asyncio.gather(*(desk.work() for desk in desks))
    took = time.perf_counter() - started
    looking.cancel()
    await asyncio.wait({looking})
    served = sorted((one for desk in desks for one in desk.served), key=lambda one: one[0])
    assert Counter(claim.msisdn for _, claim in served) == Counter(numbers(CALLS))
    assert _furthest_out_of_order([claim for _, claim in served]) <= AGENTS
    rows = await all_rows(store, Callback)
    assert {row["state"] for row in rows} == {CallbackState.DONE}
    endings = Counter(row["ending"] for row in await all_rows(store, CallbackClaim))
    assert endings == {ClaimEnd.RESULT: CALLS}
    waits = sorted(wait for desk in desks for wait in desk.waits)
    size = len(waits) // WINDOWS
    windows = [
        (_p99([wait for _, wait in window]), _bare(looks, window[0][0], window[-1][0]))
        for window in (waits[size * n : size * (n + 1)] for n in range(WINDOWS))
    ]
    whole = sorted(wait for _, wait in waits)
    print(
        f"\n{type(store).__name__}: {CALLS / took:.0f} calls/s; claim p50 "
        f"{whole[len(whole) // 2] * 1e3:.1f} ms, p99 {_p99(whole) * 1e3:.1f} ms; p99 by window, of "
        "claims/bare looks: " + " ".join(f"{a * 1e3:.0f}/{b * 1e3:.0f}" for a, b in windows)
    )
    assert any(claims <= max(CLAIM_P99_SECONDS, BARE_LOOKS * bare) for claims, bare in windows)


async def _look(store_url: str, looks: list[tuple[float, float]]) -> None:
    """What the machine has time for: a bare look at the database, again and again."""
    other = open_store(store_url)
    try:
        while True:
            started = time.perf_counter()
            await other.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
            looks.append((started, time.perf_counter() - started))
            await asyncio.sleep(LOOK_EVERY_SECONDS)
    finally:
        await other.close()


def _bare(looks: Sequence[tuple[float, float]], start: float, end: float) -> float:
    """The p99 of the looks that were begun between two moments."""
    return _p99([took for at, took in looks if start <= at <= end] or [0.0])


def _p99(waits: Sequence[float]) -> float:
    return sorted(waits)[len(waits) * 99 // 100]


async def _promise(store: Store) -> None:
    """Call-backs whose deadlines come in another order than their rows."""
    listed = numbers(CALLS)
    random.Random(1).shuffle(listed)
    wishes = [wants_advice(msisdn, NOW - timedelta(minutes=int(msisdn[-4:]))) for msisdn in listed]

    def work(connection: Connection) -> None:
        callbacks.promise_advice(connection, wishes, BY_NINE)

    await store.write(work)
    await release(store)


def _furthest_out_of_order(claims: Sequence[Taken]) -> int:
    """By how many places a call-back was served away from its place by deadline."""
    order = sorted(claims, key=lambda one: (one.target_at, one.promise_at, one.callback_id))
    place = {claim.claim_id: number for number, claim in enumerate(order)}
    return max(abs(place[claim.claim_id] - number) for number, claim in enumerate(claims))
