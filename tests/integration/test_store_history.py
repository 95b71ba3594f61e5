"""The history and the timeline of one number: everything, once, in the order it happened. I/O."""

from datetime import timedelta
from typing import Any

from domain.dispositions import Disposition
from store import history
from store.apply import apply
from store.engine import Store
from store.facts import Fact
from store.history import happening
from store.models import Event
from tests.rows import (
    BY_NINE,
    NOW,
    all_rows,
    answered,
    asked,
    claim_some,
    ended,
    make_campaign,
    numbers,
    pressed,
    wants_advice,
)

SECOND = timedelta(seconds=1)


async def timeline(store: Store, msisdn: str) -> list[dict[str, Any]]:
    return await store.read(history.timeline, msisdn)


async def test_a_happening_told_twice_is_kept_once_and_others_are_kept_each_time(
    store: Store,
) -> None:
    once = happening("noticed", NOW, msisdn="+84900000001", once="noticed:1", why="x")
    again = happening("noticed", NOW + SECOND, once="noticed:1")
    often = happening("noticed", NOW)
    await store.write(history.add, [once, often])
    await store.write(history.add, [again, often, once])
    rows = await all_rows(store, Event)
    assert [row["once"] for row in rows].count("noticed:1") == 1
    assert [row["once"] for row in rows].count(None) == 2
    assert rows[0]["data"] == {"why": "x"}
    assert rows[0]["at"] == NOW


async def test_the_timeline_tells_a_call_in_the_order_it_happened(store: Store) -> None:
    """The key and the registration it makes have one time: the key still comes first."""
    msisdn, stranger = numbers(2)
    campaign = await make_campaign(store, [msisdn, stranger])
    call, other = await claim_some(store, campaign)
    ringing, up, key_at, end = (NOW + seconds * SECOND for seconds in (2, 9, 20, 28))
    facts: list[Fact] = [
        ended(call, Disposition.ANSWERED, end, cause=16, ringing_at=ringing, answered_at=up),
        asked(msisdn, key_at, call.attempt_id, campaign_id=campaign.id),
        pressed(call, "1", key_at),
        pressed(call, "7", key_at - 5 * SECOND),
        answered(call, up),
        ended(other, Disposition.BUSY, end, cause=17, tech_cause=486),
    ]
    await store.write(apply, facts, BY_NINE)
    entries = await timeline(store, msisdn)
    assert [(entry["kind"], entry["at"] - NOW) for entry in entries] == [
        ("attempt_dialled", 0 * SECOND),
        ("attempt_ringing", 2 * SECOND),
        ("attempt_answered", 9 * SECOND),
        ("key_pressed", 15 * SECOND),
        ("key_pressed", 20 * SECOND),
        ("registered", 20 * SECOND),
        ("callback_promised", 20 * SECOND),
        ("attempt_ended", 28 * SECOND),
    ]
    assert [entry["key"] for entry in entries if entry["kind"] == "key_pressed"] == ["7", "1"]
    assert entries[0]["attempt_id"] == entries[-1]["attempt_id"] == str(call.attempt_id)
    assert entries[-1]["disposition"] == Disposition.ANSWERED
    assert entries[-1]["hangup_cause"] == 16
    assert entries[5]["evidence"]["script_version"] == "vi-1"


async def test_a_call_over_in_no_time_is_still_told_in_order(store: Store) -> None:
    [msisdn] = numbers(1)
    campaign = await make_campaign(store, [msisdn])
    [call] = await claim_some(store, campaign)
    facts: list[Fact] = [
        ended(call, Disposition.ANSWERED, NOW, cause=16, ringing_at=NOW, answered_at=NOW),
        wants_advice(msisdn, NOW, call.attempt_id, campaign.id),
        pressed(call, "3", NOW),
        answered(call, NOW),
    ]
    await store.write(apply, facts, BY_NINE)
    assert [entry["kind"] for entry in await timeline(store, msisdn)] == [
        *("attempt_dialled", "attempt_ringing", "attempt_answered"),
        *("key_pressed", "callback_promised", "attempt_ended"),
    ]


async def test_a_number_nobody_knows_has_no_timeline(store: Store) -> None:
    assert await timeline(store, "+84999999999") == []
