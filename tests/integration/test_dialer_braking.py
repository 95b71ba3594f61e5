"""The brakes by the clock, on both databases: drawn, held, let go, overridden, restarted. I/O."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from dialer.brakes import LOWEST
from domain.clock import LOCAL
from domain.dispositions import Disposition
from domain.errors import InputError
from domain.states import BrakeCause, CampaignState, Duty
from store import brakes, campaigns, duty
from store.brakes import Scope
from store.engine import Store, open_store
from store.models import Event
from tests.answering_calls import on_duty, register, release
from tests.braking import BRAKES, HOLD, PAUSE, Server, calls
from tests.rows import NOW, all_rows, claim_some, make_campaign, numbers
from tests.text_campaigns import make_text_campaign

TICK = timedelta(seconds=5)
HOUR = timedelta(hours=1)
EARLIER = NOW - timedelta(minutes=5)
"""What the pace is measured on: younger calls may still be talking."""
REFUSED, FINE = Disposition.CONGESTION, Disposition.BUSY


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2021, 4, day, hour, minute, tzinfo=LOCAL).astimezone(UTC)


async def changes(store: Store) -> list[tuple[float, float]]:
    events = [row for row in await all_rows(store, Event) if row["kind"] == "brake_changed"]
    return [(row["data"]["before"], row["data"]["after"]) for row in events]


async def off_duty(store: Store, *agents: int, at: datetime) -> None:
    def work(connection: Connection) -> None:
        for agent in agents:
            duty.set_duty(connection, agent, Duty.OFF, at)

    await store.write(work)


# -- the promise: an agent makes about 357 call-backs between 10:00 and 21:00 of the next day


async def behind(store: Store, count: int, agents: int = 1) -> None:
    await make_campaign(store, numbers(5, first=900))
    await register(store, *numbers(count))
    await release(store)
    await on_duty(store, *range(1, agents + 1), at=NOW - 3 * HOUR)


async def test_too_many_call_backs_slow_every_campaign_and_more_agents_let_go(
    store: Store,
) -> None:
    await behind(store, 400)
    await make_campaign(store, name="other")
    await make_campaign(store, name="paused", state=CampaignState.PAUSED)
    server = Server(store)
    assert await server.promise() == LOWEST
    rows = await server.rows(BrakeCause.PROMISE)
    assert sorted(row["campaign"] for row in rows) == ["mekong", "other"]
    assert "with 1 agents, 4" in rows[0]["reason"]
    await on_duty(store, 2, at=server.now)
    assert await server.promise(TICK) == LOWEST  # held
    steps = [await server.promise(HOLD) for _ in range(5)]
    assert steps == [0.125, 0.25, 0.5, 1.0, 1.0]
    assert len(await changes(store)) == 2 * 5


async def test_a_backlog_slows_running_text_campaigns_too(store: Store) -> None:
    await behind(store, 400)
    await make_text_campaign(store, numbers(2, first=700))
    server = Server(store)
    assert await server.promise() == LOWEST
    rows = await server.rows(BrakeCause.PROMISE)
    assert {row["campaign"]: row["factor"] for row in rows} == {"mekong": LOWEST, "texts": LOWEST}


async def test_few_call_backs_draw_no_brake_and_write_nothing(store: Store) -> None:
    await behind(store, 300)
    server = Server(store)
    assert [await server.promise(HOLD) for _ in range(3)] == [1.0, 1.0, 1.0]
    assert await server.rows(BrakeCause.PROMISE) == []


@pytest.mark.parametrize(("cps", "factor"), [(0.05, 1.0), (0.2, 0.5), (0.5, 0.125)])
async def test_the_rate_is_what_an_hour_more_may_bring(
    store: Store, cps: float, factor: float
) -> None:
    """Every call registers: at 0.2 a second 720 in an hour."""
    campaign = await make_campaign(store, numbers(100), due=NOW - HOUR, cps=cps)
    await calls(store, campaign, 60, keys="1", at=EARLIER)
    await on_duty(store, 1, at=NOW - 3 * HOUR)
    assert await Server(store).promise() == factor


async def test_what_is_too_late_already_or_not_ready_in_time_stops_nobody(store: Store) -> None:
    await make_campaign(store)
    await register(store, *numbers(400), at=NOW - timedelta(hours=49))
    await release(store)
    await on_duty(store, 1, at=NOW - 3 * HOUR)
    assert await Server(store).promise() == 1.0


async def test_a_server_whose_agents_were_never_there_is_not_slowed(store: Store) -> None:
    await behind(store, 400, agents=0)
    assert await Server(store).promise() == 1.0


async def test_at_night_and_at_dawn_it_is_judged_by_who_was_there_before(store: Store) -> None:
    """Three agents from 7:00 to 21:00; the next day nobody comes."""
    await make_campaign(store, windows=["00:00-24:00"])
    await on_duty(store, 1, 2, 3, at=local(1, 7))
    await off_duty(store, 1, 2, 3, at=local(1, 21))
    await register(store, *numbers(400), at=local(1, 20))
    await release(store)
    server = Server(store, now=local(1, 22))
    assert await server.promise() == 1.0
    server.now = local(2, 7, 29)
    assert await server.promise() == 1.0
    server.now = local(2, 7, 31)
    assert await server.promise() == LOWEST
    server.now = local(2, 22)  # nobody was there today: the day before counts
    assert await server.promise() == LOWEST * 2


async def test_a_campaign_that_stops_and_a_brake_switched_off_are_let_go(store: Store) -> None:
    await behind(store, 400)
    assert await Server(store).promise() == LOWEST
    off = Server(store, causes=frozenset[BrakeCause]())
    assert await off.promise() == 1.0
    assert await Server(store).promise(TICK) == LOWEST
    await store.write(_move, CampaignState.PAUSED)
    assert await Server(store).promise(2 * TICK) == 1.0


def _move(connection: Connection, state: CampaignState) -> None:
    campaigns.move(connection, campaigns.by_name(connection, "mekong"), state, NOW)


# -- the queue: of sixty answered calls all press 3


async def in_the_air(store: Store, count: int, node: str = "node1") -> None:
    campaign = await make_campaign(store, numbers(200), due=NOW - HOUR)
    await calls(store, campaign, 60, keys="3", at=EARLIER)
    await claim_some(store, campaign, limit=count, node=node)
    await on_duty(store, 1, 2, 3, 4)


async def test_more_calls_than_the_agents_can_take_slow_the_trunk(store: Store) -> None:
    await in_the_air(store, 8)
    server = Server(store)
    server.queue.stands(waiting=0, free_agents=4)
    assert await server.takes() == 0.5
    [row] = await server.rows(BrakeCause.QUEUE)
    assert (row["trunk"], row["node"], row["campaign_id"]) == ("carrier", "node1", None)
    assert "8.0 more will" in row["reason"]
    assert await server.takes(TICK) == 0.5
    server.queue.stands(waiting=2, free_agents=0)
    assert await server.takes(TICK) == LOWEST
    server.queue.stands(waiting=0, free_agents=16)
    steps = [await server.takes(HOLD) for _ in range(5)]
    assert steps == [0.125, 0.25, 0.5, 1.0, 1.0]


async def test_calls_of_another_server_are_its_own_queues_affair(store: Store) -> None:
    await in_the_air(store, 8, node="node2")
    server, other = Server(store), Server(store, node="node2")
    for each in (server, other):
        each.queue.stands(waiting=0, free_agents=4)
    assert await server.takes() == 1.0
    assert await other.takes() == 0.5
    assert [row["node"] for row in await server.rows(BrakeCause.QUEUE)] == ["node2"]


@pytest.mark.parametrize("why", ["not known", "nobody on duty", "closed", "switched off"])
async def test_where_nobody_is_waited_for_nothing_is_slowed(store: Store, why: str) -> None:
    await in_the_air(store, 8)
    causes = frozenset[BrakeCause]() if why == "switched off" else BRAKES.causes
    server = Server(store, causes=causes)
    server.queue.stands(waiting=0, free_agents=0)
    if why == "not known":
        server.queue.view = None
    if why == "nobody on duty":
        await off_duty(store, 1, 2, 3, 4, at=NOW)
    if why == "closed":
        server.now = local(1, 22)
    assert await server.takes() == 1.0


# -- congestion


async def test_a_trunk_that_refuses_is_left_alone_and_probed_until_it_takes_calls(
    store: Store,
) -> None:
    campaign = await make_campaign(store, numbers(100), due=NOW - HOUR)
    server = Server(store)
    await calls(store, campaign, 5, disposition=FINE)
    await calls(store, campaign, 4, disposition=REFUSED, at=server.now)
    assert await server.congested() == 1.0  # nine calls tell nothing yet
    await calls(store, campaign, 1, disposition=REFUSED, at=server.now)
    assert await server.congested() == 0.0
    [row] = await server.rows(BrakeCause.CONGESTION)
    assert row["reason"] == "5 of the last 10 calls were refused: 5 congestion"
    assert row["until"] == server.now + PAUSE
    begun_before = server.now + PAUSE + timedelta(seconds=29)
    await calls(store, campaign, 3, disposition=FINE, at=begun_before)  # they are no probes
    assert await server.congested(2 * PAUSE) == 0.0
    probed = server.now + timedelta(seconds=31)
    await calls(store, campaign, 3, disposition=REFUSED, at=probed)
    assert await server.congested(timedelta(seconds=32)) == 0.0
    [row] = await server.rows(BrakeCause.CONGESTION)
    assert (row["trips"], row["until"]) == (2, server.now + 2 * PAUSE)
    server.now = row["until"]
    await calls(store, campaign, 3, disposition=FINE, at=server.now + timedelta(seconds=31))
    assert await server.congested(timedelta(seconds=32)) == 1.0
    assert await changes(store) == [(1, 0), (0, 0), (0, 1)]


async def test_old_refusals_those_of_others_and_those_that_tell_nothing_open_no_breaker(
    store: Store,
) -> None:
    campaign = await make_campaign(store, numbers(100), due=NOW - HOUR)
    await calls(store, campaign, 20, disposition=REFUSED, at=NOW - timedelta(minutes=11))
    await calls(store, campaign, 20, disposition=Disposition.NOT_DIALLED)
    await calls(store, campaign, 20, disposition=Disposition.UNKNOWN)
    assert await Server(store).congested() == 1.0
    await calls(store, campaign, 20, disposition=REFUSED)
    assert await Server(store, trunk="south").congested() == 1.0
    assert await Server(store, causes=frozenset[BrakeCause]()).congested() == 1.0
    assert await Server(store).congested() == 0.0


async def test_after_it_closed_only_new_ends_count(store: Store) -> None:
    campaign = await make_campaign(store, numbers(100), due=NOW - HOUR)
    await calls(store, campaign, 10, disposition=REFUSED)
    server = Server(store)
    await server.congested()
    await calls(store, campaign, 3, disposition=FINE, at=NOW + PAUSE + timedelta(seconds=31))
    assert await server.congested(2 * PAUSE + TICK) == 1.0
    assert await server.congested(TICK) == 1.0


# -- whatever the cause


async def test_a_restart_and_a_second_node_find_the_brake_as_it_stands(
    store: Store, store_url: str
) -> None:
    await behind(store, 400)
    other = open_store(store_url)
    try:
        await asyncio.gather(*(Server(one).promise() for one in (store, other) for _ in range(4)))
        assert await changes(store) == [(1.0, LOWEST)]
        await on_duty(store, 2, at=NOW)
        again = Server(other, now=NOW + HOLD)
        assert await again.promise() == 0.125
        assert await Server(store, now=NOW + HOLD).promise() == 0.125
    finally:
        await other.close()


async def test_an_override_is_kept_through_changes_and_recorded(store: Store) -> None:
    await behind(store, 400)
    campaign = await store.read(campaigns.by_name, "mekong")
    scope, until = Scope(BrakeCause.PROMISE, campaign_id=campaign.id), NOW + HOUR
    with pytest.raises(InputError, match="there is no brake promise there: see `tstn brakes show`"):
        await store.write(brakes.override, scope, "lan", until, NOW)
    server = Server(store)
    await server.promise()
    await store.write(brakes.override, scope, "lan", until, NOW)
    await on_duty(store, 2, at=NOW)
    await server.promise(HOLD)
    [row] = await server.rows(BrakeCause.PROMISE)
    assert (row["factor"], row["overridden_by"], row["override_until"]) == (0.125, "lan", until)
    [event] = [row for row in await all_rows(store, Event) if row["kind"] == "brake_overridden"]
    assert event["campaign_id"] == campaign.id
    assert event["data"]["by"] == "lan"
