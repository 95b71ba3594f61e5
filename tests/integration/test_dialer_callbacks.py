"""The ticks of the call-backs by the clock: each twice, on two nodes, and broken off. I/O."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from dialer import callbacks
from dialer.callback_rules import RedialRules
from dialer.callbacks import CallbackSetting
from domain.calendar import Calendar, Window
from domain.callbacks import Outcome
from domain.clock import LOCAL
from domain.states import CallbackState, PostKind, RegistrationState
from store import callback_queue
from store.engine import Store, open_store
from store.models import Callback, CallbackClaim, Event, MessageOut, Registration
from store.outbox import PartRow, Post
from store.workload import workload
from tests.answering_calls import (
    HOURS,
    LEASE,
    callback_of,
    close,
    on_duty,
    register,
    release,
    take,
    taken,
)
from tests.rows import NOW, all_rows, numbers

ONE, TWO = numbers(2)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WORDS = "9090 da goi nhung chua gap duoc Quy khach"


def notice(msisdn: str) -> Post:
    return Post("main", msisdn, "9231", PostKind.MANUAL, WORDS, (PartRow(b"x", 0, 0),))


SETTING = CallbackSetting(
    hours=HOURS,
    redial=RedialRules(
        max_attempts=2,
        pauses={
            Outcome.NO_ANSWER: 2 * HOUR,
            Outcome.BUSY: 15 * MINUTE,
            Outcome.SWITCHED_OFF: 4 * HOUR,
        },
    ),
    at_risk=3 * HOUR,
    notice=notice,
)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2021, 4, day, hour, minute, tzinfo=LOCAL).astimezone(UTC)


async def schedule(
    store: Store, now: datetime = NOW, setting: CallbackSetting = SETTING
) -> callbacks.Scheduled:
    return await store.write(callbacks.schedule, now, setting)


async def kinds(store: Store) -> list[str]:
    """What was raised or ended, in order."""
    usual = ("registered", "callback_promised")
    return [row["kind"] for row in await all_rows(store, Event) if row["kind"] not in usual]


async def everything(store: Store) -> list[Any]:
    """All that a tick may change."""
    rows = (Callback, CallbackClaim, Event, MessageOut, Registration)
    return [await all_rows(store, row) for row in rows]


@pytest.mark.parametrize(
    ("registered", "ready"),
    [
        (local(1, 10), local(1, 10)),
        (local(1, 6, 59), local(1, 7)),
        (local(1, 20, 59), local(1, 20, 59)),
        (local(1, 21), local(2, 7)),
        (local(1, 23, 59), local(2, 7)),
        (local(2, 0), local(2, 7)),
        (local(29, 22), local(30, 7)),  # a holiday is staffed
    ],
)
async def test_a_new_call_back_is_ready_inside_the_agents_hours(
    store: Store, registered: datetime, ready: datetime
) -> None:
    await register(store, ONE, at=registered)
    assert (await schedule(store, registered)).ready == 1
    assert (await callback_of(store, ONE))["ready_at"] == ready


async def test_closed_holidays_wait_but_their_deadlines_stand(store: Store) -> None:
    closed = Calendar([Window.parse("07:00-21:00")], call_on_holidays=False)
    await register(store, ONE, at=local(29, 22))
    await schedule(store, NOW, replace(SETTING, hours=closed))
    row = await callback_of(store, ONE)
    assert row["ready_at"] == datetime(2021, 5, 2, 7, 0, tzinfo=LOCAL)  # past 30 April, 1 May
    assert row["target_at"] == local(30, 21)


@pytest.mark.parametrize(
    ("outcome", "ready"),
    [
        (Outcome.NO_ANSWER, NOW + 2 * HOUR),
        (Outcome.BUSY, NOW + 15 * MINUTE),
        (Outcome.SWITCHED_OFF, NOW + 4 * HOUR),
    ],
)
async def test_who_was_not_reached_is_called_again_after_a_pause(
    store: Store, outcome: Outcome, ready: datetime
) -> None:
    await register(store, ONE)
    await schedule(store)
    await on_duty(store, 1)
    await close(store, await taken(store, 1), outcome)
    assert await take(store, 1, ready) is None
    await schedule(store)
    assert await take(store, 1, ready - MINUTE) is None
    assert (await taken(store, 1, ready)).attempts_made == 1


async def unreached(store: Store) -> None:
    """A subscriber whom the last attempt did not reach; the scheduler has yet to see it."""
    await register(store, ONE)
    await on_duty(store, 1)
    for attempt in range(2):
        await schedule(store)
        await close(store, await taken(store, 1, NOW + attempt * HOUR), Outcome.BUSY)


async def test_after_the_last_attempt_the_subscriber_is_told_once(store: Store) -> None:
    await unreached(store)
    assert (await schedule(store, NOW + HOUR)).given_up == 1
    row = await callback_of(store, ONE)
    assert (row["state"], row["closed_at"]) == (CallbackState.UNREACHABLE, NOW + HOUR)
    [text] = await all_rows(store, MessageOut)
    assert (text["msisdn"], text["text"], text["kind"]) == (ONE, WORDS, PostKind.MANUAL)
    [registration] = await all_rows(store, Registration)
    assert registration["state"] == RegistrationState.CANCELLED
    assert await kinds(store) == ["callback_unreachable", "registration_cancelled"]
    before = await everything(store)
    assert (await schedule(store, NOW + 2 * HOUR)).given_up == 0
    assert await everything(store) == before


async def test_without_an_smsc_nobody_is_told_but_the_row_is_closed(store: Store) -> None:
    await unreached(store)
    await schedule(store, NOW + HOUR, replace(SETTING, notice=lambda _: None))
    assert (await callback_of(store, ONE))["state"] == CallbackState.UNREACHABLE
    assert await all_rows(store, MessageOut) == []


async def test_each_deadline_is_raised_once_and_the_worst_first(store: Store) -> None:
    await register(store, ONE, at=NOW)
    row = await callback_of(store, ONE)
    target, promise = row["target_at"], row["promise_at"]
    moments = (
        target - 3 * HOUR - MINUTE,
        target - 3 * HOUR,
        target - MINUTE,
        target,
        promise - MINUTE,
        promise,
        promise + HOUR,
    )
    for moment in moments:
        for _ in range(2):
            await store.write(callbacks.raise_deadlines, moment, SETTING)
    assert await kinds(store) == ["callback_at_risk", "callback_late", "promise_broken"]


async def test_a_server_that_was_away_raises_the_worst_only(store: Store) -> None:
    await register(store, ONE)
    await store.write(callbacks.raise_deadlines, NOW + 60 * HOUR, SETTING)
    assert await kinds(store) == ["promise_broken"]


async def test_what_is_claimed_is_raised_and_what_is_closed_is_not(store: Store) -> None:
    await register(store, ONE, TWO)
    await release(store)
    await on_duty(store, 1, 2)
    await close(store, await taken(store, 1), Outcome.REFUSED)
    held = await taken(store, 2)
    await store.write(callbacks.raise_deadlines, NOW + 60 * HOUR, SETTING)
    raised = [row for row in await all_rows(store, Event) if row["kind"] == "promise_broken"]
    assert [row["msisdn"] for row in raised] == [held.msisdn]


Tick = Callable[[Connection, datetime], object]
TICKS: dict[str, Tick] = {
    "schedule": lambda c, now: callbacks.schedule(c, now, SETTING),
    "expire": callbacks.return_expired,
    "deadlines": lambda c, now: callbacks.raise_deadlines(c, now, SETTING),
}


async def plenty(store: Store) -> datetime:
    """Something for every tick to do, and the moment at which it is due."""
    await unreached(store)
    await register(store, *numbers(8, first=10))
    await release(store, HOURS)
    await on_duty(store, 2, 3, 4)
    await close(store, await taken(store, 2), Outcome.NO_ANSWER)
    await taken(store, 3)
    await register(store, *numbers(3, first=50), at=NOW - HOUR)
    return NOW + 60 * HOUR


class _Death(Exception):
    """The process dies here, before the COMMIT."""


@pytest.mark.parametrize("name", TICKS)
async def test_a_death_in_the_middle_of_a_tick_leaves_it_to_the_next(
    store: Store, name: str
) -> None:
    now = await plenty(store)
    before = await everything(store)

    def dies(connection: Connection) -> None:
        TICKS[name](connection, now)
        raise _Death

    with pytest.raises(_Death):
        await store.write(dies)
    assert await everything(store) == before
    await store.write(TICKS[name], now)
    done = await everything(store)
    assert done != before
    await store.write(TICKS[name], now)
    assert await everything(store) == done


@pytest.mark.parametrize("name", TICKS)
async def test_two_nodes_at_once_do_it_once(store: Store, store_url: str, name: str) -> None:
    now = await plenty(store)
    other = open_store(store_url)
    try:
        await asyncio.gather(
            *((store, other)[turn % 2].write(TICKS[name], now) for turn in range(8))
        )
    finally:
        await other.close()
    await store.write(TICKS[name], now)  # what a node left to the other one
    events = await kinds(store)
    expected = {
        "schedule": {"callback_unreachable": 1, "registration_cancelled": 1},
        "expire": {},
        "deadlines": {"promise_broken": 12},
    }[name]
    assert {kind: events.count(kind) for kind in events} == expected
    assert len(await all_rows(store, MessageOut)) == (name == "schedule")
    ended = [row["ending"] for row in await all_rows(store, CallbackClaim)]
    assert ended.count("expired") == (name == "expire")


async def test_an_expired_claim_survives_a_restart_within_its_lease(store: Store) -> None:
    await register(store, ONE)
    await release(store)
    await on_duty(store, 1)
    claim = await taken(store, 1)
    assert await store.write(callbacks.return_expired, NOW + LEASE - MINUTE) == 0
    assert await store.write(callback_queue.renew, claim.claim_id, NOW + LEASE - MINUTE, LEASE)
    assert await store.write(callbacks.return_expired, NOW + LEASE) == 0
    assert await store.write(callbacks.return_expired, NOW + 2 * LEASE) == 1


async def test_the_forecast_of_a_store(store: Store) -> None:
    await register(store, *numbers(40))
    await release(store)
    nobody = callbacks.forecast_of(await store.read(workload), NOW, SETTING)
    assert len(nobody.misses_promise) == 40
    await on_duty(store, 1, 2)
    found = callbacks.forecast_of(await store.read(workload), NOW, SETTING)
    assert found.misses_target == frozenset()
    # 40 call-backs, 1.4 attempts each (0.6 are reached, 2 attempts at most), 180 s, two agents.
    assert found.clears_at is not None
    assert abs((found.clears_at - NOW).total_seconds() - 40 * 1.4 * 180 / 2) < 1
