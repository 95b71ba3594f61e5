"""The dialler: windows, knobs, caps and rates, over a real store and moved clocks. I/O."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from domain.dispositions import Disposition
from domain.gate import Refusal
from domain.states import CampaignState, ContactScope, Purpose
from store import audience, campaigns, do_not_call, limits
from store.engine import Store
from store.limits import Caps
from store.models import Attempt, Target
from tests.dialling import World
from tests.rows import NOW, all_rows, claim_some, make_campaign, numbers, target

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def local(hour: int, minute: int = 0, day: int = 1, second: int = 0) -> datetime:
    """A moment of April 2021 by the clock in Vietnam; the 1st is a Thursday."""
    return datetime(2021, 4, day, hour, minute, second, tzinfo=UTC) - 7 * HOUR


async def state_of(store: Store, name: str = "mekong") -> str:
    return (await store.read(campaigns.by_name, name)).state


async def test_a_campaign_is_dialled_to_its_end_and_then_finished(store: Store) -> None:
    await make_campaign(store, numbers(12))
    world = World(store)
    world.carrier.ends = Disposition.ANSWERED
    await world.passes(3)
    assert sorted(world.carrier.numbers) == numbers(12)
    assert world.carrier.unwritten == []
    assert await state_of(store) == CampaignState.FINISHED
    await world.passes(5, 0.5)
    assert len(world.carrier.dialled) == 12


async def test_more_numbers_and_a_start_reopen_a_finished_campaign(store: Store) -> None:
    campaign = await make_campaign(store, numbers(1))
    world = World(store)
    world.carrier.ends = Disposition.ANSWERED
    await world.passes(3)
    more = [target(msisdn) for msisdn in numbers(2, first=50)]
    await store.write(audience.add, campaign.id, more, world.now)
    await store.write(_start, NOW)
    await world.passes(3)
    assert sorted(world.carrier.numbers) == [*numbers(1), *numbers(2, first=50)]
    assert await state_of(store) == CampaignState.FINISHED


@pytest.mark.parametrize("knobs", [{"by_phase": False}, {"purpose": Purpose.CUSTOMER_CARE}])
async def test_who_waits_for_a_rule_is_dialled_once_the_campaign_does_not_heed_it(
    store: Store, knobs: dict[str, Any]
) -> None:
    by_phase = "by_phase" in knobs
    heeds = {"by_phase": True} if by_phase else {"purpose": Purpose.ADVERTISING}
    campaign = await make_campaign(store, numbers(2), **heeds)
    await store.write(_hold, Refusal.PHASE_CLOSED if by_phase else Refusal.CAPPED, NOW + DAY)
    world = World(store)
    await world.passes(2)
    assert world.carrier.numbers == []
    await store.write(campaigns.tune, campaign, knobs, NOW)
    await world.passes(3)
    assert sorted(world.carrier.numbers) == numbers(2)


def _hold(connection: Connection, reason: Refusal, until: datetime) -> None:
    connection.execute(update(Target).values(held_by=reason, not_before=until))


def _start(connection: Connection, now: datetime) -> None:
    mekong = campaigns.by_name(connection, "mekong")
    campaigns.move(connection, mekong, CampaignState.RUNNING, now)


@pytest.mark.parametrize("state", [CampaignState.DRAFT, CampaignState.PAUSED])
async def test_what_does_not_run_is_not_dialled(store: Store, state: CampaignState) -> None:
    await make_campaign(store, numbers(3), state=state)
    world = World(store)
    await world.passes(3)
    assert world.carrier.dialled == []


async def test_a_pause_stops_the_next_dial_and_a_start_goes_on(store: Store) -> None:
    await make_campaign(store, numbers(40), cps=10.0)
    world = World(store)
    await world.passes(1)
    before = len(world.carrier.dialled)
    await store.write(_pause, world.now)
    await world.passes(3)
    assert 0 < before == len(world.carrier.dialled)
    await store.write(_start, world.now)
    await world.passes(1.5)
    assert len(world.carrier.dialled) > before


def _pause(connection: Connection, now: datetime) -> None:
    mekong = campaigns.by_name(connection, "mekong")
    campaigns.move(connection, mekong, CampaignState.PAUSED, now)


WINDOWS = ["mon-fri 08:00-11:30", "mon-fri 13:30-17:00", "sat 09:00-10:00"]


async def test_calls_are_made_within_the_windows_of_the_local_day_only(store: Store) -> None:
    await make_campaign(store, numbers(200), due=local(0), windows=WINDOWS)
    moments = {
        local(7, 59, second=57): False,
        local(8, 0): True,
        local(11, 29, second=55): True,
        local(11, 30): False,
        local(13, 29, second=57): False,
        local(13, 30): True,
        local(17, 0): False,
        local(23, 0): False,
        local(8, 30, day=3): False,  # Saturday
        local(9, 30, day=3): True,
        local(9, 30, day=4): False,  # Sunday
        local(8, 0, day=5): True,
    }
    world = World(store, now=local(6), defaults=Caps(5, 1000))
    for moment, is_open in moments.items():
        before = len(world.carrier.dialled)
        await world.jump(moment)
        assert (len(world.carrier.dialled) > before) is is_open, moment
    assert all(row["started_at"] == at for row, at in await _starts(world))


async def _starts(world: World) -> list[tuple[dict[str, object], datetime]]:
    rows = {row["id"]: row for row in await all_rows(world.store, Attempt)}
    return [(rows[attempt.attempt_id], at) for at, attempt in world.carrier.dialled]


async def test_why_nothing_is_dialled_is_said(store: Store) -> None:
    await make_campaign(store, numbers(1))
    world = World(store, now=local(18))
    await world.tick()
    opening = local(8, day=2).isoformat()
    assert world.engine.why_idle == {"mekong": f"outside the calling window until {opening}"}
    world.carrier.ready = False
    await world.jump(local(9, day=2))
    assert "Asterisk" in world.engine.why_idle["mekong"]
    assert world.carrier.dialled == []
    world.carrier.ready = True
    await world.passes(1)
    assert world.engine.why_idle == {}
    assert len(world.carrier.dialled) == 1


async def test_holidays_are_free_unless_the_campaign_or_the_operator_says_else(
    store: Store,
) -> None:
    """30 April is a holiday; 21 April (Hùng Kings) is overridden, 22 April made one."""
    await make_campaign(store, numbers(2), "usual", due=local(0))
    overrides = {date(2021, 4, 21): False, date(2021, 4, 22): True}
    world = World(store, now=local(10, day=30), holidays=overrides)
    await world.passes(1)
    assert world.carrier.dialled == []
    await make_campaign(store, numbers(2, first=10), "always", call_on_holidays=True)
    await world.passes(1)
    assert sorted(world.carrier.numbers) == numbers(2, first=10)

    world = World(store, now=local(10, day=22), holidays=overrides)
    await world.passes(1)
    assert world.carrier.dialled == []
    world = World(store, now=local(10, day=21), holidays=overrides)
    await world.passes(1)
    assert sorted(world.carrier.numbers) == numbers(2)


async def test_a_script_whose_prompts_are_not_here_is_not_played(store: Store) -> None:
    await make_campaign(store, numbers(1), "old", script_version="vi-0")
    await make_campaign(store, numbers(1, first=5), "new")
    world = World(store)
    await world.passes(1)
    assert world.carrier.numbers == numbers(1, first=5)
    assert "vi-0" in world.engine.why_idle["old"]


@pytest.mark.parametrize(("scope", "cap"), [("global", 4), ("trunk:carrier", 3), ("campaign", 5)])
async def test_no_more_calls_at_once_than_the_cap_and_an_end_makes_room(
    store: Store, scope: str, cap: int
) -> None:
    if scope == "campaign":
        await make_campaign(store, numbers(20), max_channels=cap)
    else:
        await make_campaign(store, numbers(20))
        await store.write(limits.put, scope, Caps(1000, cap), NOW)
    world = World(store)
    await world.passes(2)
    assert len(world.carrier.open) == cap
    for attempt in world.carrier.open[:2]:
        await world.carrier.end(attempt, Disposition.ANSWERED)
    await world.passes(1)
    assert len(world.carrier.dialled) == cap + 2
    assert await world.most_open_at_once() == cap


async def test_calls_of_other_servers_and_trunks_count_where_they_belong(store: Store) -> None:
    """Rows, not memory: what another process has open takes its room here."""
    campaign = await make_campaign(store, numbers(20), max_channels=9)
    await claim_some(store, campaign, limit=2, node="node2", trunk="carrier")
    await claim_some(store, campaign, limit=3, node="node2", trunk="south")
    await store.write(limits.put, "trunk:carrier", Caps(1000, 3), NOW)
    world = World(store)
    await world.passes(1)
    assert len(world.carrier.dialled) == 1
    await store.write(limits.put, "trunk:carrier", Caps(1000, 50), NOW)
    await world.passes(1)
    assert len(world.carrier.dialled) == 9 - 5
    await world.tune("mekong", max_channels=50)
    await store.write(limits.put, "global", Caps(1000, 12), NOW)
    await world.passes(1)
    assert len(world.carrier.dialled) == 12 - 5


async def test_the_rate_is_kept_over_time(store: Store) -> None:
    await make_campaign(store, numbers(150), cps=10.0)
    world = World(store)
    world.carrier.ends = Disposition.ANSWERED
    await world.passes(10, 0.05)
    assert len(world.carrier.dialled) == pytest.approx(100, abs=2)
    times = [(at - NOW).total_seconds() for at, _ in world.carrier.dialled]
    for began in range(9):
        assert sum(began <= at < began + 1 for at in times) <= 12


async def test_what_is_tuned_holds_within_half_a_second(store: Store) -> None:
    """Of the monotonic clock: a change of the wall clock must not delay it."""
    await make_campaign(store, numbers(150), due=local(0), max_channels=2)
    world = World(store)
    await world.passes(2)
    assert len(world.carrier.dialled) == 2
    await world.tune("mekong", max_channels=7)
    await world.passes(0.6)
    assert len(world.carrier.dialled) == 7
    await world.tune("mekong", max_channels=500, windows=["18:00-19:00"])
    await world.passes(0.6)
    before = len(world.carrier.dialled)
    await world.passes(1)
    assert len(world.carrier.dialled) == before
    world.now -= 3 * HOUR  # somebody sets the wall clock back
    await world.tune("mekong", windows=["06:00-19:00"], cps=10.0)
    await world.passes(0.6)
    before = len(world.carrier.dialled)
    await world.passes(4)
    assert len(world.carrier.dialled) - before == pytest.approx(40, abs=2)


async def test_limits_of_the_settings_hold_until_the_store_has_some(store: Store) -> None:
    await make_campaign(store, numbers(20))
    world = World(store, defaults=Caps(1000, 3))
    await world.passes(1)
    assert len(world.carrier.dialled) == 3
    await store.write(limits.put, "global", Caps(1000, 6), NOW)
    await store.write(limits.put, "trunk:carrier", Caps(1000, 6), NOW)
    await world.passes(1)
    assert len(world.carrier.dialled) == 6


async def test_campaigns_share_a_scarce_server(store: Store) -> None:
    """Whatever the rate: a list of weeks must not keep the next campaign waiting for its end."""
    for name, first in (("a", 0), ("b", 100), ("c", 200)):
        await make_campaign(store, numbers(60, first), name)
    world = World(store)
    for cps, seconds in ((10, 6), (1, 20)):
        await store.write(limits.put, "global", Caps(cps, 1000), NOW)
        world.carrier.dialled.clear()
        await world.passes(seconds, 0.1)
        shares = Counter(attempt.campaign_id for _, attempt in world.carrier.dialled)
        assert shares.total() == pytest.approx(cps * seconds, abs=3)
        assert min(shares.values()) >= shares.total() / 5
        assert len(shares) == 3


async def test_a_row_that_makes_no_sense_stops_its_own_campaign_only(store: Store) -> None:
    await make_campaign(store, numbers(1), "broken", windows=["noon-ish"])
    await make_campaign(store, numbers(1, first=5), "sound")
    world = World(store)
    await world.passes(1)
    assert world.carrier.numbers == numbers(1, first=5)
    assert "noon-ish" in world.engine.why_idle["broken"]


async def test_advertising_is_dialled_on_a_fresh_do_not_call_list_only(store: Store) -> None:
    await make_campaign(store, numbers(3), purpose=Purpose.ADVERTISING)
    world = World(store)
    await world.passes(1)
    assert world.carrier.dialled == []
    assert world.engine.why_idle["mekong"].startswith("no do-not-call list is loaded")
    scope, loaded = ContactScope.ALL, NOW - 30 * 24 * HOUR
    new = await store.write(do_not_call.begin, scope, "list.csv", "lan", loaded)
    await store.write(do_not_call.add, new, scope, numbers(1))
    await store.write(do_not_call.complete, new, scope, 1, loaded)
    await world.passes(1)
    assert "is of 02/03/2021, older than 30 days" in world.engine.why_idle["mekong"]
    newer = await store.write(do_not_call.begin, scope, "list.csv", "lan", world.now)
    await store.write(do_not_call.add, newer, scope, numbers(1))
    await store.write(do_not_call.complete, newer, scope, 1, world.now)
    await world.passes(2)
    assert sorted(world.carrier.numbers) == numbers(3)[1:]
    assert all(attempt.may_refuse for _, attempt in world.carrier.dialled)


async def test_advertising_is_not_dialled_after_five_whatever_its_windows(store: Store) -> None:
    knobs = {"purpose": Purpose.ADVERTISING, "windows": ["08:00-21:00"]}
    await make_campaign(store, numbers(1), **knobs)
    new = await store.write(do_not_call.begin, ContactScope.ALL, "list.csv", "lan", NOW)
    await store.write(do_not_call.add, new, ContactScope.ALL, numbers(1, first=9))
    await store.write(do_not_call.complete, new, ContactScope.ALL, 1, NOW)
    world = World(store, now=local(17))
    await world.passes(2)
    assert world.carrier.dialled == []
    await world.jump(local(8, day=2))
    assert world.carrier.numbers == numbers(1)
