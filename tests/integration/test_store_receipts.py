"""Delivery receipts: in any spelling and order, too early, twice, or of no text of ours. I/O."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from domain.states import ReceiptState
from store import outbox, outcomes, receipts, texts
from store.engine import Store
from store.models import MessageOut, Receipt
from store.outcomes import Sent, Unknown
from store.receipts import NewReceipt
from tests.rows import NOW, all_rows
from tests.texts import NUMBER, OTHER, SECOND, claim, new_post, new_receipt, send

LATER = NOW + 10 * SECOND


async def take(store: Store, *taken: NewReceipt) -> None:
    await store.write(receipts.take_receipts, taken)


async def rematch(store: Store, now: datetime) -> int:
    return await store.write(receipts.rematch, now)


async def states(store: Store) -> list[str]:
    return [row["state"] for row in await all_rows(store, MessageOut)]


async def kept(store: Store) -> list[tuple[Any, ...]]:
    return [(row["matching"], row["message_out_id"]) for row in await all_rows(store, Receipt)]


BECOMES = {
    ReceiptState.DELIVERED: "delivered",
    ReceiptState.EXPIRED: "expired",
    ReceiptState.DELETED: "undelivered",
    ReceiptState.UNDELIVERABLE: "undelivered",
    ReceiptState.REJECTED: "undelivered",
    ReceiptState.ACCEPTED: "accepted",
    ReceiptState.ENROUTE: "accepted",
    ReceiptState.UNKNOWN: "accepted",
}


@pytest.mark.parametrize("state", ReceiptState)
async def test_what_a_receipt_makes_of_its_text(store: Store, state: ReceiptState) -> None:
    out = await send(store, "a1")
    await take(store, new_receipt("a1", state, error="0A1"))
    [row] = await all_rows(store, MessageOut)
    assert row["state"] == BECOMES[state]
    assert (row["done_at"], row["error"]) == (
        (None, None) if row["state"] == "accepted" else (NOW + 2 * SECOND, "0A1")
    )
    assert await kept(store) == [("matched", out.id)]
    counted = await store.read(texts.counts)
    assert counted["loud"]["unknown_receipts"] == (state is ReceiptState.UNKNOWN)


async def test_a_final_state_never_goes_back(store: Store) -> None:
    await send(store, "a1")
    await take(store, new_receipt("a1", ReceiptState.ENROUTE), new_receipt("a1"))
    for state in ReceiptState:
        await take(store, new_receipt("a1", state, received_at=LATER))
    [row] = await all_rows(store, MessageOut)
    assert (row["state"], row["done_at"]) == ("delivered", NOW + 2 * SECOND)
    assert len(await kept(store)) == 2 + len(ReceiptState)
    for change in ("state = 'accepted', done_at = NULL", "state = 'undelivered'"):
        with pytest.raises(DBAPIError, match="never goes back"):
            await store.write(
                lambda c, s=change: c.exec_driver_sql(f"UPDATE messages_out SET {s}").rowcount  # noqa: S608
            )


async def test_of_two_final_receipts_at_once_the_first_counts(store: Store) -> None:
    await send(store, "a1")
    await take(store, new_receipt("a1"), new_receipt("a1", ReceiptState.EXPIRED))
    assert await states(store) == ["delivered"]


FORMS = {
    "exact": ("0a1B", "0a1B", ()),
    "case": ("A1B", "a1b", ("A1B",)),
    "zeros": ("A1B", "000A1B", ("A1B",)),
    "hex told in decimal": ("A1B", "2587", ("2587", "a1b", "A1B")),
    "decimal told in hex": ("2587", "A1B", ("A1B", "2587")),
    "words": ("id-ü-1", "id-ü-1", ()),
}


@pytest.mark.parametrize("form", FORMS)
async def test_an_id_is_known_in_any_spelling(store: Store, form: str) -> None:
    ours, theirs, forms = FORMS[form]
    await send(store, ours)
    await take(store, new_receipt(theirs, forms=forms))
    assert await states(store) == ["delivered"]


async def test_the_exact_id_wins_over_another_spelling_of_a_newer_text(store: Store) -> None:
    exact, _ = await send(store, "10"), await send(store, "16", msisdn=OTHER)
    await take(store, new_receipt("10", forms=("10", "16")))
    assert await states(store) == ["delivered", "accepted"]
    assert await kept(store) == [("matched", exact.id)]


async def test_another_spelling_counts_only_for_a_text_to_the_same_number(store: Store) -> None:
    await send(store, "16", msisdn=OTHER)
    await take(store, new_receipt("10", forms=("16",), msisdn=NUMBER))
    assert await kept(store) == [("orphan", None)]
    await take(store, new_receipt("10", forms=("16",), msisdn=OTHER))
    assert await states(store) == ["delivered"]


async def test_another_spelling_to_its_number_wins_over_the_exact_id_to_another(
    store: Store,
) -> None:
    """The SMSC answers in hex and tells in decimal: 5000 is text 1388, and not text 5000."""
    await send(store, "1388", msisdn=NUMBER)
    await send(store, "5000", msisdn=OTHER)
    await take(store, new_receipt("5000", forms=("5000", "1388"), msisdn=NUMBER))
    assert await states(store) == ["delivered", "accepted"]


async def test_yesterdays_text_of_the_same_id_does_not_end_by_it(store: Store) -> None:
    """The SMSC counts anew each day, and the receipt comes before the response."""
    await send(store, "7", msisdn=OTHER)
    await store.write(outbox.post, [new_post(msisdn=NUMBER)], NOW)
    [out] = await claim(store)
    await take(store, new_receipt("7", forms=("7",), msisdn=NUMBER))
    assert await kept(store) == [("orphan", None)]
    await store.write(outcomes.record, [Sent(out.id, "7", NOW + 4 * SECOND)])
    assert await rematch(store, NOW + 5 * SECOND) == 1
    assert await states(store) == ["accepted", "delivered"]


async def test_where_nobody_else_turns_up_the_exact_id_counts(store: Store) -> None:
    """Some SMSCs tell another number than they were given."""
    await send(store, "7", msisdn=OTHER)
    await take(store, new_receipt("7", forms=("7",), msisdn=NUMBER))
    assert await rematch(store, NOW + timedelta(minutes=9)) == 0
    assert await rematch(store, NOW + timedelta(minutes=12)) == 1
    assert await states(store) == ["delivered"]


async def test_one_id_for_all_texts(store: Store) -> None:
    """Some SMSCs give one: by number then, else the newest."""
    one, two = await send(store, "1"), await send(store, "1", msisdn=OTHER)
    await take(store, new_receipt("1", msisdn=NUMBER))
    assert await states(store) == ["delivered", "accepted"]
    await take(store, new_receipt("1"))
    assert await kept(store) == [("matched", one.id), ("matched", two.id)]


async def test_another_account_has_other_ids(store: Store) -> None:
    await send(store, "1")
    await take(store, new_receipt("1", account="acc2"))
    assert await states(store) == ["accepted"]
    assert await kept(store) == [("orphan", None)]


async def test_a_receipt_before_the_response(store: Store) -> None:
    await store.write(outbox.post, [new_post()], NOW)
    [out] = await claim(store)
    await take(store, new_receipt("00a1", forms=("a1", "A1")))
    assert await rematch(store, NOW + 3 * SECOND) == 0
    await store.write(outcomes.record, [Sent(out.id, "A1", NOW + 4 * SECOND)])
    assert await rematch(store, NOW + 3 * SECOND) == 0  # its turn has not come
    assert await rematch(store, NOW + 5 * SECOND) == 1
    assert await states(store) == ["delivered"]
    assert await kept(store) == [("matched", out.id)]
    assert await rematch(store, LATER) == 0


async def test_an_orphan_is_given_up_after_ten_minutes_and_kept(store: Store) -> None:
    await take(store, new_receipt("nobody's"), new_receipt(None), new_receipt(""))
    now, turns = NOW, 0
    while now < NOW + timedelta(minutes=15):
        now += SECOND
        assert await rematch(store, now) == 0
        turns += 1
        if (await kept(store))[0][0] == "given_up":
            break
        now += timedelta(seconds=20)
    assert timedelta(minutes=10) <= now - NOW < timedelta(minutes=11, seconds=30)
    assert await kept(store) == [("given_up", None)] * 3
    counted = await store.read(texts.counts)
    assert counted["loud"]["orphans_given_up"] == 3
    await send(store, "nobody's")
    assert await rematch(store, now + timedelta(days=1)) == 0


async def test_orphans_of_others_keep_none_from_its_turn(store: Store) -> None:
    await take(store, *(new_receipt(f"x{n}") for n in range(40)))
    await store.write(receipts.rematch, NOW + 2 * SECOND, 40)
    await send(store, "late")
    await take(store, new_receipt("late2", received_at=NOW + 2 * SECOND))
    await send(store, "late2")
    assert await store.write(receipts.rematch, NOW + 2 * SECOND, 5) == 1


async def test_the_smsc_of_a_text_nobody_answered_for_tells_nothing(store: Store) -> None:
    await store.write(outbox.post, [new_post()], NOW)
    [out] = await claim(store)
    await store.write(outcomes.record, [Unknown(out.id, 1, NOW)])
    await take(store, new_receipt("a1"))
    assert await states(store) == ["unknown"]
    await store.write(outcomes.record, [Sent(out.id, "a1", LATER)])
    assert await rematch(store, LATER) == 1
    assert await states(store) == ["delivered"]


async def test_odd_receipts_are_kept(store: Store) -> None:
    odd = new_receipt("a\0b", forms=("\0",), stat="\udc80\0", error="\0", raw=b"\0" * 300)
    await take(store, odd)
    await take(store)
    [row] = await all_rows(store, Receipt)
    assert (row["message_id"], row["raw"]) == ("a\ufffdb", b"\0" * 300)
    assert await rematch(store, LATER) == 0
