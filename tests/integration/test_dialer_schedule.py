"""The scheduler itself: its ticks come, and none of them ends it. I/O."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from dialer import callbacks
from dialer.schedule import Pace, Schedule
from domain.errors import StoreUnavailable
from domain.sla import SlaState
from store import callback_schedule
from store.engine import Store
from store.models import Event, SlaReport
from tests.answering_calls import callback_of, on_duty, register, release, taken
from tests.integration.test_dialer_callbacks import SETTING
from tests.locks import held_open
from tests.rows import NOW, all_rows, numbers

QUICK = Pace(schedule=0.02, expire=0.02, deadlines=0.02, report=0.02)
LATER = NOW + timedelta(hours=60)
"""Leases have run out, promises are broken, days are over."""


@asynccontextmanager
async def running(store: Store, now: datetime) -> AsyncIterator[None]:
    task = asyncio.create_task(Schedule(store, SETTING, lambda: now, QUICK).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_every_tick_comes_and_two_schedulers_do_it_once(store: Store) -> None:
    held, new = numbers(2)
    await register(store, held)
    await release(store)
    await on_duty(store, 1)
    await taken(store, 1)
    await register(store, new, at=NOW + timedelta(minutes=1))
    async with running(store, LATER), running(store, LATER), asyncio.timeout(20):
        while not await _all_is_done(store, held, new):
            await asyncio.sleep(0.01)
    broken = [row for row in await all_rows(store, Event) if row["kind"] == "promise_broken"]
    assert sorted(row["msisdn"] for row in broken) == [held, new]
    assert {row["day"] for row in await all_rows(store, SlaReport)} == {date(2021, 4, 2)}


async def _all_is_done(store: Store, held: str, new: str) -> bool:
    raised = [row for row in await all_rows(store, Event) if row["kind"] == "promise_broken"]
    return (
        (await callback_of(store, held))["state"] == "open"
        and (await callback_of(store, new))["ready_at"] is not None
        and len(raised) == 2
        and bool(await all_rows(store, SlaReport))
    )


async def test_more_than_one_page_is_released_in_one_tick(store: Store) -> None:
    await register(store, *numbers(1200))
    schedule = Schedule(store, replace(SETTING), lambda: NOW)
    await schedule.schedule()
    assert (await callback_of(store, numbers(1200)[-1]))["ready_at"] is not None


async def test_a_day_of_deadlines_is_raised_in_one_tick_but_few_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback_schedule, "RAISED_AT_ONCE", 2)
    await register(store, *numbers(5), at=NOW - timedelta(days=1))  # broken
    await register(store, *numbers(4, first=10), at=LATER - timedelta(hours=47))  # late
    step = await store.write(callbacks.raise_deadlines, LATER, SETTING)
    assert (step.counts, step.has_more) == ({SlaState.BROKEN: 2}, True)
    await Schedule(store, SETTING, lambda: LATER).raise_deadlines()
    kinds = Counter(row["kind"] for row in await all_rows(store, Event))
    assert (kinds["promise_broken"], kinds["callback_late"]) == (5, 4)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_while_deadlines_are_raised_the_first_are_served(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback_schedule, "RAISED_AT_ONCE", 2)
    first, *_ = numbers(4)
    await register(store, *numbers(4))
    await release(store)
    await on_duty(store, 1)
    async with held_open(store, callbacks.raise_deadlines, LATER, SETTING):
        assert (await taken(store, 1, LATER)).msisdn == first


async def test_a_store_that_is_away_is_told_once_and_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = asyncio.Semaphore(0)

    class Away:
        async def write(self, *_: object) -> None:
            calls.release()
            raise StoreUnavailable("the store can't be reached: gone")

        read = write

    with caplog.at_level(logging.WARNING):
        async with running(Away(), NOW), asyncio.timeout(20):  # type: ignore[arg-type]
            for _ in range(20):
                await calls.acquire()
    said = [record.message for record in caplog.records if record.name == "dialer.schedule"]
    assert sorted(said) == [
        f"the tick {name} waits: the store can't be reached: gone"
        for name in ("deadlines", "expire", "report", "schedule")
    ]
