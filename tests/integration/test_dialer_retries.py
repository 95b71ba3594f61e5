"""The dialler after the dial: retries, refusals, what is unknown, and several servers. I/O."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from dialer.engine import Engine
from dialer.retry import RetryRule, rules_to_row
from domain.dispositions import Disposition
from domain.states import TargetState
from store import registrations
from store.claims import Claimed
from store.engine import Store, open_store
from store.limits import Caps
from store.models import Attempt, Target
from tests.dialling import World, settled
from tests.locks import waits_for_lock
from tests.rows import BY_NINE, NOW, all_rows, asked, make_campaign, numbers

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
BUSY_TWICE = rules_to_row({Disposition.BUSY: RetryRule(max=2, delay_seconds=900)})


async def test_retries_come_at_their_time_and_end_with_the_rule(store: Store) -> None:
    await make_campaign(store, numbers(1), retry=BUSY_TWICE)
    world = World(store)
    world.carrier.ends = Disposition.BUSY
    await world.passes(2)
    for retry in (1, 2):
        last = world.carrier.dialled[-1][0]
        await world.jump(last + 15 * MINUTE - 4 * SECOND)
        assert len(world.carrier.dialled) == retry
        await world.jump(last + 15 * MINUTE)
        assert len(world.carrier.dialled) == retry + 1
    await world.jump(world.now + 5 * HOUR)
    assert len(world.carrier.dialled) == 3
    [target] = await all_rows(store, Target)
    assert (target["state"], target["outcome"]) == (TargetState.DONE, Disposition.BUSY)
    assert target["attempts_made"] == 3


async def test_a_retry_that_falls_due_outside_the_window_waits_for_the_opening(
    store: Store,
) -> None:
    ten_to_five = datetime(2021, 4, 1, 9, 50, tzinfo=UTC)
    await make_campaign(store, numbers(1), retry=BUSY_TWICE)
    world = World(store, now=ten_to_five)
    world.carrier.ends = Disposition.BUSY
    await world.passes(2)
    for moment in (ten_to_five + 16 * MINUTE, ten_to_five + 5 * HOUR, ten_to_five + 14 * HOUR):
        await world.jump(moment)
        assert len(world.carrier.dialled) == 1, moment
    await world.jump(datetime(2021, 4, 2, 1, 0, tzinfo=UTC))
    assert len(world.carrier.dialled) == 2


async def test_what_ended_unknown_is_not_dialled_again_at_once(store: Store) -> None:
    await make_campaign(store, numbers(3))
    world = World(store)
    world.carrier.ends = Disposition.UNKNOWN
    await world.passes(2)
    for hours in (0.1, 1, 3.9):
        await world.jump(NOW + hours * HOUR)
    assert len(world.carrier.dialled) == 3
    await world.jump(NOW + 4 * HOUR + MINUTE)
    assert world.times_dialled() == dict.fromkeys(numbers(3), 2)
    await world.jump(NOW + 6 * HOUR)
    assert world.times_dialled().total() == 6


async def test_who_registers_between_two_calls_is_not_called_again(store: Store) -> None:
    one, two = numbers(2)
    await make_campaign(store, [one, two], retry=BUSY_TWICE)
    world = World(store)
    world.carrier.ends = Disposition.BUSY
    await world.passes(2)
    await store.write(registrations.register, [asked(one, world.now)], BY_NINE)
    await world.jump(NOW + HOUR)
    assert world.times_dialled() == {one: 1, two: 2}


async def test_a_trunk_that_takes_no_call_is_held_and_no_number_is_spent(store: Store) -> None:
    await make_campaign(store, numbers(40), max_attempts=1)
    world = World(store)
    world.carrier.refuses = True
    tries: list[int] = []
    for _ in range(70):
        before = len(await all_rows(store, Attempt))
        await world.passes(1, 1)
        tries.append(len(await all_rows(store, Attempt)) - before)
    assert "takes no calls" in world.engine.why_idle["mekong"]
    assert 0 < sum(tries) <= 7 * 40  # holds of 1, 2, 4, 8, 16, 30 s
    assert max(len(list(same)) for quiet, same in groupby(tries, bool) if not quiet) >= 14
    assert {row["attempts_made"] for row in await all_rows(store, Target)} == {0}

    world.carrier.refuses = False
    world.carrier.ends = Disposition.ANSWERED
    await world.passes(61, 0.5)
    assert sorted(world.carrier.numbers) == numbers(40)


async def test_after_a_night_of_refusals_the_trunk_is_still_held(store: Store) -> None:
    """A thousand refusals and more: 2 to their power is no number any more."""
    world = World(store)
    world.carrier.refuses = True
    attempt = Claimed(UUID(int=1), 1, 1, numbers(1)[0], "carrier", "vi-1", 30, NOW)

    async def refuse(_: Claimed) -> bool:
        return False

    world.carrier.originate = refuse  # type: ignore[assignment,method-assign]
    for _ in range(1200):
        world.monotonic += 60
        await world.engine._dial(attempt)
        assert world.monotonic < world.engine._held_until <= world.monotonic + 30


class Slow(Store):
    """The real store, but a claim must wait: `wait` is called before it begins."""

    def __init__(self, store: Store) -> None:
        self.wait: Any = None
        self._store = store

    async def write(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        if self.wait is not None and isinstance(getattr(operation, "__self__", None), Engine):
            self.wait()
        return await self._store.write(operation, *args, **kwargs)

    async def read(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._store.read(operation, *args, **kwargs)

    async def close(self) -> None:
        await self._store.close()


async def test_a_window_that_closes_while_the_store_is_slow_is_closed(store: Store) -> None:
    last = datetime(2021, 4, 1, 9, 59, 59, 900000, tzinfo=UTC)
    await make_campaign(store, numbers(5), due=last)
    slow = Slow(store)
    world = World(slow, now=last - 3 * SECOND)
    await world.passes(2)  # nothing is due, but the rates are ready
    world.now = last
    world.monotonic += 1

    def waits() -> None:
        world.now = last + 20 * SECOND

    slow.wait = waits
    await world.tick()
    assert world.now > last  # it had to wait
    slow.wait = None
    await world.passes(3)
    assert world.carrier.dialled == []


@asynccontextmanager
async def second_server(store: Store, url: str, **setting: Any) -> AsyncIterator[World]:
    """Another server on the same database; its clock is its own."""
    other = open_store(url)
    try:
        yield World(other, node="node2", **setting)
    finally:
        await other.close()


async def test_two_servers_never_dial_one_number_twice(store: Store, store_url: str) -> None:
    await make_campaign(store, numbers(60), "a", retry=BUSY_TWICE)
    await make_campaign(store, numbers(60)[::-1], "b", retry=BUSY_TWICE)
    async with second_server(store, store_url) as second:
        first = World(store)
        ends = dict.fromkeys(numbers(20), Disposition.BUSY)
        for world in (first, second):
            world.carrier.ends = ends
        for _ in range(25):
            await asyncio.gather(first.engine.tick(), second.engine.tick())
            await settled()
            for world in (first, second):
                world.now += 0.2 * SECOND
                world.monotonic += 0.2
    dialled = Counter([*first.carrier.numbers, *second.carrier.numbers])
    assert first.carrier.dialled
    assert second.carrier.dialled
    kept_open = numbers(60)[20:]
    assert {msisdn: dialled[msisdn] for msisdn in kept_open} == dict.fromkeys(kept_open, 1)
    assert max(dialled.values()) <= 2  # once for each campaign
    assert first.carrier.unwritten + second.carrier.unwritten == []
    assert len(await all_rows(store, Attempt)) == dialled.total()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_two_servers_share_one_cap(store: Store, store_url: str) -> None:
    """Both stand before the attempts table at once: what one takes, the other must see."""
    await make_campaign(store, numbers(40), due=NOW + 2 * SECOND)
    async with second_server(store, store_url, defaults=Caps(1000, 5)) as second:
        worlds = (World(store, defaults=Caps(1000, 5)), second)
        for world in worlds:
            await world.passes(1)
            world.now += 2 * SECOND
            world.monotonic += 2
        operator = await asyncpg.connect(store_url)
        transaction = operator.transaction()
        await transaction.start()
        await operator.execute("LOCK TABLE attempts IN SHARE ROW EXCLUSIVE MODE")
        ticks = asyncio.gather(*(world.engine.tick() for world in worlds))
        await waits_for_lock(store_url, 2)
        await transaction.rollback()
        await ticks
        await settled()
        await operator.close()
        for world in worlds:
            await world.passes(1)
        assert len(worlds[0].carrier.dialled) + len(second.carrier.dialled) == 5
    assert await worlds[0].most_open_at_once() == 5
