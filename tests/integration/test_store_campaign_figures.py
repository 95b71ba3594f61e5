"""What is counted of a campaign, on both databases, in one piece or in two. I/O."""

from datetime import timedelta

from sqlalchemy import Connection, text

from console.campaign_tally import count
from domain.dispositions import Disposition
from store import apply, attempts, campaign_figures, settlement
from store.campaign_figures import Audience, Minute
from store.engine import Store
from store.models import Campaign
from store.settlement import Verdict
from tests.rows import (
    BY_NINE,
    NOW,
    answered,
    asked,
    claim_some,
    ended,
    make_campaign,
    numbers,
    pressed,
)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


async def dialled(store: Store, campaign: Campaign) -> None:
    """Four calls, three hours ago and now: answered with key 1, busy; answered, in the air."""
    first, second = await claim_some(store, campaign, 2, NOW - 3 * HOUR)
    then = NOW - 3 * HOUR + MINUTE
    await store.write(
        apply.apply,
        [
            answered(first, then),
            pressed(first, "1", then),
            pressed(first, "1", then + MINUTE),
            asked(first.msisdn, then, first.attempt_id, campaign_id=campaign.id),
            ended(first, Disposition.ANSWERED, then, cause=16),
            ended(second, Disposition.BUSY, then, cause=17),
        ],
        BY_NINE,
    )
    verdicts = [
        Verdict(first.attempt_id, first.target_id, Disposition.ANSWERED, 1, None),
        Verdict(second.attempt_id, second.target_id, Disposition.BUSY, 1, NOW + HOUR),
    ]
    await store.write(settlement.settle, verdicts, NOW)
    third, _ = await claim_some(store, campaign, 2, NOW - 2 * MINUTE)
    at = NOW - MINUTE
    facts = [answered(third, at), pressed(third, "3", at)]
    await store.write(apply.apply, [*facts, ended(third, Disposition.ANSWERED, at)], BY_NINE)


async def a_campaign(store: Store) -> Campaign:
    await make_campaign(store, numbers(3, first=90), name="other")
    made = await make_campaign(store, numbers(6), due=NOW - 4 * HOUR)
    await dialled(store, made)
    return made


async def test_an_audience_is_counted_by_what_it_waits_for(store: Store) -> None:
    campaign = await a_campaign(store)
    assert await store.read(campaign_figures.audience, campaign.id) == Audience(
        total=6, called=4, done=1, claimed=2, new=2, again=1
    )
    assert await store.read(campaign_figures.retries, campaign.id) == [(NOW + HOUR, 1)]
    assert await store.read(campaign_figures.audience, 99) == Audience()


async def test_attempts_are_counted_by_minute(store: Store) -> None:
    campaign = await a_campaign(store)
    assert await store.read(campaign_figures.minutes, campaign.id, NOW - HOUR) == [
        Minute(NOW - 2 * MINUTE, {"answered": 1, "open": 1}, 0),
        Minute(NOW - MINUTE, {}, 1),
    ]
    dials = await store.read(campaign_figures.dials_since, campaign.id, NOW - HOUR)
    assert dials == 2


async def test_two_pieces_are_the_whole(store: Store) -> None:
    campaign = await a_campaign(store)
    tally = await store.read(count, campaign.id, None, NOW)
    assert tally.base.attempts == {"answered": 1, "busy": 1}
    assert tally.attempts == {"answered": 2, "busy": 1, "open": 1}
    assert tally.keys == {"1": 1, "3": 1}
    assert (tally.registered, tally.confirmed, tally.asr) == (1, 0, 2 / 3)
    assert tally.codes == [(None, None, 1)]
    later = NOW + timedelta(minutes=20)
    again = await store.read(count, campaign.id, tally, later)
    assert (again.base is tally.base, again.attempts) == (True, tally.attempts)
    last = await store.read(count, campaign.id, tally, NOW + 2 * HOUR)
    assert (last.base is tally.base, last.attempts, last.keys) == (
        False,
        tally.attempts,
        tally.keys,
    )


async def test_channels_in_use_are_counted_from_what_is_open(store: Store) -> None:
    campaign = await a_campaign(store)
    assert await store.read(attempts.open_channels) == {(campaign.id, "carrier"): 1}

    def plan(connection: Connection) -> str:
        if connection.dialect.name == "postgresql":
            return "uq_attempts_open_msisdn"  # chosen by statistics there, not by the words
        return str(connection.execute(text(f"EXPLAIN QUERY PLAN {attempts._IN_USE}")).all())

    assert "uq_attempts_open_msisdn" in await store.read(plan)
