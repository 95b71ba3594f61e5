"""An erased refusal is in force again when its number returns; the history stays. I/O."""

import pytest
from sqlalchemy.exc import DBAPIError

from dialer.text_engine import settle_texts
from domain.errors import InputError
from domain.states import CampaignState, TargetState
from store import consent, following, recycling, registrations
from store.engine import Store
from store.facts import OptOutAsked
from store.models import Event, OptOut, Target
from store.recycling import Look
from tests.integration.test_store_rules import run, values
from tests.keeping import DAY, KEY, OTHER_KEY, bring_in, erase, live
from tests.rows import BY_NINE, NOW, all_rows, asked, claim_some, make_campaign
from tests.text_campaigns import TextWorld, make_text_campaign
from tests.texts import NUMBER, OTHER

LATER = NOW + 5 * DAY


async def outcomes(store: Store, name: int) -> dict[str, str | None]:
    return {
        row["msisdn"]: row["outcome"]
        for row in await all_rows(store, Target)
        if row["campaign_id"] == name
    }


async def test_who_refused_is_never_contacted_again_though_nothing_has_the_number(
    store: Store,
) -> None:
    await live(store)
    await erase(store)
    calls = await make_campaign(store, name="again", due=LATER)
    texts = await make_text_campaign(store, [])
    for campaign in (calls, texts):
        assert await bring_in(store, campaign, [NUMBER, OTHER], LATER) == {NUMBER, OTHER}
    assert [call.msisdn for call in await claim_some(store, calls, now=LATER)] == [OTHER]
    world = TextWorld(store, LATER)
    await world.passes(1)
    assert world.numbers == [OTHER]
    for campaign in (calls, texts):
        assert (await outcomes(store, campaign.id))[NUMBER] == "opted_out"


async def test_erased_and_imported_time_and_again(store: Store) -> None:
    await live(store)
    for turn in range(3):
        days = 3 + 5 * turn
        await erase(store, days)
        again = await make_campaign(store, name=f"again {turn}")
        now = NOW + (days + 1) * DAY
        await bring_in(store, again, [NUMBER], now)
        await bring_in(store, again, [NUMBER], now)  # the file is sent twice
        assert await claim_some(store, again, now=now) == []
        assert await store.read(consent.opted_out, [NUMBER]) == {NUMBER}


async def test_who_never_refused_may_be_invited_again(store: Store) -> None:
    await make_campaign(store, [OTHER])
    await store.write(consent.opt_out, [OptOutAsked(NUMBER, NOW, "sms:9")], NOW)
    await erase(store, 3, NUMBER)
    await erase(store, 3, OTHER)
    again = await make_campaign(store, name="again")
    await bring_in(store, again, [OTHER], LATER)
    assert [call.msisdn for call in await claim_some(store, again, now=LATER)] == [OTHER]


@pytest.mark.parametrize("key", ["", OTHER_KEY], ids=["no key", "another key"])
async def test_without_the_key_nobody_is_brought_in(store: Store, key: str) -> None:
    """Nobody could tell who has refused: better no import than one call too many."""
    await live(store)
    campaign = await make_campaign(store, name="again")
    assert await bring_in(store, campaign, [OTHER], key=key) == {OTHER}  # nothing is erased yet
    await erase(store)
    with pytest.raises(InputError, match=r"law\.erasure_key"):
        await bring_in(store, campaign, [NUMBER], key=key)
    with pytest.raises(InputError, match=r"law\.erasure_key"):
        await refuse_and_erase(store, key)
    assert NUMBER not in await outcomes(store, campaign.id)


async def refuse_and_erase(store: Store, key: str) -> None:
    await store.write(consent.opt_out, [OptOutAsked(OTHER, NOW, "sms:9")], NOW)
    await erase(store, 3, OTHER, key)


async def test_what_has_no_refusal_needs_no_key(store: Store) -> None:
    await make_campaign(store, [NUMBER])
    assert (await erase(store, key=""))["targets"] == 1


async def test_what_was_taken_out_is_neither_recycled_nor_followed(store: Store) -> None:
    campaign = await make_campaign(store, [NUMBER, OTHER])
    texts = await make_text_campaign(store, [NUMBER, OTHER])
    world = TextWorld(store)
    await world.passes(1)
    await store.write(settle_texts)
    done = "UPDATE targets SET state = 'done', outcome = 'no_answer' WHERE outcome IS NULL"
    await run(store, done)
    await erase(store)
    choice = recycling.choice(campaign, ["no_answer"], None, None)
    assert await store.read(recycling.preview, choice, LATER) == Look({"no_answer": 1}, 1, 0, 0)
    await store.write(recycling.recycle, choice, LATER)
    [ready] = [row for row in await all_rows(store, Target) if row["state"] == TargetState.READY]
    assert ready["msisdn"] == OTHER
    calls = await make_campaign(store, name="calls", due=LATER)
    assert (await store.write(following.follow, calls.id, texts.id, 0.0, 0)).added == 1
    # And if it were: the gate knows no number in it.
    await run(store, "UPDATE targets SET state = 'ready', outcome = NULL WHERE msisdn LIKE '#%'")
    taken = await claim_some(store, campaign, now=LATER)
    assert [call.msisdn for call in taken] == [OTHER]
    assert "erased" in (await outcomes(store, campaign.id)).values()


# -- what the database lets through, and what not


@pytest.fixture
async def history(store: Store) -> Store:
    """An event with its evidence, one of no number, and a refusal."""
    await store.write(registrations.register, [asked(NUMBER, NOW)], BY_NINE)
    await make_campaign(store, state=CampaignState.DRAFT)
    await store.write(consent.opt_out, [OptOutAsked(NUMBER, NOW, "sms:9")], NOW)
    return store


CHANGES = (
    "UPDATE events SET msisdn = '#1' WHERE kind = 'callback_promised'",
    "UPDATE events SET msisdn = '+84900000009'",
    "UPDATE events SET msisdn = NULL",
    "UPDATE events SET msisdn = '#' || id",
    "UPDATE events SET kind = 'x', msisdn = '#' || id WHERE kind = 'callback_promised'",
    "UPDATE events SET at = '2020-01-01', msisdn = '#' || id WHERE kind = 'callback_promised'",
    "UPDATE events SET campaign_id = 7, msisdn = '#' || id WHERE kind = 'callback_promised'",
    "UPDATE events SET once = 'x', msisdn = '#' || id WHERE kind = 'callback_promised'",
    "UPDATE events SET data = '{}', msisdn = '#' || id WHERE kind = 'callback_promised'",
    "UPDATE events SET data = '{}' WHERE kind = 'registered'",
    "UPDATE events SET id = id + 100",
    "DELETE FROM events",
    "UPDATE opt_outs SET msisdn = '+84900000009'",
    "UPDATE opt_outs SET msisdn = '#'",
    "UPDATE opt_outs SET msisdn = '#short'",
    "UPDATE opt_outs SET msisdn = '#abcdefghij klmn'",
    "UPDATE opt_outs SET at = '2020-01-01', msisdn = '#abcdefghijklmno'",
    "UPDATE opt_outs SET applied_at = '2020-01-01', msisdn = '#abcdefghijklmno'",
    "UPDATE opt_outs SET source_id = 'x', msisdn = '#abcdefghijklmno'",
    "UPDATE opt_outs SET id = id + 1",
    "DELETE FROM opt_outs",
)


@pytest.mark.parametrize("change", CHANGES)
async def test_nothing_but_a_number_ever_leaves_the_history(history: Store, change: str) -> None:
    before = [await all_rows(history, row) for row in (Event, OptOut)]
    with pytest.raises(DBAPIError, match="append-only"):
        await run(history, change)
    assert [await all_rows(history, row) for row in (Event, OptOut)] == before


async def test_a_name_is_for_ever(history: Store) -> None:
    """What has lost its number gets none again, nor another name."""
    await store_names(history)
    for change in (
        "UPDATE events SET msisdn = '+84900000001' WHERE msisdn LIKE '#%'",
        "UPDATE opt_outs SET msisdn = '+84900000001'",
        "UPDATE opt_outs SET msisdn = '#onmlkjihgfedcba'",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            await run(history, change)
    assert await values(history, "SELECT msisdn FROM opt_outs") == ["#abcdefghijklmno"]


async def store_names(store: Store) -> None:
    await run(
        store,
        "UPDATE events SET msisdn = '#' || id WHERE kind = 'callback_promised'",
        "UPDATE opt_outs SET msisdn = '#abcdefghijklmno'",
    )


async def test_two_installations_know_nothing_of_each_others_names(store: Store) -> None:
    await live(store)
    await erase(store)
    [name] = await values(store, "SELECT DISTINCT msisdn FROM opt_outs")
    assert NUMBER not in name
    assert KEY not in str(await values(store, "SELECT name FROM erasure_keys"))
