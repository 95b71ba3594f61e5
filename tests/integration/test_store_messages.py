"""Texts from subscribers: all kept, read once, on both databases. I/O."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from store import messages, parts
from store.engine import Store, open_store
from store.messages import ReadText, Unread
from store.models import MessageIn
from store.parts import Joined
from tests.rows import NOW, all_rows
from tests.texts import NUMBER, OTHER, SECOND, new_text, take_in

HOUR = timedelta(hours=1)


async def unread(store: Store, limit: int = 100) -> list[Unread]:
    return await store.write(messages.unread, limit)


async def read(store: Store, *results: ReadText) -> None:
    await store.write(messages.read, results, NOW + SECOND)


async def whole(store: Store, after: timedelta = SECOND, limit: int = 100) -> list[Joined]:
    return await store.write(parts.whole, NOW + after, 60, limit)


def understood(*ids: int, **other: Any) -> ReadText:
    values: dict[str, Any] = {"text": "tstn", "fold": "TSTN", "verdict": "register"}
    return ReadText(ids, **(values | other))


def bodies(texts: list[Joined]) -> list[list[bytes]]:
    return [[part.body for part in text.parts] for text in texts]


async def test_a_text_is_kept_as_it_came_and_read_once(store: Store) -> None:
    first, second = await take_in(store, new_text(), new_text(OTHER, body=b"HUY", data_coding=8))
    assert first < second
    found = await unread(store)
    assert [(t.id, t.msisdn, t.body) for t in found] == [
        (first, NUMBER, b"TSTN"),
        (second, OTHER, b"HUY"),
    ]
    assert (found[0].received_at, found[0].part, found[1].data_coding) == (NOW, None, 8)
    await read(store, understood(first, answer="registered"), understood(second, text=None))
    assert await unread(store) == []
    rows = await all_rows(store, MessageIn)
    assert rows[0]["raw"] == b"\x00rawTSTN"
    assert [rows[0][name] for name in ("state", "text", "fold", "verdict", "answer", "read_at")] \
        == ["read", "tstn", "TSTN", "register", "registered", NOW + SECOND]  # fmt: skip
    assert rows[1]["text"] is None


async def test_what_was_read_is_not_read_differently_later(store: Store) -> None:
    [one] = await take_in(store, new_text())
    await read(store, understood(one, answer="registered"))
    await read(store, understood(one, answer="already_registered", verdict="cancel"))
    [row] = await all_rows(store, MessageIn)
    assert (row["answer"], row["verdict"]) == ("registered", "register")


async def test_the_oldest_come_first_and_no_more_than_asked(store: Store) -> None:
    ids = await take_in(store, *(new_text() for _ in range(5)))
    ids += await take_in(store, *(new_text() for _ in range(3)))
    assert [text.id for text in await unread(store, 4)] == ids[:4]
    assert await take_in(store) == []


async def test_what_no_database_can_hold_is_replaced_and_what_is_odd_is_kept(
    store: Store,
) -> None:
    """Refusing it would bring it again for ever."""
    odd = new_text(
        None, source="a\0b\udc80" + "x" * 300, destination="9231\0", body=b"\0\xff", data_coding=255
    )
    [one] = await take_in(store, odd)
    await read(store, understood(one, text="a\0b\ud800c", fold="Đ"))
    [row] = await all_rows(store, MessageIn)
    assert row["source"].startswith("a\ufffdb")
    assert row["source"].endswith("x" * 300)
    assert (row["destination"], row["body"]) == ("9231\ufffd", b"\0\xff")
    assert "\0" not in row["text"]
    assert row["text"][-1] == "c"
    assert row["fold"] == "Đ"


@pytest.mark.parametrize("part", [(7, 8, 2, 3), (7, 8, 2, 0), (7, 8, 0, 0)])
async def test_a_part_that_can_not_be_is_a_text(store: Store, part: Any) -> None:
    await take_in(store, new_text(part=part))
    assert [text.part for text in await unread(store)] == [None]


async def test_parts_are_joined_whatever_their_order(store: Store) -> None:
    await take_in(store, new_text(part=(7, 8, 3, 3), body=b"c"))
    await take_in(store, new_text(part=(7, 8, 3, 1), body=b"a"))
    assert await unread(store) == await whole(store) == []
    await take_in(store, new_text(part=(7, 8, 3, 2), body=b"b"))
    [text] = await whole(store)
    assert bodies([text]) == [[b"a", b"b", b"c"]]
    assert text.is_complete
    await read(store, understood(*text.ids, text="abc"))
    assert await whole(store, HOUR) == []
    rows = await all_rows(store, MessageIn)
    head = text.ids[0]
    assert {row["id"]: (row["text"], row["joined_into"]) for row in rows} == {
        head: ("abc", None),
        text.ids[1]: (None, head),
        text.ids[2]: (None, head),
    }


async def test_a_part_that_comes_twice_counts_once_and_is_read_with_the_others(
    store: Store,
) -> None:
    two = new_text(part=(7, 16, 2, 2), body=b"b")
    ids = await take_in(store, two, two)
    assert await whole(store) == []
    ids += await take_in(store, new_text(part=(7, 16, 2, 1), body=b"a"), two)
    [text] = await whole(store)
    assert bodies([text]) == [[b"a", b"b"]]
    assert text.ids[:2] == [ids[2], ids[0]]
    assert sorted(text.ids) == ids
    await read(store, understood(*text.ids))
    assert await whole(store, HOUR) == []


async def test_parts_of_different_texts_are_not_joined(store: Store) -> None:
    one = new_text(part=(7, 8, 2, 1))
    others = [
        new_text(OTHER, part=(7, 8, 2, 2)),
        new_text(part=(8, 8, 2, 2)),
        new_text(part=(7, 16, 2, 2)),
        new_text(part=(7, 8, 3, 2)),
        new_text(part=(7, 8, 2, 2), account="acc2"),
        new_text(part=(7, 8, 2, 2), destination="9090"),
    ]
    await take_in(store, one, *others)
    assert await whole(store) == []
    late = await whole(store, timedelta(seconds=61))
    assert [len(text.parts) for text in late] == [1] * 7
    assert len(await whole(store, timedelta(seconds=61), limit=3)) == 3


async def test_after_the_wait_what_there_is_is_given(store: Store) -> None:
    await take_in(store, new_text(part=(7, 8, 3, 3), body=b"c"), new_text(part=(7, 8, 3, 1)))
    assert await whole(store, timedelta(seconds=60)) == []
    [text] = await whole(store, timedelta(seconds=60.001))
    assert bodies([text]) == [[b"TSTN", b"c"]]
    assert not text.is_complete


async def test_a_part_sent_again_after_its_text_was_read_is_no_text_of_its_own(
    store: Store,
) -> None:
    a, b = new_text(part=(7, 8, 2, 1), body=b"a"), new_text(part=(7, 8, 2, 2), body=b"b")
    await take_in(store, a, b)
    [text] = await whole(store)
    await read(store, understood(*text.ids))
    [again] = await take_in(store, b)
    assert await whole(store, HOUR) == []
    row = (await all_rows(store, MessageIn))[-1]
    assert (row["id"], row["state"], row["joined_into"]) == (again, "read", text.ids[0])
    await take_in(store, new_text(part=(7, 8, 2, 2), body=b"other words"))
    assert bodies(await whole(store, HOUR)) == [[b"other words"]]


async def test_recent_are_the_texts_read_of_these_numbers(store: Store) -> None:
    old, one, two, stranger, _ = await take_in(
        store,
        new_text(at=NOW - 2 * HOUR),
        new_text(at=NOW - SECOND),
        new_text(OTHER),
        new_text("+84900000003"),
        new_text(),
    )
    await read(
        store,
        understood(old),
        understood(one, answer="registered"),
        understood(two, fold="HUY", verdict="cancel", repeat_of=one),
        understood(stranger),
    )
    found = await store.read(messages.recent, [NUMBER, OTHER, OTHER], NOW - HOUR)
    assert [(t.id, t.msisdn, t.fold, t.answer, t.repeat_of) for t in found] == [
        (one, NUMBER, "TSTN", "registered", None),
        (two, OTHER, "HUY", None, one),
    ]
    assert found[0].received_at == NOW - SECOND
    assert await store.read(messages.recent, [], NOW) == []


async def test_two_nodes_never_read_the_same_text(store: Store, store_url: str) -> None:
    other = open_store(store_url)
    await take_in(store, *(new_text() for _ in range(60)))

    def read_some(connection: Connection) -> list[int]:
        ids = [text.id for text in messages.unread(connection, 7)]
        messages.read(connection, [understood(i) for i in ids], NOW)
        return ids

    try:
        seen = await asyncio.gather(*((store, other)[n % 2].write(read_some) for n in range(12)))
    finally:
        await other.close()
    ids = [i for some in seen for i in some]
    assert len(ids) == len(set(ids)) == 60


async def test_a_group_that_fails_leaves_nothing(store: Store) -> None:
    def fail(connection: Connection) -> None:
        messages.take_in(connection, [new_text()])
        connection.execute(text("SELECT 1"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.write(fail)
    assert await all_rows(store, MessageIn) == []
