"""The one gate for registrations: however often one asks, one open request per number. I/O."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, update

from domain.states import CallbackKind, CallbackState, Channel, RegistrationState
from store import history, registrations
from store.engine import Store, open_store
from store.facts import RegistrationAsked
from store.models import Callback, Event, Registration
from store.registrations import Answer
from tests.locks import waits_for_lock
from tests.rows import BY_NINE, NOW, all_rows, asked, make_campaign, numbers

NUMBER, OTHER = "+84900000001", "+84900000002"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NEW, REPEAT = Answer.REGISTERED, Answer.ALREADY_REGISTERED


async def register(
    store: Store, *requests: RegistrationAsked, target_by: time = BY_NINE
) -> Sequence[Answer]:
    return await store.write(registrations.register, requests, target_by)


async def kinds(store: Store, msisdn: str = NUMBER) -> list[str]:
    return [row["kind"] for row in await all_rows(store, Event) if row["msisdn"] == msisdn]


async def only(store: Store, row: type[Registration | Callback]) -> dict[str, Any]:
    [found] = await all_rows(store, row)
    return found


async def test_a_registration_keeps_its_evidence_and_brings_its_call_back(store: Store) -> None:
    campaign = await make_campaign(store)
    request = asked(NUMBER, NOW, "attempt-1", campaign_id=campaign.id)
    assert await register(store, request) == [NEW]
    row = await only(store, Registration)
    assert (row["msisdn"], row["channel"], row["source_id"]) == (NUMBER, "ivr", "attempt-1")
    assert (row["campaign_id"], row["state"]) == (campaign.id, RegistrationState.OPEN)
    assert (row["registered_at"], row["evidence"]) == (NOW, request.evidence)
    call = await only(store, Callback)
    assert (call["kind"], call["msisdn"]) == (CallbackKind.CONFIRM, NUMBER)
    assert (call["registration_id"], call["campaign_id"]) == (row["id"], campaign.id)
    assert (call["state"], call["requested_at"]) == (CallbackState.OPEN, NOW)
    assert await kinds(store) == ["registered", "callback_promised"]


async def test_the_same_source_again_gets_the_same_answer_and_changes_nothing(
    store: Store,
) -> None:
    request = asked(NUMBER, NOW, "attempt-1")
    assert await register(store, request) == [NEW]
    before = [await all_rows(store, row) for row in (Registration, Callback, Event)]
    assert await register(store, request) == [NEW]
    assert await register(store, request, request) == [NEW, NEW]
    assert [await all_rows(store, row) for row in (Registration, Callback, Event)] == before


async def test_a_repeat_is_told_so_and_recorded_once(store: Store) -> None:
    first, again = asked(NUMBER, NOW), asked(NUMBER, NOW + MINUTE, channel=Channel.SMS)
    assert await register(store, first) == [NEW]
    assert await register(store, again) == [REPEAT]
    assert await register(store, again) == [REPEAT]
    assert await register(store, first) == [NEW]
    assert len(await all_rows(store, Registration)) == len(await all_rows(store, Callback)) == 1
    assert await kinds(store) == ["registered", "callback_promised", "registration_repeated"]
    repeat = (await all_rows(store, Event))[-1]
    assert (repeat["at"], repeat["data"]["channel"]) == (NOW + MINUTE, "sms")
    assert repeat["data"]["source_id"] == again.source_id


async def test_one_id_in_two_channels_is_two_sources(store: Store) -> None:
    assert await register(store, asked(NUMBER, NOW, "7"), asked(OTHER, NOW, "7", Channel.SMS)) \
        == [NEW, NEW]  # fmt: skip
    assert len(await all_rows(store, Registration)) == len(await all_rows(store, Callback)) == 2


async def test_in_one_batch_the_first_receipt_fixes_the_day(store: Store) -> None:
    late, early = asked(NUMBER, NOW + HOUR), asked(NUMBER, NOW, channel=Channel.SMS)
    assert await register(store, late, asked(OTHER, NOW), early) == [REPEAT, NEW, NEW]
    rows = {row["msisdn"]: row for row in await all_rows(store, Registration)}
    assert (rows[NUMBER]["registered_at"], rows[NUMBER]["channel"]) == (NOW, "sms")
    assert (await kinds(store)).count("registration_repeated") == 1


async def test_in_two_batches_too_the_first_receipt_fixes_the_day(store: Store) -> None:
    """A key 1 of 23:50 that waited in a spool, and a text of 00:10 that was there before it."""
    key_at = datetime(2021, 4, 1, 16, 50, tzinfo=UTC)
    text_at = key_at + 20 * MINUTE
    await register(store, asked(NUMBER, text_at, channel=Channel.SMS))
    await register(store, asked(NUMBER, key_at))
    assert (await only(store, Registration))["registered_at"] == key_at
    call = await only(store, Callback)
    assert call["target_at"] == datetime(2021, 4, 2, 14, 0, tzinfo=UTC)
    assert call["promise_at"] == key_at + 48 * HOUR


DEADLINES = {
    # local 10:00, then 23:59:59.999999, then midnight; 21:00 local is 14:00 UTC
    datetime(2021, 4, 1, 3, 0, tzinfo=UTC): datetime(2021, 4, 2, 14, 0, tzinfo=UTC),
    datetime(2021, 4, 1, 16, 59, 59, 999999, tzinfo=UTC): datetime(2021, 4, 2, 14, 0, tzinfo=UTC),
    datetime(2021, 4, 1, 17, 0, tzinfo=UTC): datetime(2021, 4, 3, 14, 0, tzinfo=UTC),
    # the eve of two holidays (30 April, 1 May), New Year's Eve, the end of February
    datetime(2021, 4, 29, 3, 0, tzinfo=UTC): datetime(2021, 4, 30, 14, 0, tzinfo=UTC),
    datetime(2021, 12, 31, 16, 0, tzinfo=UTC): datetime(2022, 1, 1, 14, 0, tzinfo=UTC),
    datetime(2021, 2, 28, 3, 0, tzinfo=UTC): datetime(2021, 3, 1, 14, 0, tzinfo=UTC),
}


async def test_both_deadlines_count_local_days_and_whole_hours(store: Store) -> None:
    await register(store, *map(asked, numbers(len(DEADLINES)), DEADLINES))
    calls = {row["requested_at"]: row for row in await all_rows(store, Callback)}
    assert {at: row["target_at"] for at, row in calls.items()} == DEADLINES
    assert all(row["promise_at"] == at + 48 * HOUR for at, row in calls.items())


async def test_the_hour_of_the_next_day_is_a_setting(store: Store) -> None:
    await register(store, asked(NUMBER, NOW), target_by=time(18, 30))
    call = await only(store, Callback)
    assert call["target_at"] == datetime(2021, 4, 2, 11, 30, tzinfo=UTC)


async def test_after_a_cancelled_one_a_new_request_opens_and_the_old_one_stays(
    store: Store,
) -> None:
    first = asked(NUMBER, NOW)
    await register(store, first)
    await store.write(_cancel_all)
    assert await register(store, first) == [NEW]
    [row] = await all_rows(store, Registration)
    assert row["state"] == RegistrationState.CANCELLED
    assert await register(store, asked(NUMBER, NOW + HOUR)) == [NEW]
    states = [row["state"] for row in await all_rows(store, Registration)]
    assert states == [RegistrationState.CANCELLED, RegistrationState.OPEN]
    calls = [row["state"] for row in await all_rows(store, Callback)]
    assert calls == [CallbackState.CANCELLED, CallbackState.OPEN]
    assert await register(store, first) == [NEW]  # told once more: it belongs to the old one
    assert (await all_rows(store, Registration))[1]["registered_at"] == NOW + HOUR
    assert (await all_rows(store, Callback))[1]["requested_at"] == NOW + HOUR


def _cancel_all(connection: Connection) -> None:
    connection.execute(update(Callback).values(state=CallbackState.CANCELLED, closed_at=NOW))
    connection.execute(update(Registration).values(state=RegistrationState.CANCELLED))


async def test_twenty_at_once_make_one_registration_and_one_call_back(
    store: Store, store_url: str
) -> None:
    other = open_store(store_url)
    try:
        answers = await asyncio.gather(
            *(register((store, other)[turn % 2], asked(NUMBER, NOW)) for turn in range(20))
        )
    finally:
        await other.close()
    assert sorted(answer for [answer] in answers) == [REPEAT] * 19 + [NEW]
    assert len(await all_rows(store, Registration)) == len(await all_rows(store, Callback)) == 1
    told = await kinds(store)
    assert [told.count(kind) for kind in ("registered", "callback_promised")] == [1, 1]
    assert told.count("registration_repeated") == 19


async def test_one_source_twenty_times_at_once_is_no_repeat(store: Store, store_url: str) -> None:
    """The same text, delivered twice to two servers: both must give the first answer."""
    other, request = open_store(store_url), asked(NUMBER, NOW, "text-1", Channel.SMS)
    try:
        answers = await asyncio.gather(
            *(register((store, other)[turn % 2], request) for turn in range(20))
        )
    finally:
        await other.close()
    assert [answer for [answer] in answers] == [NEW] * 20
    assert await kinds(store) == ["registered", "callback_promised"]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_one_source_twice_while_the_first_is_not_committed_yet(
    store: Store, store_url: str
) -> None:
    request = asked(NUMBER, NOW, "text-1", Channel.SMS)
    first = await asyncpg.connect(store_url)
    try:
        transaction = first.transaction()
        await transaction.start()
        await first.execute(
            "INSERT INTO registrations (msisdn, channel, source_id, registered_at, evidence, state)"
            " VALUES ($1, 'sms', 'text-1', $2, '{}', 'open')",
            *(NUMBER, NOW),
        )
        second = asyncio.create_task(register(store, request))
        await waits_for_lock(store_url)
        await transaction.commit()
        assert await second == [NEW]
    finally:
        await first.close()
    assert "registration_repeated" not in await kinds(store)


async def test_which_sources_made_a_registration_can_be_asked(store: Store) -> None:
    await register(store, asked(NUMBER, NOW, "a"), asked(OTHER, NOW, "b", Channel.SMS))
    await register(store, asked(NUMBER, NOW, "c"))
    made = await store.read(registrations.made_by, Channel.IVR, ["a", "b", "c", "d"])
    assert made == {"a"}
    assert await store.read(registrations.made_by, Channel.IVR, []) == set()


async def test_a_request_for_nothing_does_nothing(store: Store) -> None:
    assert await register(store) == []
    await store.write(history.add, [])
    assert await all_rows(store, Event) == []
