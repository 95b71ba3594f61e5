"""The write-ahead claim: who is dialled next, and nobody twice, whoever else claims. I/O."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import Connection, update

from domain.dispositions import Disposition
from domain.errors import StoreUnavailable
from domain.states import AttemptState, CampaignState, TargetState
from store import attempts, registrations
from store.claims import Claimed, claim
from store.engine import Store, open_store
from store.models import Attempt, Target
from tests.locks import waits_for_lock
from tests.rows import (
    BY_NINE,
    NOW,
    all_rows,
    asked,
    claim_some,
    ended,
    make_campaign,
    numbers,
    order_for,
)

MINUTE = timedelta(minutes=1)


def dialled(claimed: list[Claimed]) -> list[str]:
    return [attempt.msisdn for attempt in claimed]


async def targets(store: Store) -> dict[str, tuple[str, str | None]]:
    """State and outcome of each number."""
    rows = await all_rows(store, Target)
    return {row["msisdn"]: (row["state"], row["outcome"]) for row in rows}


async def set_due(store: Store, due: dict[str, datetime]) -> None:
    def work(connection: Connection) -> None:
        for msisdn, at in due.items():
            connection.execute(update(Target).where(Target.msisdn == msisdn).values(not_before=at))

    await store.write(work)


async def test_who_waits_longest_is_first_and_the_limit_holds(store: Store) -> None:
    one, two, three, four, five = numbers(5)
    campaign = await make_campaign(store, [one, two, three, four, five])
    await set_due(
        store,
        {four: NOW - 3 * MINUTE, two: NOW - 2 * MINUTE, one: NOW - MINUTE, five: NOW + MINUTE},
    )
    assert dialled(await claim_some(store, campaign, limit=1)) == [four]
    assert dialled(await claim_some(store, campaign, limit=1)) == [two]
    assert set(dialled(await claim_some(store, campaign, limit=50))) == {one, three}
    assert await claim_some(store, campaign) == []
    almost = NOW + MINUTE - timedelta(microseconds=1)
    assert await claim_some(store, campaign, now=almost) == []
    assert dialled(await claim_some(store, campaign, now=NOW + MINUTE)) == [five]


async def test_numbers_of_one_moment_are_dialled_in_the_order_of_the_list(store: Store) -> None:
    listed = numbers(6)[::-1]
    campaign = await make_campaign(store, listed)
    assert set(dialled(await claim_some(store, campaign, limit=4))) == set(listed[:4])
    assert set(dialled(await claim_some(store, campaign, limit=4))) == set(listed[4:])


async def test_what_a_claim_writes_stands_before_any_dial(store: Store) -> None:
    campaign = await make_campaign(store, numbers(1))
    [claimed] = await claim_some(
        store, campaign, node="n7", trunk="south", ring_timeout_seconds=25, max_call_seconds=200
    )
    [row] = await all_rows(store, Attempt)
    assert claimed == Claimed(
        attempt_id=row["id"],
        target_id=row["target_id"],
        campaign_id=campaign.id,
        msisdn=numbers(1)[0],
        trunk="south",
        script_version="vi-1",
        ring_timeout_seconds=25,
        started_at=NOW,
    )
    assert (row["node"], row["trunk"], row["state"]) == ("n7", "south", AttemptState.DIALLING)
    assert row["started_at"] == NOW
    assert row["deadline_at"] > NOW + timedelta(seconds=225)
    assert (row["ended_at"], row["disposition"], row["settled_at"]) == (None, None, None)
    [target] = await all_rows(store, Target)
    assert (target["state"], target["attempts_made"]) == (TargetState.CLAIMED, 1)


@pytest.mark.parametrize(
    "state",
    [CampaignState.DRAFT, CampaignState.PAUSED, CampaignState.STOPPED, CampaignState.FINISHED],
)
async def test_a_campaign_that_does_not_run_gives_nothing(
    store: Store, state: CampaignState
) -> None:
    campaign = await make_campaign(store, numbers(2), state=state)
    assert await claim_some(store, campaign) == []
    assert {word for word, _ in (await targets(store)).values()} == {TargetState.READY}


async def test_who_has_registered_meanwhile_is_done_and_not_called(store: Store) -> None:
    one, two, three = numbers(3)
    campaign = await make_campaign(store, [one, two, three])
    await store.write(registrations.register, [asked(two, NOW)], BY_NINE)
    assert set(dialled(await claim_some(store, campaign))) == {one, three}
    assert (await targets(store))[two] == (TargetState.DONE, "already_registered")
    rows = await all_rows(store, Target)
    assert [row["attempts_made"] for row in rows] == [1, 0, 1]


async def test_a_number_that_another_campaign_calls_waits_for_its_end(store: Store) -> None:
    shared, free = numbers(2)
    first = await make_campaign(store, [shared], "first")
    second = await make_campaign(store, [shared, free], "second")
    [call] = await claim_some(store, first)
    assert dialled(await claim_some(store, second)) == [free]
    assert await claim_some(store, second, now=NOW + 30 * timedelta(seconds=1)) == []
    end = ended(call, Disposition.BUSY, NOW + timedelta(seconds=20))
    await store.write(attempts.record_ended, [end])
    later = NOW + 2 * MINUTE
    [again] = await claim_some(store, second, now=later)
    assert (again.msisdn, again.campaign_id) == (shared, second.id)
    rows = await all_rows(store, Target)
    assert [row["attempts_made"] for row in rows if row["campaign_id"] == second.id] == [1, 1]


async def test_a_claim_that_fails_half_way_leaves_nothing(store: Store) -> None:
    campaign = await make_campaign(store, numbers(5))

    def claim_and_fail(connection: Connection) -> None:
        assert len(claim(connection, order_for(campaign))) == 5
        raise IndexError

    with pytest.raises(IndexError):
        await store.write(claim_and_fail)
    assert await all_rows(store, Attempt) == []
    assert {word for word, _ in (await targets(store)).values()} == {TargetState.READY}
    assert len(await claim_some(store, campaign)) == 5


async def test_twenty_claimers_and_two_servers_take_each_number_once(
    store: Store, store_url: str
) -> None:
    campaign = await make_campaign(store, numbers(100))
    other = open_store(store_url)
    try:
        claims = await asyncio.gather(
            *(claim_some((store, other)[turn % 2], campaign, limit=7) for turn in range(20))
        )
    finally:
        await other.close()
    taken = [attempt.msisdn for claimed in claims for attempt in claimed]
    assert sorted(taken) == numbers(100)
    assert all(len(claimed) <= 7 for claimed in claims)
    assert sorted(row["msisdn"] for row in await all_rows(store, Attempt)) == numbers(100)


async def test_two_campaigns_that_race_for_the_same_numbers_never_both_call(
    store: Store, store_url: str
) -> None:
    """The one that loses a number gives it back, unspent, for later."""
    first = await make_campaign(store, numbers(40), "first")
    second = await make_campaign(store, numbers(40), "second")
    other = open_store(store_url)
    try:
        claims = await asyncio.gather(
            *(
                claim_some(server, campaign, limit=4)
                for _ in range(10)
                for server, campaign in ((store, first), (other, second))
            )
        )
    finally:
        await other.close()
    taken = [attempt.msisdn for claimed in claims for attempt in claimed]
    assert len(taken) == len(set(taken))
    assert len(await all_rows(store, Attempt)) == len(taken)
    for row in await all_rows(store, Target):
        assert row["attempts_made"] == (row["state"] == TargetState.CLAIMED)
    later = NOW + 2 * MINUTE
    assert await claim_some(store, first, now=later) == []
    assert await claim_some(store, second, now=later) == []


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_deadlock_between_servers_costs_a_round_and_no_more(
    store: Store, store_url: str
) -> None:
    """PostgreSQL ends one of the two transactions; a dialler must be able to try again."""
    one, two = numbers(2)
    first = await make_campaign(store, [one, two], "first")
    await make_campaign(store, [two, one], "second")
    other = await asyncpg.connect(store_url)
    try:
        transaction = other.transaction()
        await transaction.start()
        await other.execute(_OTHER_SERVER_CLAIMS, two)
        ours = asyncio.create_task(claim_some(store, first))
        await waits_for_lock(store_url)
        theirs = asyncio.create_task(other.execute(_OTHER_SERVER_CLAIMS, one))
        # PostgreSQL chooses which of the two it ends; ours must then say that it may try again.
        ends = await asyncio.gather(ours, theirs, return_exceptions=True)
        assert [isinstance(end, Exception) for end in ends].count(True) == 1
        assert isinstance(ends[0], StoreUnavailable) or isinstance(
            ends[1], asyncpg.DeadlockDetectedError
        )
        await transaction.rollback()
    finally:
        await other.close()
    if isinstance(ends[0], StoreUnavailable):
        ends[0] = await claim_some(store, first)
    assert set(dialled(ends[0])) == {one, two}


_OTHER_SERVER_CLAIMS = """
    INSERT INTO attempts (id, campaign_id, target_id, msisdn, node, trunk, script_version,
        ring_timeout_seconds, started_at, deadline_at, state, adoptions)
    SELECT gen_random_uuid(), targets.campaign_id, targets.id, msisdn, 'n2', 'carrier', 'vi-1',
        30, now(), now(), 'dialling', 0
    FROM targets JOIN campaigns ON campaigns.id = targets.campaign_id
    WHERE msisdn = $1 AND campaigns.name = 'second'
"""
