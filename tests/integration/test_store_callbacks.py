"""Call-backs promised to those whom key 3 brought to nobody. I/O."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, update

from domain.states import CallbackKind, CallbackState
from store import callbacks, registrations
from store.engine import Store, open_store
from store.facts import AdviceAsked
from store.models import Callback, Event, Registration
from tests.rows import BY_NINE, NOW, all_rows, asked, make_campaign, wants_advice

NUMBER, OTHER = "+84900000001", "+84900000002"
HOUR = timedelta(hours=1)


async def promise(store: Store, *wishes: AdviceAsked) -> None:
    await store.write(callbacks.promise_advice, wishes, BY_NINE)


async def test_advice_is_a_call_back_with_both_deadlines_and_no_registration(store: Store) -> None:
    campaign = await make_campaign(store)
    late = datetime(2021, 4, 1, 16, 30, tzinfo=UTC)  # 23:30 local
    await promise(store, wants_advice(NUMBER, late, "call-1", campaign.id))
    [row] = await all_rows(store, Callback)
    assert (row["kind"], row["msisdn"]) == (CallbackKind.ADVICE, NUMBER)
    assert (row["campaign_id"], row["registration_id"]) == (campaign.id, None)
    assert (row["source_id"], row["state"]) == ("ivr:call-1", CallbackState.OPEN)
    assert row["requested_at"] == late
    assert row["target_at"] == datetime(2021, 4, 2, 14, 0, tzinfo=UTC)
    assert row["promise_at"] == late + 48 * HOUR
    assert await all_rows(store, Registration) == []
    told = [row for row in await all_rows(store, Event) if row["msisdn"] == NUMBER]
    assert [row["kind"] for row in told] == ["callback_promised"]
    assert told[0]["data"]["callback"] == "advice"


async def test_the_same_call_asks_once_however_often_it_is_told(store: Store) -> None:
    wish = wants_advice(NUMBER, NOW, "call-1")
    await promise(store, wish, wish)
    await promise(store, wish)
    assert len(await all_rows(store, Callback)) == 1
    assert len(await all_rows(store, Event)) == 1
    await store.write(_cancelled)
    await promise(store, wish)
    [row] = await all_rows(store, Callback)
    assert row["state"] == CallbackState.CANCELLED


async def test_a_number_has_one_open_call_back_of_a_kind(store: Store) -> None:
    await promise(store, wants_advice(NUMBER, NOW), wants_advice(OTHER, NOW))
    await promise(store, wants_advice(NUMBER, NOW + HOUR))
    rows = await all_rows(store, Callback)
    assert [(row["msisdn"], row["requested_at"]) for row in rows] == [(NUMBER, NOW), (OTHER, NOW)]
    await store.write(_cancelled)
    await promise(store, wants_advice(NUMBER, NOW + 2 * HOUR))
    assert len(await all_rows(store, Callback)) == 3


def _cancelled(connection: Connection) -> None:
    connection.execute(update(Callback).values(state=CallbackState.CANCELLED, closed_at=NOW))


async def test_advice_and_registration_of_one_call_stand_side_by_side(store: Store) -> None:
    await promise(store, wants_advice(NUMBER, NOW, "call-1"))
    await store.write(registrations.register, [asked(NUMBER, NOW, "call-1")], BY_NINE)
    rows = await all_rows(store, Callback)
    assert sorted(row["kind"] for row in rows) == ["advice", "confirm"]


async def test_twenty_at_once_promise_one_call(store: Store, store_url: str) -> None:
    other = open_store(store_url)
    try:
        await asyncio.gather(
            *(
                promise((store, other)[turn % 2], wants_advice(NUMBER, NOW, f"call-{turn % 5}"))
                for turn in range(20)
            )
        )
    finally:
        await other.close()
    assert len(await all_rows(store, Callback)) == len(await all_rows(store, Event)) == 1


async def test_a_wish_for_nothing_does_nothing(store: Store) -> None:
    await promise(store)
    assert await all_rows(store, Callback) == []
