"""What is held on one number: all of it is shown, and what may go is taken out. I/O."""

import re
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection

from domain.dispositions import Disposition
from domain.errors import InputError
from domain.states import ReceiptState, TargetState
from store import attempts, outbox, subscribers
from store.engine import Store
from store.models import (
    Audit,
    Event,
    MessageIn,
    MessageOut,
    OptOut,
    Receipt,
    SmsReference,
    Target,
    table,
)
from store.receipts import NewReceipt, take_receipts
from store.settlement import settle
from tests.keeping import DAY, KEY, erase, live, over, tables_with
from tests.plans import plans
from tests.rows import NOW, all_rows, claim_some, ended, make_campaign
from tests.texts import NUMBER, OTHER, new_post


async def test_all_that_is_held_is_given_as_json(store: Store) -> None:
    call = await live(store)
    held = await subscribers.export(store, NUMBER, "lan", NOW)
    stands_in = await tables_with(store, NUMBER)
    assert {name for name, rows in held.items() if rows} == stands_in | {"key_presses"}
    assert held["attempts"][0]["id"] == call.attempt_id
    assert [row["text"] for row in held["messages_in"]] == ["hướng dẫn", "TC"]
    orjson.dumps(held, default=str)
    [looked] = [r for r in await all_rows(store, Audit) if r["action"] == "subscriber_exported"]
    assert (looked["subject"], looked["data"]) == ("090****001", {"by": "lan"})
    assert not any((await store.read(subscribers.held, "+84999999999")).values())


async def test_what_the_law_does_not_want_kept_is_taken_out(store: Store) -> None:
    await live(store)
    await store.write(outbox.next_reference, "9231", NUMBER)
    others = [row for row in await all_rows(store, Target) if row["msisdn"] == OTHER]
    changed = await erase(store)
    assert (changed["targets"], changed["attempts"], changed["messages_in"]) == (1, 1, 2)
    assert await tables_with(store, NUMBER) == set()
    texts = {row["msisdn"]: row["text"] for row in await all_rows(store, MessageIn)}
    [name] = {row["msisdn"] for row in await all_rows(store, OptOut)}
    assert texts == {"#1": None, name: "TC"}
    confirmed = [row for row in await all_rows(store, MessageOut) if row["msisdn"] == name]
    assert "tu choi quang cao" in confirmed[0]["text"]
    assert await all_rows(store, SmsReference) == []
    assert [row for row in await all_rows(store, Target) if row["msisdn"] == OTHER] == others
    [done] = [r for r in await all_rows(store, Audit) if r["action"] == "subscriber_erased"]
    assert (done["data"]["by"], done["data"]["rows"]["attempts"]) == ("lan", 1)
    assert sum((await erase(store)).values()) == 0


async def test_what_is_locked_meanwhile_is_short(store: Store) -> None:
    """Receipts and texts are many, and whoever takes a number out lets nobody dial."""
    await live(store)
    assert await plans(store.read, subscribers.held, NUMBER)
    receipts = table(Receipt).c.id.in_([7]) | (table(Receipt).c.id > 9)
    same = (NUMBER, KEY, "lan", NOW + 3 * DAY, receipts)
    told = await plans(store.write, subscribers._erase, *same)
    walk = re.compile(r"(SCAN|Seq Scan on) (messages_in|receipts)\b(?! USING INDEX ix_)")
    assert [line for line in "\n".join(told).splitlines() if walk.search(line)] == []
    assert sum("ix_messages_in_msisdn" in each for each in told) >= 2


async def test_receipts_go_too_the_late_ones_as_well(store: Store) -> None:
    await live(store)
    await store.write(take_receipts, [receipt("m1"), receipt("m2")])
    late = receipt("m3")
    erasing = subscribers._erase

    def beside(connection: Connection, *args: Any) -> dict[str, int]:
        take_receipts(connection, [late])  # after the others were looked for
        return erasing(connection, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subscribers, "_erase", beside)
        assert (await erase(store))["receipts"] == 3
    assert await tables_with(store, NUMBER) == set()


def receipt(message_id: str) -> NewReceipt:
    said = (ReceiptState.DELIVERED, "DELIVRD", None, NOW)
    return NewReceipt("main", NUMBER.encode(), message_id, (message_id,), *said, NUMBER)


async def test_after_a_year_the_texts_of_a_refusal_go_too(store: Store) -> None:
    await live(store)
    await erase(store, days=367)
    assert await tables_with(store, NUMBER) == set()
    assert {row["text"] for row in await all_rows(store, MessageIn)} == {None}
    assert {row["text"] for row in await all_rows(store, MessageOut)} == {""}
    assert len(await all_rows(store, OptOut)) == 1


async def test_the_history_stays_without_number_and_without_evidence(store: Store) -> None:
    await live(store)
    before = await all_rows(store, Event)
    await erase(store)
    assert [{**row, "msisdn": None, "data": None} for row in await all_rows(store, Event)] == [
        {**row, "msisdn": None, "data": None} for row in before
    ]
    named = {row["msisdn"] for row in await all_rows(store, Event) if row["msisdn"]}
    assert named <= {f"#{row['id']}" for row in before} | {OTHER}


async def test_who_waits_to_be_called_is_not_called_any_more(store: Store) -> None:
    campaign = await make_campaign(store, [NUMBER])
    await erase(store)
    [row] = await all_rows(store, Target)
    assert (row["state"], row["outcome"], row["attributes"]) == (TargetState.DONE, "erased", {})
    assert await claim_some(store, campaign) == []


async def test_nothing_is_taken_out_from_under_what_is_under_way(store: Store) -> None:
    campaign = await make_campaign(store, [NUMBER])
    [call] = await claim_some(store, campaign)
    with pytest.raises(InputError, match="something in attempts is still under way"):
        await erase(store)
    await store.write(attempts.record_ended, [ended(call, Disposition.BUSY, NOW)])
    with pytest.raises(InputError, match="something in targets is still under way"):
        await erase(store)
    await store.write(settle, [over(call)], NOW)
    with pytest.raises(InputError, match="within the last 24 hours"):
        await erase(store, days=0)
    assert await tables_with(store, NUMBER) == {"targets", "attempts"}
    await store.write(outbox.post, [new_post()], NOW)
    with pytest.raises(InputError, match="something in messages_out is still under way"):
        await erase(store)
