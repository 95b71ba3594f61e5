"""Campaigns, limits and audiences in the store: legal moves, and a history of each change. I/O."""

import asyncio
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, update

from domain.errors import InputError
from domain.states import CampaignState, Purpose, TargetState
from store import audience, campaigns, limits
from store.engine import Store, open_store
from store.limits import Caps
from store.models import Event, Target
from tests.locks import waits_for_lock
from tests.rows import NOW, all_rows, claim_some, make_campaign, numbers, target

DRAFT, RUNNING, PAUSED = CampaignState.DRAFT, CampaignState.RUNNING, CampaignState.PAUSED
STOPPED, FINISHED = CampaignState.STOPPED, CampaignState.FINISHED

LEGAL = {
    (DRAFT, RUNNING),
    (DRAFT, STOPPED),
    (RUNNING, PAUSED),
    (RUNNING, STOPPED),
    (RUNNING, FINISHED),
    (PAUSED, RUNNING),
    (PAUSED, STOPPED),
    (FINISHED, RUNNING),  # more numbers were imported
}


async def move(store: Store, name: str, state: CampaignState) -> bool:
    def work(connection: Connection) -> bool:
        return campaigns.move(connection, campaigns.by_name(connection, name), state, NOW)

    return await store.write(work)


async def state_of(store: Store, name: str = "mekong") -> str:
    return (await store.read(campaigns.by_name, name)).state


async def kinds(store: Store) -> list[str]:
    return [row["kind"] for row in await all_rows(store, Event)]


async def test_every_move_is_either_legal_or_refused_in_one_line(store: Store) -> None:
    for before in CampaignState:
        for after in CampaignState:
            name = f"{before}-{after}"
            await make_campaign(store, name=name, state=before)
            if before is after:
                assert not await move(store, name, after)
            elif (before, after) in LEGAL:
                assert await move(store, name, after)
                assert await state_of(store, name) == after
            else:
                with pytest.raises(InputError, match=f"^campaign '{name}' is {before}, .*$"):
                    await move(store, name, after)
                assert await state_of(store, name) == before


async def test_a_campaign_without_a_purpose_can_be_stopped_but_not_started(store: Store) -> None:
    await make_campaign(store, state=DRAFT, purpose=None)
    with pytest.raises(InputError, match=r"no purpose.*tune mekong purpose="):
        await move(store, "mekong", RUNNING)
    assert await state_of(store) == DRAFT
    assert await move(store, "mekong", STOPPED)
    assert await state_of(store) == STOPPED


async def test_a_purpose_given_later_lets_it_start(store: Store) -> None:
    campaign = await make_campaign(store, state=DRAFT, purpose=None)
    await store.write(campaigns.tune, campaign, {"purpose": Purpose.ADVERTISING}, NOW)
    assert await move(store, "mekong", RUNNING)
    assert (await store.read(campaigns.by_name, "mekong")).started_at == NOW


async def test_each_change_is_in_the_history_with_before_and_after(store: Store) -> None:
    campaign = await make_campaign(store, cps=5.0)
    await store.write(campaigns.tune, campaign, {"cps": 8.0, "windows": ["09:00-11:00"]}, NOW)
    await move(store, "mekong", PAUSED)
    assert not await move(store, "mekong", PAUSED)
    assert await kinds(store) == [
        *("campaign_created", "campaign_running", "campaign_tuned", "campaign_paused")
    ]
    tuned = (await all_rows(store, Event))[2]["data"]
    assert tuned["before"] == {"cps": 5.0, "windows": ["08:00-17:00"]}
    assert tuned["after"] == {"cps": 8.0, "windows": ["09:00-11:00"]}
    row = await store.read(campaigns.by_name, "mekong")
    assert (row.cps, row.windows) == (8.0, ["09:00-11:00"])


async def test_a_name_is_taken_once_and_found_by_name_or_number(store: Store) -> None:
    first = await make_campaign(store, name="mekong")
    with pytest.raises(InputError, match="'mekong' exists already"):
        await make_campaign(store, name="mekong")
    second = await make_campaign(store, name="Đợt 1")
    assert (await store.read(campaigns.by_name, "mekong")).id == first.id
    assert (await store.read(campaigns.by_name, str(second.id))).name == "Đợt 1"
    assert [row.name for row in await store.read(campaigns.all_of)] == ["mekong", "Đợt 1"]


async def test_a_campaign_that_is_not_there_is_named(store: Store) -> None:
    await make_campaign(store, name="mekong")
    for name in ("nobody", "0", "99", "9" * 30, "²", "٣", "-1", "", "Mekong", "%"):
        with pytest.raises(InputError, match="there is no campaign"):
            await store.read(campaigns.by_name, name)


async def test_it_is_finished_when_no_number_is_left_and_not_before(store: Store) -> None:
    first = await make_campaign(store, numbers(2), "first")
    await make_campaign(store, numbers(2), "paused", PAUSED)
    assert await store.write(campaigns.finish_exhausted, NOW) == []
    await claim_some(store, first, limit=1)
    await store.write(_all_done)
    await store.write(_first_is, TargetState.READY)
    assert await store.write(campaigns.finish_exhausted, NOW) == []
    await store.write(_all_done)
    assert await store.write(campaigns.finish_exhausted, NOW) == ["first"]
    assert await store.write(campaigns.finish_exhausted, NOW) == []
    assert (await state_of(store, "first"), await state_of(store, "paused")) == (FINISHED, PAUSED)
    assert (await kinds(store)).count("campaign_finished") == 1


def _all_done(connection: Connection) -> None:
    connection.execute(update(Target).values(state=TargetState.DONE, outcome="busy"))


def _first_is(connection: Connection, state: TargetState) -> None:
    connection.execute(
        update(Target).where(Target.id == 1).values(state=state, outcome=None, attempts_made=1)
    )


async def test_two_servers_that_find_it_finished_at_once_both_go_on(
    store: Store, store_url: str
) -> None:
    for number in range(5):
        await make_campaign(store, name=f"empty {number}")
    other = open_store(store_url)
    try:
        told = await asyncio.gather(
            *((store, other)[turn % 2].write(campaigns.finish_exhausted, NOW) for turn in range(8))
        )
    finally:
        await other.close()
    assert sorted(name for names in told for name in names) == [f"empty {n}" for n in range(5)]
    assert (await kinds(store)).count("campaign_finished") == 5


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_an_operator_who_pauses_just_then_wins(store: Store, store_url: str) -> None:
    """The dialler finds the campaign finished while the operator's pause is being committed."""
    await make_campaign(store)
    operator = await asyncpg.connect(store_url)
    try:
        transaction = operator.transaction()
        await transaction.start()
        await operator.execute("UPDATE campaigns SET state = 'paused'")
        finishing = asyncio.create_task(store.write(campaigns.finish_exhausted, NOW))
        await waits_for_lock(store_url)
        await transaction.commit()
        assert await finishing == []
    finally:
        await operator.close()
    assert await state_of(store) == PAUSED
    assert "campaign_finished" not in await kinds(store)


async def test_numbers_are_counted_by_state_outcome_and_disposition(store: Store) -> None:
    campaign = await make_campaign(store, numbers(5))
    await claim_some(store, campaign, limit=2)
    counts = await store.read(campaigns.counts, campaign.id)
    assert counts == {
        "targets": {"ready": 3, "claimed": 2},
        "outcomes": {},
        "attempts": {"open": 2},
    }
    await store.write(_all_done)
    counts = await store.read(campaigns.counts, campaign.id)
    assert (counts["targets"], counts["outcomes"]) == ({"done": 5}, {"busy": 5})


async def test_an_audience_keeps_what_the_file_says_and_knows_its_numbers(store: Store) -> None:
    campaign = await make_campaign(store, numbers(3))
    other = await make_campaign(store, numbers(1), "other")
    row = (await all_rows(store, Target))[0]
    expected: dict[str, Any] = {**target(numbers(1)[0]), "campaign_id": campaign.id}
    assert {key: row[key] for key in expected} == expected
    assert (row["state"], row["attempts_made"], row["not_before"]) == ("ready", 0, NOW)
    asked = [*numbers(2), "+84999999999"]
    known = await store.read(audience.known, campaign.id, asked)
    assert (set(known.held), known.elsewhere) == (set(numbers(2)), set(numbers(1)))
    known = await store.read(audience.known, other.id, asked)
    assert (set(known.held), known.elsewhere) == (set(numbers(1)), set(numbers(2)))
    await store.write(audience.add, campaign.id, [], NOW)


@pytest.mark.parametrize("state", CampaignState)
async def test_numbers_are_also_those_of_each_other_campaign_that_has_not_ended(
    store: Store, state: CampaignState
) -> None:
    """Two drafts of the same file, both started later, would call everybody twice."""
    campaign = await make_campaign(store, state=CampaignState.DRAFT)
    await make_campaign(store, numbers(2), "other", state)
    known = await store.read(audience.known, campaign.id, numbers(3))
    has_ended = state in (CampaignState.STOPPED, CampaignState.FINISHED)
    assert known.elsewhere == (set() if has_ended else set(numbers(2)))


async def test_limits_are_set_changed_and_read_by_scope(store: Store) -> None:
    assert await store.read(limits.read) == {}
    await store.write(limits.put, "global", Caps(20, 100), NOW)
    await store.write(limits.put, limits.of_trunk("carrier"), Caps(0.5, 0), NOW)
    await store.write(limits.put, "global", Caps(30, 90), NOW)
    assert await store.read(limits.read) == {"global": Caps(30, 90), "trunk:carrier": Caps(0.5, 0)}
    told = [row["data"] for row in await all_rows(store, Event)]
    assert [(row["scope"], row["cps"]) for row in told] == [
        *(("global", 20), ("trunk:carrier", 0.5), ("global", 30))
    ]


async def test_operators_who_set_the_same_limit_at_once_both_succeed(
    store: Store, store_url: str
) -> None:
    other = open_store(store_url)
    try:
        await asyncio.gather(
            *(
                (store, other)[turn % 2].write(limits.put, "global", Caps(turn + 1, 10), NOW)
                for turn in range(10)
            )
        )
    finally:
        await other.close()
    told = (await all_rows(store, Event))[-1]["data"]
    assert len(await all_rows(store, Event)) == 10
    assert (await store.read(limits.read))["global"].cps in range(1, 11)
    assert told["scope"] == "global"
