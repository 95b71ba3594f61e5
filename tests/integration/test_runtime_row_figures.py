"""Figures of rows for `/metrics`: right, seldom read, and no scrape waits for the store. I/O."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest

from domain.errors import StoreUnavailable
from domain.sla import SlaState
from domain.states import BrakeCause, Channel
from runtime.row_figures import RowFigures
from runtime.row_metrics import of_rows
from store import brakes, registrations
from store.apply import apply
from store.brakes import Change, Scope
from store.engine import Store
from tests.locks import held_open
from tests.rows import BY_NINE, NOW, asked, claim_some, make_campaign, numbers
from tests.text_campaigns import TextWorld, make_text_campaign

HOUR = timedelta(hours=1)


class World:
    """Moves both clocks."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.at = NOW

    def now(self) -> float:
        return self.seconds


@asynccontextmanager
async def figures(store: Store, world: World) -> AsyncIterator[RowFigures]:
    made = RowFigures(store, timedelta(hours=3), {}, lambda: world.at, world.now)
    try:
        yield made
    finally:
        await made.close()


def value(rows: RowFigures, name: str, **labels: str) -> float:
    return sum(
        sample.value
        for family in of_rows(rows)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def fresh(rows: RowFigures) -> None:
    """Read anew, however long the store takes: a scrape would wait for a second."""
    await rows.refresh()
    while rows.age_seconds > 0:
        await rows.refresh()


async def register(store: Store, *msisdns: str, channel: Channel = Channel.IVR) -> None:
    facts = [asked(msisdn, NOW, channel=channel) for msisdn in msisdns]
    await store.write(apply, facts, BY_NINE)


async def test_what_stands_in_rows(store: Store) -> None:
    campaign = await make_campaign(store, numbers(4), cps=7.0, max_channels=30)
    await make_campaign(store, numbers(1, 50), name="later", due=NOW + HOUR)
    await make_campaign(store, numbers(1, 60), name="closed", windows=["18:00-19:00"])
    await claim_some(store, campaign, 3)
    await register(store, *numbers(2, 80))
    drawn = Scope(BrakeCause.PROMISE, campaign_id=campaign.id)
    await store.write(brakes.put, drawn, Change(0.25, "too many"), NOW)
    async with figures(store, World()) as rows:
        await rows.refresh()
        assert rows.present is not None
        assert rows.present.callbacks.by_sla[SlaState.FRESH] == 2
        assert value(rows, "tstn_callbacks_waiting", sla="fresh") == 2
        assert value(rows, "tstn_channels_in_use", campaign="mekong", trunk="carrier") == 3
        assert value(rows, "tstn_campaign_cps", campaign="mekong") == 7
        assert value(rows, "tstn_campaign_channels", campaign="mekong") == 30
        due = {name: value(rows, "tstn_campaign_due", campaign=name) for name in NAMES}
        assert due == {"mekong": 1, "later": 0, "closed": 0}
        last = "tstn_campaign_last_dial_timestamp_seconds"
        assert value(rows, last, campaign="mekong") == NOW.timestamp()
        assert value(rows, "tstn_brake_factor", cause="promise", scope="mekong") == 0.25


NAMES = ("mekong", "later", "closed")


async def test_a_campaign_of_texts_is_due_until_it_has_sent_them_all(store: Store) -> None:
    await make_text_campaign(store, numbers(2), "texts")
    await make_text_campaign(store, numbers(1, 50), "closed", windows=["18:00-19:00"])
    world, texting = World(), TextWorld(store, NOW + HOUR)
    async with figures(store, world) as rows:
        await fresh(rows)
        assert [value(rows, "tstn_campaign_due", campaign=name) for name in TEXTS] == [1, 0]
        last = "tstn_campaign_last_text_timestamp_seconds"
        assert value(rows, last, campaign="texts") == NOW.timestamp()
        await texting.passes(2)
        assert texting.numbers == numbers(2)
        world.seconds += 25
        await fresh(rows)
        assert [value(rows, "tstn_campaign_due", campaign=name) for name in TEXTS] == [0, 0]
        assert value(rows, last, campaign="texts") > (NOW + HOUR).timestamp()
        assert value(rows, "tstn_campaign_channels", campaign="texts") == 0


TEXTS = ("texts", "closed")


async def test_registrations_are_counted_from_the_start_on_each_once(store: Store) -> None:
    world = World()
    await register(store, *numbers(3))  # before our time
    async with figures(store, world) as rows:
        told = []
        for step in range(8):
            await fresh(rows)
            told.append(value(rows, "tstn_registrations_total", channel="ivr"))
            await register(store, *numbers(2, 100 + 10 * step))
            await register(store, *numbers(1, 500 + step), channel=Channel.WEB)
            world.seconds += 25
        assert told == [0, 2, 4, 6, 8, 10, 12, 14]
        await fresh(rows)
        assert value(rows, "tstn_registrations_total", channel="web") == 8


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_registration_that_is_committed_late_is_counted(store: Store) -> None:
    world = World()
    slow, quick = (asked(msisdn, NOW) for msisdn in numbers(2))
    async with figures(store, world) as rows:
        await fresh(rows)
        world.seconds += 25
        async with held_open(store, registrations.register, [slow], BY_NINE):
            await store.write(registrations.register, [quick], BY_NINE)
            reading = asyncio.create_task(fresh(rows))
            await asyncio.wait({reading}, timeout=0.3)
        await reading
        world.seconds += 25
        await fresh(rows)
        assert value(rows, "tstn_registrations_total", channel="ivr") == 2


async def test_many_scrapes_are_one_reading(store: Store) -> None:
    counted = Counting(store)
    world = World()
    async with figures(cast(Store, counted), world) as rows:
        await fresh(rows)  # the first reading counts no registrations yet
        first = counted.reads
        world.seconds += 6
        await fresh(rows)
        once = counted.reads - first
        world.seconds += 6
        await asyncio.gather(*(rows.refresh() for _ in range(20)))
        await fresh(rows)
        assert counted.reads == first + 2 * once


class Counting:
    """A store whose readings are counted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads = 0

    async def read(self, *operation: Any) -> Any:
        self.reads += 1
        return await self._store.read(*operation)


class Slow:
    """A store that hangs, or is away."""

    def __init__(self) -> None:
        self.is_away = False

    async def read(self, *_: Any) -> Any:
        if self.is_away:
            raise StoreUnavailable("away")
        await asyncio.Event().wait()


@pytest.mark.parametrize("is_away", [True, False])
async def test_a_scrape_does_not_wait_for_a_store_that_hangs(is_away: bool) -> None:
    slow = Slow()
    slow.is_away = is_away
    async with figures(cast(Store, slow), World()) as rows, asyncio.timeout(5):
        await rows.refresh()
        assert rows.present is None
        assert value(rows, "tstn_rows_age_seconds") == float("inf")
