"""Texts for the tests of the store: those that come in, those that go out. I/O."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from domain.states import PostKind, ReceiptState
from store import messages, outbox, outcomes
from store.engine import Store
from store.messages import NewText
from store.models import MessageIn
from store.outbox import Outgoing, PartRow, Post
from store.outcomes import Unsent
from store.receipts import NewReceipt
from tests.rows import NOW, all_rows

NUMBER, OTHER = "+84900000001", "+84900000002"
SECOND = timedelta(seconds=1)
BIND = "node1:acc:1"
_anew = count()


def new_text(
    msisdn: str | None = NUMBER,
    part: tuple[int, int, int, int] | None = None,
    at: datetime = NOW,
    body: bytes = b"TSTN",
    **other: Any,
) -> NewText:
    """A text to 9231."""
    values: dict[str, Any] = {
        "account": "acc",
        "bind": BIND,
        "received_at": at,
        "source": (msisdn or "+9090").removeprefix("+"),
        "msisdn": msisdn,
        "destination": "9231",
        "data_coding": 0,
        "esm_class": 0,
        "raw": b"\x00raw" + body,
        "body": body,
        "part": part,
    }
    return NewText(**(values | other))


async def take_in(store: Store, *texts: NewText) -> list[int]:
    """Keep texts from subscribers; the ids of their rows."""
    await store.write(messages.take_in, texts)
    ids = [row["id"] for row in await all_rows(store, MessageIn)]
    return ids[len(ids) - len(texts) :]


def new_post(
    msisdn: str = NUMBER,
    kind: PostKind = PostKind.MANUAL,
    text: str = "xin chao",
    parts: int | tuple[PartRow, ...] = 1,
    **other: Any,
) -> Post:
    """A text from 9231."""
    values: dict[str, Any] = {
        "account": "acc",
        "msisdn": msisdn,
        "source": "9231",
        "kind": kind,
        "text": text,
        "parts": parts
        if isinstance(parts, tuple)
        else tuple(PartRow(f"{text}{n}".encode(), 0, 0) for n in range(parts)),
    }
    return Post(**(values | other))


async def post_reply(store: Store, msisdn: str = NUMBER, **other: Any) -> int:
    """A text comes in, and its reply is queued."""
    [came] = await take_in(store, new_text(msisdn))
    reply = new_post(msisdn, PostKind.REPLY, in_reply_to=came, **other)
    [queued] = await store.write(outbox.post, [reply], NOW)
    return queued


async def claim(
    store: Store, limit: int = 100, now: datetime = NOW, bind: str = BIND, account: str = "acc"
) -> list[Outgoing]:
    """Claim in a transaction of its own."""
    return await store.write(outbox.claim, account, bind, limit, now)


async def give_back(
    store: Store, outs: Iterable[Outgoing], claimed_at: datetime = NOW, bind: str = BIND
) -> None:
    """That bind has not written them."""
    await store.write(outcomes.record, [Unsent(out.id, bind, claimed_at) for out in outs])


async def send(store: Store, message_id: str | None = None, **other: Any) -> Outgoing:
    """Post, claim, and have it accepted under that id."""
    await store.write(outbox.post, [new_post(**other)], NOW)
    [out] = await claim(store)
    taken = outcomes.Sent(out.id, message_id or f"id{next(_anew)}", NOW + SECOND)
    await store.write(outcomes.record, [taken])
    return out


def new_receipt(
    message_id: str | None, state: ReceiptState = ReceiptState.DELIVERED, **other: Any
) -> NewReceipt:
    """A receipt from the account's SMSC."""
    values: dict[str, Any] = {
        "account": "acc",
        "raw": b"\x00receipt",
        "message_id": message_id,
        "forms": (),
        "state": state,
        "stat": state.name[:7],
        "error": "000",
        "received_at": NOW + 2 * SECOND,
    }
    return NewReceipt(**(values | other))
