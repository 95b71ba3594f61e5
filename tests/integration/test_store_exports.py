"""Exports on both databases: fields, order, pages, and no row of another campaign. I/O."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.dispositions import Disposition
from domain.errors import StoreUnavailable
from store import exports, registrations, settled
from store.apply import apply
from store.engine import Store
from store.facts import Fact
from tests.locks import held_open
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
    wants_advice,
)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


async def rows_of(stream: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """All rows, as a reader of the JSON lines has them."""
    return [json.loads(json.dumps(row)) async for row in stream]


async def test_an_attempt_with_all_its_fields(store: Store) -> None:
    campaign = await make_campaign(store, numbers(1))
    [attempt] = await claim_some(store, campaign)
    facts: list[Fact] = [
        answered(attempt, after(5.25)),
        pressed(attempt, "2", after(9)),
        pressed(attempt, "1", after(8)),
        ended(
            attempt,
            Disposition.ANSWERED,
            after(20),
            cause=16,
            tech_cause=200,
            ringing_at=after(2),
            answered_at=after(5.25),
        ),
    ]
    await store.write(apply, facts, BY_NINE)
    assert await rows_of(exports.attempts(store, campaign.id)) == [
        {
            "attempt_id": str(attempt.attempt_id),
            "msisdn": "+84900000000",
            "state": "ended",
            "disposition": "answered",
            "hangup_cause": 16,
            "tech_cause": 200,
            "started_at": "2021-04-01T03:00:00+00:00",
            "ringing_at": "2021-04-01T03:00:02+00:00",
            "answered_at": "2021-04-01T03:00:05.250000+00:00",
            "ended_at": "2021-04-01T03:00:20+00:00",
            "node": "node1",
            "trunk": "carrier",
            "script_version": "vi-1",
            "queue_joined_at": None,
            "queue_agent_id": None,
            "queue_connected_at": None,
            "queue_left_at": None,
            "queue_outcome": None,
            "keys": [
                {"key": "1", "at": "2021-04-01T03:00:08+00:00", "script_state": "inviting"},
                {"key": "2", "at": "2021-04-01T03:00:09+00:00", "script_state": "inviting"},
            ],
        }
    ]


async def test_an_open_attempt_has_no_disposition_yet(store: Store) -> None:
    campaign = await make_campaign(store, numbers(1))
    await claim_some(store, campaign)
    [row] = await rows_of(exports.attempts(store, campaign.id))
    assert (row["state"], row["disposition"], row["ended_at"], row["keys"]) == (
        "dialling",
        None,
        None,
        [],
    )


@pytest.mark.parametrize("page", [1, 2, 3, 7, 100])
async def test_pages_do_not_show(store: Store, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(exports, "_ROWS_A_PAGE", page)
    monkeypatch.setattr(exports, "_TARGETS_A_PAGE", page)
    campaign = await make_campaign(store, numbers(7)[::-1])
    called = await claim_some(store, campaign, limit=6)
    facts: list[Fact] = [
        *(asked(call.msisdn, NOW, call.attempt_id, campaign_id=campaign.id) for call in called),
        *(ended(call, Disposition.ANSWERED, after(20)) for call in called),
    ]
    await store.write(apply, facts, BY_NINE)
    for export in (exports.attempts, exports.registrations, exports.callbacks):
        rows = await rows_of(export(store, campaign.id))
        assert sorted(row["msisdn"] for row in rows) == numbers(6, first=1)


async def test_attempts_come_by_number_and_then_by_start(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_TARGETS_A_PAGE", 2)
    first = await make_campaign(store, numbers(5)[::-1])
    called = await claim_some(store, first)
    await store.write(apply, [ended(c, Disposition.BUSY, after(20)) for c in called], BY_NINE)
    second = await make_campaign(store, numbers(5), name="other")
    await claim_some(store, second)
    rows = await rows_of(exports.attempts(store, first.id))
    assert [row["msisdn"] for row in rows] == numbers(5)
    assert {row["disposition"] for row in rows} == {"busy"}


async def test_a_registration_and_the_call_backs(store: Store) -> None:
    campaign = await make_campaign(store, numbers(2))
    other = await make_campaign(store, numbers(2), name="other")
    one, two = await claim_some(store, campaign)
    facts: list[Fact] = [
        asked(one.msisdn, after(8), one.attempt_id, campaign_id=campaign.id),
        wants_advice(two.msisdn, after(30), two.attempt_id, campaign_id=campaign.id),
    ]
    await store.write(apply, facts, BY_NINE)
    [registration] = await rows_of(exports.registrations(store, campaign.id))
    number = registration.pop("registration_id")
    assert registration == {
        "msisdn": one.msisdn,
        "channel": "ivr",
        "source_id": str(one.attempt_id),
        "state": "open",
        "registered_at": "2021-04-01T03:00:08+00:00",
        "late_since": None,
        "evidence": {"key": "1", "script_version": "vi-1"},
    }
    confirm, advise = await rows_of(exports.callbacks(store, campaign.id))
    assert confirm.pop("callback_id") < advise.pop("callback_id")
    assert confirm == {
        "msisdn": one.msisdn,
        "kind": "confirm",
        "state": "open",
        "source_id": f"ivr:{one.attempt_id}",
        "registration_id": number,
        "requested_at": "2021-04-01T03:00:08+00:00",
        "target_at": "2021-04-02T14:00:00+00:00",
        "promise_at": "2021-04-03T03:00:08+00:00",
        "attempts_made": 0,
        **dict.fromkeys(
            (
                *("ready_at", "outcome", "outcome_at", "claimed_by", "claimed_at", "closed_at"),
                *("appointment_day", "appointment_slot", "address"),
            )
        ),
    }
    assert (advise["kind"], advise["registration_id"]) == ("advice", None)
    for export in (exports.attempts, exports.registrations, exports.callbacks):
        assert await rows_of(export(store, other.id)) == []


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_who_goes_on_after_the_last_misses_nothing_that_is_committed_late(
    store: Store,
) -> None:
    campaign = await make_campaign(store, numbers(2))
    slow, quick = (asked(one, NOW, campaign_id=campaign.id) for one in numbers(2))
    async with held_open(store, registrations.register, [slow], BY_NINE):
        await store.write(registrations.register, [quick], BY_NINE)
        polling = asyncio.create_task(rows_of(exports.registrations(store, campaign.id)))
        await asyncio.wait({polling}, timeout=0.3)
    seen = await polling
    seen += await rows_of(exports.registrations(store, campaign.id, seen[-1]["registration_id"]))
    assert [row["msisdn"] for row in seen] == numbers(2)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_who_writes_for_ever_is_not_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settled, "_PATIENCE_SECONDS", 0.1)
    campaign = await make_campaign(store, numbers(1))
    request = asked(numbers(1)[0], NOW, campaign_id=campaign.id)
    async with held_open(store, registrations.register, [request], BY_NINE):
        with pytest.raises(StoreUnavailable, match="writes to callbacks for too long"):
            await rows_of(exports.callbacks(store, campaign.id))


async def test_the_store_is_free_while_a_reader_dawdles(store: Store) -> None:
    campaign = await make_campaign(store, numbers(2))
    await claim_some(store, campaign, limit=1)
    rows = exports.attempts(store, campaign.id)
    assert await anext(rows)
    assert await claim_some(store, campaign)
    assert [row async for row in rows] == []
