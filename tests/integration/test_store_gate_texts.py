"""The gate before every text: invitations are judged at their claim, at each try. I/O."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from domain.addresses import Scheme
from domain.gate import Refusal
from domain.states import ContactScope, PostKind, Purpose
from store import do_not_call, gate, outbox, outcomes, phases, registrations
from store.engine import Store
from store.models import Campaign, MessageOut, Target
from store.outcomes import Refused, Sent
from store.phases import NewPhase
from tests.integration.test_store_rules import run
from tests.locks import waits_for_lock
from tests.rows import BY_NINE, NOW, all_rows, asked, make_campaign
from tests.text_campaigns import TextWorld, make_text_campaign
from tests.texts import NUMBER, OTHER, SECOND, claim, new_post

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def invite(store: Store, *keys: str, msisdn: str = NUMBER, **other: Any) -> list[int]:
    posts = [new_post(msisdn, PostKind.INVITATION, once=key, **other) for key in keys]
    return await store.write(outbox.post, posts, NOW)


async def campaign(store: Store, purpose: Purpose = Purpose.ADVERTISING) -> int:
    return (await make_campaign(store, name=purpose, purpose=purpose)).id


async def send(store: Store, now: datetime = NOW) -> list[int]:
    """Claim what may go out, and have it accepted; give the texts."""
    outs = await claim(store, now=now)
    await store.write(outcomes.record, [Sent(out.id, f"m{out.id}", now) for out in outs])
    return [out.message for out in outs]


async def is_listed(store: Store, scope: ContactScope) -> None:
    list_id = await store.write(do_not_call.begin, scope, "list.csv", "lan", NOW)
    await store.write(do_not_call.add, list_id, scope, [NUMBER])
    await store.write(do_not_call.complete, list_id, scope, 1, NOW)


@pytest.mark.parametrize("repeat", [False, True], ids=["first try", "repeat"])
@pytest.mark.parametrize(
    "reason", [Refusal.DO_NOT_CALL, Refusal.ALREADY_REGISTERED], ids=lambda reason: reason
)
async def test_what_ends_an_invitation(store: Store, reason: Refusal, repeat: bool) -> None:
    of = await campaign(store, Purpose.CUSTOMER_CARE)
    [text] = await invite(store, "1", campaign_id=of, parts=2)
    [wanted] = await invite(store, "2", campaign_id=of, msisdn=OTHER)
    if repeat:  # the SMSC was busy
        outs = await claim(store)
        busy = [Refused(out.id, 1, 0x58, NOW, NOW) for out in outs]
        await store.write(outcomes.record, busy)
    if reason is Refusal.DO_NOT_CALL:
        await is_listed(store, ContactScope.ALL)
    else:
        await store.write(registrations.register, [asked(NUMBER, NOW)], BY_NINE)
    assert await send(store) == [wanted]
    rows = [row for row in await all_rows(store, MessageOut) if row["msisdn"] == NUMBER]
    assert [(row["state"], row["error"]) for row in rows] == [("failed", reason)] * 2
    assert rows[0]["id"] == text
    assert await send(store, NOW + DAY) == []


async def test_a_list_for_calls_stops_no_text_and_no_list_stops_what_was_asked_for(
    store: Store,
) -> None:
    await is_listed(store, ContactScope.VOICE)
    assert await send(store) == []
    [invited] = await invite(store, "1")
    assert await send(store) == [invited]
    await is_listed(store, ContactScope.SMS)
    await store.write(outbox.post, [new_post()], NOW)
    assert len(await send(store)) == 1


async def test_three_advertising_texts_in_24_hours_whatever_campaign_posts_them(
    store: Store,
) -> None:
    first = await campaign(store)
    care = await campaign(store, Purpose.CUSTOMER_CARE)
    one, two = await invite(store, "1", "2", campaign_id=first, parts=2)
    assert await send(store) == [one, one, two, two]
    [cared] = await invite(store, "3", campaign_id=care)
    assert await send(store, NOW + HOUR) == [cared]
    [four] = await invite(store, "4", campaign_id=first, parts=2)
    [other] = await invite(store, "5", campaign_id=first, msisdn=OTHER)
    assert await send(store, NOW + HOUR) == [other]
    rows = [row for row in await all_rows(store, MessageOut) if four in (row["id"], row["head_id"])]
    assert [(row["state"], row["not_before"], row["tries"]) for row in rows] == [
        ("queued", NOW + DAY, 0)
    ] * 2
    assert await send(store, NOW + DAY - SECOND) == []
    assert await send(store, NOW + DAY) == [four, four]
    # Customer care is not capped, though it counts.
    [more] = await invite(store, "6", campaign_id=care)
    assert await send(store, NOW + DAY) == [more]


async def test_of_many_in_one_claim_only_the_first_three_go(store: Store) -> None:
    texts = await invite(store, *"12345", campaign_id=await campaign(store), parts=2)
    assert await send(store) == [text for text in texts[:3] for _ in (1, 2)]
    assert await send(store, NOW + HOUR) == []
    assert await send(store, NOW + DAY) == [text for text in texts[3:] for _ in (1, 2)]


async def test_what_the_smsc_refused_does_not_count(store: Store) -> None:
    texts = await invite(store, *"123", campaign_id=await campaign(store))
    outs = await claim(store)
    refused = [Refused(out.id, 1, 0x0B, None, NOW) for out in outs[:2]]
    await store.write(outcomes.record, [*refused, Sent(texts[2], "x", NOW)])
    more = await invite(store, *"456", campaign_id=await campaign_again(store))
    assert await send(store) == more[:2]


async def campaign_again(store: Store) -> int:
    return (await make_campaign(store, name="again", purpose=Purpose.ADVERTISING)).id


async def test_a_text_that_is_partly_out_is_sent_to_its_end(store: Store) -> None:
    of = await campaign(store)
    [long] = await invite(store, "1", campaign_id=of, parts=2)
    head, tail = await claim(store)
    told = [Sent(head.id, "x", NOW), Refused(tail.id, 1, 0x58, NOW + HOUR, NOW)]
    await store.write(outcomes.record, told)
    assert len(await invite(store, *"234", campaign_id=of)) == 3
    assert len(await send(store)) == 2
    assert await send(store, NOW + HOUR) == [long]


async def test_advertising_waits_for_the_morning(store: Store) -> None:
    late = datetime(2021, 4, 1, 15, 0, tzinfo=NOW.tzinfo)  # 22:00 in Viet Nam
    [text] = await invite(store, "1", campaign_id=await campaign(store))
    [care] = await invite(store, "2", campaign_id=await campaign(store, Purpose.CUSTOMER_CARE))
    assert await send(store, late) == [care]
    assert await send(store, late + 9 * HOUR - SECOND) == []
    assert await send(store, late + 9 * HOUR) == [text]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_two_accounts_that_send_at_once_pass_no_cap_together(
    store: Store, store_url: str
) -> None:
    """The one that comes second waits until it can see what the first has sent."""
    of = await campaign(store)
    await invite(store, *"123", campaign_id=of, account="acc2")
    await invite(store, *"456", campaign_id=of)
    other = await asyncpg.connect(store_url)
    try:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SELECT pg_advisory_xact_lock(2169234)")
        await other.execute(_OTHER_ACCOUNT_SENDS, NOW)
        ours = asyncio.create_task(claim(store))
        await waits_for_lock(store_url)
        await transaction.commit()
        assert await ours == []
    finally:
        await other.close()


_OTHER_ACCOUNT_SENDS = """
    UPDATE messages_out SET state = 'sending', bind = 'b2', tries = 1, sending_at = $1
    WHERE account = 'acc2'
"""


# -- phases, as for calls


OPENS = datetime(2021, 4, 5, 17, tzinfo=NOW.tzinfo)
"""Midnight in Viet Nam, at the beginning of 06/04."""


async def placed(store: Store, opens_on: date, closes_on: date | None = None) -> Campaign:
    """A text campaign by phase with one number, whose district is invited on these days."""
    texts = await make_text_campaign(store, [NUMBER], by_phase=True)
    await run(store, "UPDATE targets SET province_code = '86', district_code = '861'")
    await phase(store, opens_on, closes_on)
    return texts


async def phase(store: Store, opens_on: date, closes_on: date | None = None) -> None:
    new = NewPhase(Scheme.VN_2021, "86", "861", opens_on, closes_on)
    await store.write(phases.put, [new], "lan", NOW)


async def test_a_text_waits_for_the_phase_of_its_district(store: Store) -> None:
    await placed(store, date(2021, 4, 6))
    world = TextWorld(store)
    await world.passes(1)
    [row] = await all_rows(store, Target)
    assert (row["state"], row["held_by"], row["not_before"]) == ("ready", "phase_closed", OPENS)
    assert world.numbers == []
    world.now = OPENS + 8 * HOUR
    await world.passes(1)
    assert world.numbers == [NUMBER]
    [row] = await all_rows(store, Target)
    assert (row["held_by"], row["outcome"]) == (None, "sent")


async def test_after_the_phase_of_its_district_no_text_goes(store: Store) -> None:
    await placed(store, date(2021, 3, 1), date(2021, 3, 31))
    world = TextWorld(store)
    await world.passes(1)
    assert (world.numbers, await world.outcomes()) == ([], {NUMBER: "phase_closed"})


async def test_a_text_that_waits_in_the_outbox_past_its_phase_is_not_sent(store: Store) -> None:
    await placed(store, date(2021, 4, 1), date(2021, 4, 1))
    world = TextWorld(store)
    await world.engine.tick()
    world.now += DAY
    assert await world.take() == []
    await world.engine.tick()
    assert await world.outcomes() == {NUMBER: "phase_closed"}


async def test_a_phase_that_is_put_off_holds_what_waits_in_the_outbox(store: Store) -> None:
    await placed(store, date(2021, 4, 1))
    world = TextWorld(store)
    await world.engine.tick()
    await phase(store, date(2021, 4, 10))
    assert await world.take() == []
    await phase(store, date(2021, 4, 2))
    world.now += DAY
    assert [out.msisdn for out in await world.take()] == [NUMBER]


async def test_one_verdict_by_the_way_of_the_campaign(store: Store) -> None:
    """A list for calls stops a call and no text; both tell so before anything is tried."""
    await make_campaign(store, [NUMBER])
    await make_text_campaign(store, [NUMBER])
    await is_listed(store, ContactScope.VOICE)
    call, text = [row["id"] for row in await all_rows(store, Target)]
    assert await store.read(gate.judge, call, NOW) is Refusal.DO_NOT_CALL
    assert await store.read(gate.judge, text, NOW) is None
    await is_listed(store, ContactScope.SMS)
    assert await store.read(gate.judge, text, NOW) is Refusal.DO_NOT_CALL
