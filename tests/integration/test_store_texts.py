"""What there is to see of texts: timeline, counts, export; and what the database refuses. I/O."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from domain.states import PostKind
from store import exports, history, messages, outbox, outcomes, receipts, texts
from store.engine import Store
from store.messages import ReadText
from store.outcomes import Refused, Sent, Unknown
from store.texts import Backlog
from tests.rows import NOW
from tests.texts import (
    BIND,
    NUMBER,
    OTHER,
    SECOND,
    claim,
    new_post,
    new_receipt,
    new_text,
    post_reply,
    take_in,
)


async def timeline(store: Store, msisdn: str = NUMBER) -> list[dict[str, Any]]:
    return await store.read(history.timeline, msisdn)


def steps(entries: list[dict[str, Any]]) -> list[tuple[str, float]]:
    return [(entry["kind"], (entry["at"] - NOW).total_seconds()) for entry in entries]


async def test_the_timeline_tells_a_text_and_its_reply(store: Store) -> None:
    [came] = await take_in(store, new_text())
    assert steps(await timeline(store)) == [("text_received", 0)]
    understood = ReadText([came], "tstn", "TSTN", "register", "registered")
    await store.write(messages.read, [understood], NOW + SECOND)
    reply = new_post(kind=PostKind.REPLY, in_reply_to=came, text="ok")
    [posted] = await store.write(outbox.post, [reply], NOW + SECOND)
    [out] = await claim(store, now=NOW + 2 * SECOND)
    await store.write(outcomes.record, [Unknown(out.id, 1, NOW + 3 * SECOND)])
    [out] = await claim(store, now=NOW + 4 * SECOND)
    await store.write(outcomes.record, [Sent(out.id, "a", NOW + 5 * SECOND)])
    await store.write(receipts.take_receipts, [new_receipt("a", received_at=NOW + 6 * SECOND)])
    entries = await timeline(store)
    assert steps(entries) == [
        ("text_received", 0),
        ("text_posted", 1),
        ("text_unanswered", 3),
        ("text_sent", 4),
        ("text_accepted", 5),
        ("text_delivered", 6),
    ]
    assert {name: entries[0][name] for name in ("text", "verdict", "answer", "to", "state")} == {
        "text": "tstn",
        "verdict": "register",
        "answer": "registered",
        "to": "9231",
        "state": "read",
    }
    words = ("text_id", "text", "purpose", "state", "in_reply_to", "parts")
    assert [entries[1][name] for name in words] == [posted, "ok", "reply", "delivered", came, 1]
    assert (entries[3]["tries"], entries[3]["bind"]) == (2, BIND)
    assert await timeline(store, OTHER) == []


async def test_the_timeline_of_what_came_at_one_moment_is_in_order(store: Store) -> None:
    await post_reply(store)
    [out] = await claim(store)
    await store.write(outcomes.record, [Refused(out.id, 1, 0x0B, None, NOW)])
    entries = await timeline(store)
    assert steps(entries) == [
        *(("text_received", 0), ("text_posted", 0), ("text_sent", 0), ("text_refused", 0)),
    ]
    assert entries[-1]["status"] == 0x0B


async def test_each_part_is_told_and_the_words_once(store: Store) -> None:
    a, b = new_text(part=(7, 8, 2, 1)), new_text(part=(7, 8, 2, 2))
    ids = await take_in(store, a, b)
    await store.write(messages.read, [ReadText(ids, "ab", "AB", "unknown")], NOW)
    await store.write(outbox.post, [new_post(parts=2, text="long")], NOW)
    await claim(store)
    entries = await timeline(store)
    assert [entry["kind"] for entry in entries] == [
        *("text_received", "text_posted", "text_sent", "text_sent"),
    ]
    assert [entry.get("part") for entry in entries[2:]] == [1, 2]
    assert (entries[0]["text"], entries[1]["text"]) == ("ab", "long")


async def test_what_waits_and_what_there_is(store: Store) -> None:
    await take_in(store, new_text(), new_text(part=(7, 8, 2, 1)))
    await post_reply(store)
    await store.write(outbox.post, [new_post(), new_post(OTHER, account="acc2")], NOW)
    await claim(store, 1)
    await store.write(receipts.take_receipts, [new_receipt("x")])
    assert await store.read(texts.backlog) == Backlog(
        unread=2, parts_waiting=1, queued={"acc": 1, "acc2": 1}, sending={BIND: 1}, orphans=1
    )
    counted = await store.read(texts.counts)
    assert counted["in"] == {"received": 2, "waiting": 1}
    assert counted["out"] == {"queued": 2, "sending": 1}
    assert counted["receipts"] == {"orphan": 1}
    assert set(counted["loud"].values()) == {0}


async def test_an_empty_store_has_nothing_to_count(store: Store) -> None:
    assert await store.read(texts.backlog) == Backlog(0, 0, {}, {}, 0)
    assert (await store.read(texts.counts))["out"] == {}


async def test_the_export_has_both_directions_and_the_raw_pdu(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_ROWS_A_PAGE", 2)
    await take_in(store, new_text(at=NOW - timedelta(days=1)), new_text())
    await post_reply(store)
    await store.write(outbox.post, [new_post(parts=2)], NOW)
    rows = [json.loads(json.dumps(row)) async for row in exports.messages(store, NOW)]
    assert [(row["direction"], row["state"]) for row in rows] == [
        *(("in", "received"), ("in", "received")),
        *(("out", "queued"), ("out", "queued"), ("out", "queued")),
    ]
    assert bytes.fromhex(rows[0]["raw"]) == b"\x00rawTSTN"
    assert rows[0]["received_at"] == "2021-04-01T03:00:00+00:00"
    assert rows[2]["in_reply_to"] == rows[1]["text_id"]
    assert rows[4]["head_id"] == rows[3]["text_id"]


AT = "'2021-04-01 03:00:00.000000'"


def row_in(**other: str) -> str:
    values = {
        "id": "50",
        "account": "'acc'",
        "bind": "'b'",
        "received_at": AT,
        "source": "'849'",
        "destination": "'9231'",
        "data_coding": "0",
        "esm_class": "0",
        "raw": "''",
        "body": "''",
        "state": "'received'",
    }
    return _insert("messages_in", values | other)


def row_out(**other: str) -> str:
    values = {
        "id": "50",
        "part_number": "1",
        "part_total": "1",
        "account": "'acc'",
        "msisdn": "'+84900000001'",
        "source": "'9231'",
        "kind": "'manual'",
        "text": "'x'",
        "payload": "''",
        "data_coding": "0",
        "esm_class": "0",
        "once": "'k'",
        "posted_at": AT,
        "not_before": AT,
        "state": "'queued'",
        "tries": "0",
        "unanswered": "0",
    }
    return _insert("messages_out", values | other)


def row_receipt(**other: str) -> str:
    values = {
        "id": "50",
        "account": "'acc'",
        "received_at": AT,
        "raw": "''",
        "forms": "'[]'",
        "state": "'delivered'",
        "stat": "''",
        "matching": "'orphan'",
        "again_at": AT,
    }
    return _insert("receipts", values | other)


def row_opt_out(identity: str) -> str:
    values = {"id": identity, "msisdn": "'+84'", "at": AT, "applied_at": AT, "source_id": "'a'"}
    return _insert("opt_outs", values)


def _insert(table: str, values: dict[str, str]) -> str:
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"  # noqa: S608


PART = {"part_reference": "1", "part_bits": "8", "part_total": "2", "part_number": "1"}
SECOND_PART = {
    "head_id": "1",
    "part_number": "2",
    "part_total": "2",
    "text": "NULL",
    "once": "NULL",
}
LEGAL = (
    row_in(id="1"),
    row_in(id="2", state="'read'", read_at=AT, joined_into="1", repeat_of="1"),
    row_in(id="3", state="'waiting'", **PART),
    row_out(id="1", part_total="2"),
    row_out(id="2", **SECOND_PART),
    row_out(id="3", kind="'reply'", in_reply_to="1", once="'reply:1'", unanswered="1"),
    row_out(id="4", state="'accepted'", responded_at=AT, message_id="'m'", once="'m'"),
    row_receipt(id="1"),
    row_receipt(id="2", matching="'matched'", message_out_id="1", again_at="NULL"),
    "INSERT INTO sms_references VALUES ('9231', '849', 65535)",
    row_opt_out("1"),
)
REFUSED: dict[str, tuple[str, str]] = {
    "an unknown state of a text that came": (row_in(state="'new'"), "check"),
    "read at no time": (row_in(state="'read'"), "check"),
    "read already": (row_in(read_at=AT), "check"),
    "joined and not read": (row_in(joined_into="1"), "check"),
    "half a part": (row_in(part_number="1"), "check"),
    "part 3 of 2": (row_in(**PART | {"part_number": "3"}), "check"),
    "waits for nothing": (row_in(state="'waiting'"), "check"),
    "repeats nothing": (row_in(repeat_of="99"), "foreign"),
    "an unknown state of a text that goes": (row_out(state="'new'", once="'2'"), "check"),
    "an unknown kind": (row_out(kind="'advert'", once="'2'"), "check"),
    "one key twice": (row_out(), "unique"),
    "one part twice": (row_out(**SECOND_PART), "unique"),
    "a second part alone": (row_out(**SECOND_PART | {"head_id": "NULL"}), "check"),
    "a head without a key": (row_out(once="NULL"), "check"),
    "a head without words": (row_out(once="'2'", text="NULL"), "check"),
    "part 3 of 2 to send": (row_out(**SECOND_PART | {"part_number": "3"}), "check"),
    "a reply to nothing": (row_out(kind="'reply'", once="'reply:'"), "check"),
    "a second reply": (row_out(kind="'reply'", in_reply_to="1", once="'reply:1'"), "unique"),
    "a reply by another key": (row_out(kind="'reply'", in_reply_to="2", once="'2'"), "check"),
    "a reply to no text": (row_out(kind="'reply'", in_reply_to="9", once="'reply:9'"), "foreign"),
    "an invitation sent again": (
        row_out(kind="'invitation'", once="'2'", unanswered="1"),
        "check",
    ),
    "a reply sent a third time": (
        "UPDATE messages_out SET unanswered = 2 WHERE kind = 'reply'",
        "check",
    ),
    "sent by nobody": (row_out(once="'2'", state="'sending'", sending_at=AT), "check"),
    "accepted at no time": (row_out(once="'2'", state="'accepted'"), "check"),
    "an id without a response": (row_out(once="'2'", message_id="'x'"), "check"),
    "delivered at no time": (
        row_out(once="'2'", state="'delivered'", responded_at=AT),
        "check",
    ),
    "done and still accepted": (
        "UPDATE messages_out SET done_at = posted_at WHERE id = 4",
        "check",
    ),
    "a receipt of an unknown state": (row_receipt(state="'gone'"), "check"),
    "a receipt matched to nothing": (row_receipt(matching="'matched'", again_at="NULL"), "check"),
    "an orphan that never comes again": (row_receipt(again_at="NULL"), "check"),
    "a reference of 17 bits": ("INSERT INTO sms_references VALUES ('9', '8', 65536)", "check"),
    "one refusal twice": (
        row_opt_out("2"),
        "unique",
    ),
}


async def test_the_database_refuses(store: Store) -> None:
    async def run(*statements: str) -> None:
        await store.write(
            lambda c: [c.execute(text(sql.replace(":", "\\:"))) for sql in statements]
        )

    wrong = []
    for name, (illegal, rule) in REFUSED.items():
        try:
            await run(*LEGAL, illegal)
        except IntegrityError as error:
            if rule not in str(error.orig).lower() or error.statement != illegal:
                wrong.append(f"{name}: {error}")
        else:
            raise AssertionError(f"{name}: taken")
    assert wrong == []
    await run(*LEGAL)
