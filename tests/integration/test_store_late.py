"""Who registers after the phase of the place has closed: flagged, whatever the way in. I/O."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

import pytest

from domain.addresses import Scheme
from domain.states import Channel
from ivr.reports import registration
from sms.answering import answer_texts
from store import exports, history, numbers, phases, registrations
from store.apply import apply
from store.engine import Store
from store.models import Campaign, Registration
from store.phases import NewPhase
from tests.integration.test_sms_answering import SETTING, said
from tests.integration.test_store_rules import run
from tests.rows import BY_NINE, NOW, all_rows, asked, claim_some, make_campaign
from tests.texts import NUMBER, OTHER, take_in

LAST_DAY = "2021-04-01"
TOO_LATE = NOW + timedelta(days=1)


@pytest.fixture
async def campaign(store: Store) -> Campaign:
    """Two numbers, whose district is invited until today."""
    made = await make_campaign(store, [NUMBER, OTHER], by_phase=True)
    await run(store, "UPDATE targets SET province_code = '86', district_code = '861'")
    phase = NewPhase(Scheme.VN_2021, "86", "861", date(2021, 3, 26), date.fromisoformat(LAST_DAY))
    await store.write(phases.put, [phase], "lan", NOW)
    return made


async def key_1(store: Store, campaign: Campaign, at: datetime) -> None:
    """The call begins in time; the key may be pressed later, or come from a spool."""
    [call] = [c for c in await claim_some(store, campaign) if c.msisdn == NUMBER]
    await store.write(apply, [registration(call, at)], BY_NINE)


async def a_text(store: Store, campaign: Campaign, at: datetime) -> None:
    await take_in(store, said("TSTN", at=at))
    await store.write(answer_texts, SETTING, at, 50)


async def the_web(store: Store, campaign: Campaign, at: datetime) -> None:
    request = asked(NUMBER, at, channel=Channel.WEB, campaign_id=campaign.id)
    await store.write(registrations.register, [request], BY_NINE)


Way = Callable[[Store, Campaign, datetime], Awaitable[None]]
WAYS = pytest.mark.parametrize("way", [key_1, a_text, the_web], ids=lambda way: way.__name__)


@WAYS
async def test_who_is_late_is_taken_and_flagged_where_people_look(
    store: Store, campaign: Campaign, way: Way
) -> None:
    await way(store, campaign, TOO_LATE)
    [row] = await all_rows(store, Registration)
    assert row["evidence"]["late_since"] == LAST_DAY
    standing = await store.read(numbers.standing, NUMBER)
    assert standing.registrations[0]["late_since"] == LAST_DAY
    told = [e for e in await store.read(history.timeline, NUMBER) if e["kind"] == "registered"]
    assert [entry["late_since"] for entry in told] == [LAST_DAY]
    exported = [each async for each in exports.registrations(store, campaign.id)]
    assert [each["late_since"] for each in exported] == [LAST_DAY]


@WAYS
async def test_who_is_in_time_is_not(store: Store, campaign: Campaign, way: Way) -> None:
    await way(store, campaign, NOW)
    [row] = await all_rows(store, Registration)
    assert "late_since" not in row["evidence"]
    assert (await store.read(numbers.standing, NUMBER)).registrations[0]["late_since"] is None
    exported = [each async for each in exports.registrations(store, campaign.id)]
    assert [each["late_since"] for each in exported] == [None]


@WAYS
async def test_another_campaign_that_is_open_makes_nobody_late(
    store: Store, campaign: Campaign, way: Way
) -> None:
    await make_campaign(store, [NUMBER], "other", by_phase=True)
    await run(
        store, "UPDATE targets SET province_code = '89', district_code = NULL WHERE campaign_id = 2"
    )
    await store.write(
        phases.put, [NewPhase(Scheme.VN_2021, "89", None, date(2021, 3, 26), None)], "lan", NOW
    )
    await way(store, campaign, TOO_LATE)
    [row] = await all_rows(store, Registration)
    assert "late_since" not in row["evidence"]
