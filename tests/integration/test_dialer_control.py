"""The dialler under priorities and brakes, over a real store and moved clocks. I/O."""

from collections import Counter
from datetime import timedelta

import pytest

from domain.dispositions import Disposition
from domain.states import BrakeCause
from store import brakes, limits
from store.brakes import Change, Scope
from store.engine import Store
from store.limits import Caps
from tests.braking import PAUSE, Server
from tests.dialling import World
from tests.rows import NOW, make_campaign, numbers

PROMISE, QUEUE, CONGESTION = BrakeCause.PROMISE, BrakeCause.QUEUE, BrakeCause.CONGESTION
OPEN = Change(0.0, "10 of the last 10 calls were refused", NOW + PAUSE, 1)


async def brake(store: Store, scope: Scope, change: Change) -> None:
    await store.write(brakes.put, scope, change, NOW)


async def shares(world: World, seconds: float) -> Counter[int]:
    world.carrier.dialled.clear()
    await world.passes(seconds)
    return Counter(attempt.campaign_id for _, attempt in world.carrier.dialled)


async def test_priority_comes_first_nobody_starves_and_a_change_holds_at_once(
    store: Store,
) -> None:
    for name, first, priority in (("high", 0, 8), ("low", 300, 2)):
        await make_campaign(store, numbers(250, first), name, priority=priority)
    await store.write(limits.put, "global", Caps(10, 1000), NOW)
    world = World(store)
    got = await shares(world, 10)
    assert got.total() == pytest.approx(100, abs=3)
    assert got[2] == pytest.approx(10, abs=2)
    await world.tune("low", priority=9)
    await world.passes(0.6)
    got = await shares(world, 10)
    assert got[1] == pytest.approx(10, abs=2)
    await world.tune("low", priority=8)
    await world.passes(0.6)
    got = await shares(world, 10)
    assert got[1] == pytest.approx(50, abs=3)


async def test_equals_share_by_their_own_rates_and_channels_are_shared_alike(store: Store) -> None:
    for name, first, cps in (("a", 0, 40.0), ("b", 300, 20.0)):
        await make_campaign(store, numbers(250, first), name, cps=cps)
    await store.write(limits.put, "global", Caps(1000, 30), NOW)
    world = World(store)
    got = await shares(world, 3)
    assert got == {1: 20, 2: 10}


async def test_what_the_first_cannot_use_goes_to_the_next(store: Store) -> None:
    await make_campaign(store, numbers(3), "short", priority=9)
    await make_campaign(store, numbers(100, 300), "long", priority=1)
    await store.write(limits.put, "global", Caps(10, 1000), NOW)
    got = await shares(World(store), 5)
    assert got[1] == 3
    assert got.total() == pytest.approx(50, abs=3)


@pytest.mark.parametrize("scope", ["campaign", "trunk"])
async def test_a_brake_slows_the_claims_and_says_so(store: Store, scope: str) -> None:
    campaign = await make_campaign(store, numbers(200), cps=20.0)
    of_campaign = Scope(PROMISE, campaign_id=campaign.id)
    of = of_campaign if scope == "campaign" else Scope(QUEUE, trunk="carrier", node="node1")
    await store.write(limits.put, "trunk:carrier", Caps(20, 1000), NOW)
    world = World(store)
    assert (await shares(world, 5)).total() == pytest.approx(100, abs=3)
    await brake(store, of, Change(0.25, "too many call-backs"))
    await world.passes(0.6)
    assert (await shares(world, 8)).total() == pytest.approx(40, abs=3)
    why = {"mekong": "slowed to 25% of its rate: too many call-backs"}
    assert world.engine.why_idle == why
    [alarm] = world.engine.alarms
    assert (alarm["cause"], alarm["factor"]) == (of.cause, 0.25)
    assert alarm["scope"] == ("mekong" if scope == "campaign" else "trunk:carrier")


async def test_a_brake_slows_what_shares_a_scarce_trunk_too(store: Store) -> None:
    """Half of a rate that the trunk never gives would slow nothing."""
    for name, first in (("a", 0), ("b", 300)):
        campaign = await make_campaign(store, numbers(200, first), name, cps=100.0)
        await brake(store, Scope(PROMISE, campaign_id=campaign.id), Change(0.5, "late"))
    await store.write(limits.put, "trunk:carrier", Caps(20, 1000), NOW)
    world = World(store, defaults=Caps(20, 1000))
    assert (await shares(world, 8)).total() == pytest.approx(80, abs=3)


async def test_a_brake_of_another_trunk_or_node_slows_nothing_here(store: Store) -> None:
    await make_campaign(store, numbers(200), cps=20.0)
    await brake(store, Scope(QUEUE, trunk="carrier", node="node2"), Change(0.0625, "queue"))
    await brake(store, Scope(CONGESTION, trunk="south"), OPEN)
    await store.write(limits.put, "trunk:carrier", Caps(20, 1000), NOW)
    world = World(store)
    assert (await shares(world, 5)).total() == pytest.approx(100, abs=3)
    assert len(world.engine.alarms) == 2


async def test_an_overridden_brake_is_not_heeded_until_its_time_is_over(store: Store) -> None:
    await make_campaign(store, numbers(400), cps=20.0)
    scope, until = Scope(CONGESTION, trunk="carrier"), NOW + timedelta(seconds=6)
    await brake(store, scope, Change(0.0, "refused", NOW + timedelta(hours=1), 1))
    world = World(store)
    assert (await shares(world, 1)).total() == 0
    assert "carrier is not dialled until" in world.engine.why_idle["mekong"]
    await store.write(brakes.override, scope, "lan", until, world.now)
    await world.passes(0.6)
    assert (await shares(world, 4)).total() == pytest.approx(80, abs=3)
    assert world.engine.alarms[0]["overridden_by"] == "lan"
    await world.passes(1)
    assert (await shares(world, 2)).total() == 0


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_an_open_breaker_stops_the_trunk_and_lets_a_few_calls_try(
    store: Store, *, is_restarted: bool
) -> None:
    """The dialler and the brake together; the dialler may be a new one in the middle."""
    await make_campaign(store, numbers(400), cps=20.0)
    world = World(store)
    server = Server(store)
    world.carrier.ends = Disposition.CONGESTION
    await world.passes(1)
    server.now = world.now
    assert await server.congested() == 0.0
    await world.passes(0.6)
    before = len(world.carrier.dialled)
    await world.passes(20)
    assert len(world.carrier.dialled) == before
    if is_restarted:
        dialled = world.carrier.dialled
        world = World(store, now=world.now)
        world.carrier.dialled, world.carrier.ends = dialled, Disposition.CONGESTION
    await world.passes(15)
    assert len(world.carrier.dialled) == before + 3  # all refused: no more until judged
    server.now = world.now
    await server.congested()
    [row] = await server.rows(CONGESTION)
    assert row["trips"] == 2
    await world.passes(62)
    assert len(world.carrier.dialled) == before + 6
    world.carrier.ends = Disposition.BUSY
    server.now = world.now
    await server.congested()  # the second probes failed, too
    await world.passes(122)
    assert len(world.carrier.dialled) == before + 9
    server.now = world.now
    assert await server.congested() == 1.0
    await world.passes(3)
    assert len(world.carrier.dialled) > before + 40
    assert world.engine.alarms == []
