"""The server itself gives followers their numbers: piece by piece, again and again. I/O."""

from datetime import timedelta
from typing import Any

import pytest

from dialer.following import Following
from domain.states import CampaignState
from store import campaigns, following, restored
from store.engine import Store
from store.models import Campaign, Target
from tests.rows import NOW, all_rows, make_campaign, numbers
from tests.text_campaigns import TextWorld, make_text_campaign

MINUTE = timedelta(minutes=1)


async def follower(store: Store, state: CampaignState, name: str = "calls") -> Campaign:
    knobs: dict[str, Any] = {"follows": "texts", "follow_after_hours": 24.0}
    return await make_campaign(store, name=name, state=state, **knobs)


async def numbers_in(store: Store, campaign: Campaign) -> list[str]:
    rows = await all_rows(store, Target)
    return sorted(row["msisdn"] for row in rows if row["campaign_id"] == campaign.id)


async def state_of(store: Store, name: str = "calls") -> str:
    return (await store.read(campaigns.by_name, name)).state


async def test_who_is_texted_comes_by_itself(store: Store) -> None:
    await make_text_campaign(store, numbers(6), cps=2.0)
    calls = await follower(store, CampaignState.DRAFT)
    world = TextWorld(store)
    ticks = Following(store, lambda: world.now)
    assert [name for name, _, _ in ticks.ticks()] == ["follow"]
    await world.passes(1)
    texted = len(world.numbers)
    assert 0 < texted < 6
    await ticks.follow()
    assert await numbers_in(store, calls) == sorted(world.numbers)
    await world.passes(5)
    await ticks.follow()  # it rests
    assert len(await numbers_in(store, calls)) == texted
    world.now += MINUTE
    await ticks.follow()
    await ticks.follow()
    assert await numbers_in(store, calls) == numbers(6)


async def test_a_large_audience_goes_a_piece_a_tick(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_SILENT", following._SILENT.limit(2))
    monkeypatch.setattr(following, "AT_ONCE", 2)
    await make_text_campaign(store, numbers(5), cps=50.0)
    calls = await follower(store, CampaignState.DRAFT)
    world = TextWorld(store)
    await world.passes(2)
    ticks = Following(store, lambda: world.now)
    found = []
    for _ in range(4):
        await ticks.follow()
        found.append(len(await numbers_in(store, calls)))
    assert found == [2, 4, 5, 5]


async def test_a_running_follower_is_not_finished_while_texts_may_come(store: Store) -> None:
    await make_text_campaign(store, numbers(2), cps=50.0)
    await follower(store, CampaignState.RUNNING)
    assert await store.write(campaigns.finish_exhausted, NOW) == []
    world = TextWorld(store)
    await world.passes(2)
    assert await store.write(campaigns.finish_exhausted, world.now) == ["texts"]
    assert await store.write(campaigns.finish_exhausted, world.now) == ["calls"]
    # Its texts had all gone out, but it was not told yet.
    await Following(store, lambda: world.now).follow()
    assert await state_of(store) == CampaignState.RUNNING


async def test_after_a_restore_a_follower_waits_until_contacts_were_told(store: Store) -> None:
    await make_text_campaign(store, numbers(2), cps=50.0)
    await follower(store, CampaignState.FINISHED)
    world = TextWorld(store)
    await world.passes(2)
    await store.write(restored.calm, NOW, world.now)
    await Following(store, lambda: world.now).follow()
    assert await state_of(store) == CampaignState.FINISHED


async def test_a_stopped_follower_gets_none(store: Store) -> None:
    await make_text_campaign(store, numbers(2), cps=50.0)
    calls = await follower(store, CampaignState.STOPPED)
    world = TextWorld(store)
    await world.passes(2)
    await Following(store, lambda: world.now).follow()
    assert await numbers_in(store, calls) == []
