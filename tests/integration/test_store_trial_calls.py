"""Calls that try a script out, in the store: taken once, told of in any order, never stuck. I/O."""

import asyncio
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from domain.dispositions import Disposition
from domain.errors import InputError
from domain.states import TrialState
from store import apply, attempts, trial_calls
from store.claims import Claimed
from store.engine import Store
from store.facts import TrialCallStood
from store.models import Attempt, Campaign, Event, Registration, TrialCall
from store.trial_calls import Asked
from tests.rows import BY_NINE, NOW, all_rows, claim_some, make_campaign, numbers

OWN = "+84901234567"
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def asked(campaign: Campaign, msisdn: str = OWN, by: str = "Lan") -> Asked:
    return Asked(campaign, msisdn, "vi-1", by)


async def ask(store: Store, campaign: Campaign, at: datetime = NOW, **who: str) -> TrialCall:
    return await store.write(trial_calls.ask, asked(campaign, **who), at)


async def take(store: Store, node: str = "node1", at: datetime = NOW) -> Claimed | None:
    return await store.write(trial_calls.take, node, "carrier", 180, at)


async def row_of(store: Store) -> dict[str, Any]:
    [row] = await all_rows(store, TrialCall)
    return row


def stood(
    call: Claimed, keys: str = "", answered: bool = True, how: Disposition | None = None
) -> TrialCallStood:
    ended_at = None if how is None else NOW + 30 * SECOND
    return TrialCallStood(
        call.attempt_id, NOW + SECOND if answered else None, keys, how, None, ended_at
    )


async def test_it_is_taken_by_one_node_once(store: Store) -> None:
    campaign = await make_campaign(store)
    await ask(store, campaign)
    taken = await asyncio.gather(*(take(store, node) for node in ("a", "b", "c")))
    [call] = [one for one in taken if one is not None]
    row = await row_of(store)
    assert (call.attempt_id, call.msisdn, call.is_trial) == (row["id"], OWN, True)
    assert row["deadline_at"] > NOW + timedelta(seconds=180)
    assert await take(store) is None


async def test_it_counts_as_a_channel_and_as_nothing_else(store: Store) -> None:
    campaign = await make_campaign(store, [OWN])
    await ask(store, campaign)
    call = await take(store)
    assert call is not None
    assert await store.read(trial_calls.open_channels) == {(0, "carrier"): 1}
    assert await store.read(attempts.open_channels) == {}
    await store.write(apply.apply, [stood(call, "1", how=Disposition.ANSWERED)], BY_NINE)
    assert await store.read(trial_calls.open_channels) == {}
    assert await all_rows(store, Attempt) == []
    assert await all_rows(store, Registration) == []
    # Its number is free for its campaign all the same, and no cap has counted the test.
    assert len(await claim_some(store, campaign)) == 1


async def test_what_is_told_in_any_order_and_twice_comes_to_the_same(store: Store) -> None:
    campaign = await make_campaign(store)
    await ask(store, campaign)
    call = await take(store)
    assert call is not None
    told = [stood(call), stood(call, "2"), stood(call, "21", how=Disposition.ANSWERED)]
    for order in permutations(told):
        for fact in (*order, order[0]):
            await store.write(apply.apply, [fact], BY_NINE)
        row = await row_of(store)
        assert (row["keys"], row["disposition"]) == ("21", "answered")
        assert row["answered_at"] == NOW + SECOND
        assert row["ended_at"] == NOW + 30 * SECOND


async def test_a_known_end_replaces_unknown_and_no_other(store: Store) -> None:
    campaign = await make_campaign(store)
    await ask(store, campaign)
    call = await take(store)
    assert call is not None
    await store.write(trial_calls.close_on, "node1", NOW + HOUR)
    assert (await row_of(store))["disposition"] == "unknown"
    for how in (Disposition.BUSY, Disposition.NO_ANSWER):
        await store.write(apply.apply, [stood(call, answered=False, how=how)], BY_NINE)
    assert (await row_of(store))["disposition"] == "busy"


async def test_who_has_waited_too_long_is_not_called(store: Store) -> None:
    campaign = await make_campaign(store)
    await ask(store, campaign)
    assert await take(store, at=NOW + trial_calls.PATIENCE + SECOND) is None
    row = await row_of(store)
    assert (row["disposition"], row["node"]) == ("not_dialled", None)


async def test_a_number_that_is_being_called_is_waited_for(store: Store) -> None:
    campaign = await make_campaign(store, [OWN])
    await claim_some(store, campaign)
    await ask(store, campaign)
    assert await take(store) is None
    assert (await row_of(store))["ended_at"] is None


async def test_a_crash_leaves_nothing_stuck(store: Store) -> None:
    campaign = await make_campaign(store)
    await ask(store, campaign)
    call = await take(store)
    assert call is not None
    assert await store.read(trial_calls.overdue, NOW + 2 * HOUR) == [call.attempt_id]
    assert await store.write(trial_calls.close_on, "elsewhere", NOW) == 0
    assert await store.write(trial_calls.close_on, "node1", NOW) == 1
    assert await store.read(trial_calls.overdue, NOW + 2 * HOUR) == []
    assert await ask(store, campaign)  # the number is free again


@pytest.mark.parametrize(
    ("first", "then", "why"),
    [
        ({}, {}, "under way"),
        ({}, {"by": "Mai"}, "under way"),
    ],
)
async def test_one_call_at_a_time_to_a_number(
    store: Store, first: dict[str, str], then: dict[str, str], why: str
) -> None:
    campaign = await make_campaign(store)
    await ask(store, campaign, **first)
    with pytest.raises(InputError, match=why):
        await ask(store, campaign, **then)
    assert len(await all_rows(store, TrialCall)) == 1


async def test_ten_an_hour_of_one_person_and_ten_a_day_to_one_number(store: Store) -> None:
    campaign = await make_campaign(store)
    for number, msisdn in enumerate(numbers(10)):
        await ask(store, campaign, NOW + number * SECOND, msisdn=msisdn)
    with pytest.raises(InputError, match="ten an hour"):
        await ask(store, campaign, NOW + 59 * timedelta(minutes=1), msisdn=OWN)
    await ask(store, campaign, msisdn=OWN, by="Mai")
    later = NOW + HOUR + 10 * SECOND
    await ask(store, campaign, later, msisdn=numbers(1, first=50)[0])
    for number in range(1, 10):
        await ask(store, campaign, later + number * HOUR, msisdn=OWN, by=f"by {number}")
    with pytest.raises(InputError, match="ten a day"):
        await ask(store, campaign, later + 10 * HOUR, msisdn=OWN, by="Hoa")
    await ask(store, campaign, NOW + 25 * HOUR, msisdn=OWN, by="Hoa")


async def test_how_it_stands_in_one_word_and_who_asked_in_the_history(store: Store) -> None:
    campaign = await make_campaign(store)
    call = await ask(store, campaign)
    states = [trial_calls.state_of(call)]
    claimed = await take(store)
    assert claimed is not None
    for fact in (None, stood(claimed), stood(claimed, how=Disposition.ANSWERED)):
        if fact is not None:
            await store.write(apply.apply, [fact], BY_NINE)
        row = await store.read(trial_calls.by_id, call.id)
        assert row is not None
        states.append(trial_calls.state_of(row))
    assert states == list(TrialState)
    [event] = [row for row in await all_rows(store, Event) if row["kind"] == "trial_call_asked"]
    assert (event["msisdn"], event["data"]["by"]) == (OWN, "Lan")
