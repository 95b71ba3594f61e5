"""Answers that come after their time was up, through the whole service. Both databases.

The SMSC is told what to answer, and the binds' clock is in the test's hand.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import time
from functools import partial
from typing import Any

import pytest

from domain.states import PostKind
from sms.esme.group import Binds
from sms.replies import DEFAULTS
from sms.service import Texts
from sms.setting import TextSetting
from store import outbox
from store.engine import Store
from store.models import MessageOut
from tests.fakes.smsc_peer import SUBMIT, PeerLink, SmscPeer, accepted
from tests.rows import NOW, all_rows
from tests.texting import Hand, setting
from tests.texts import NUMBER, OTHER, new_post, post_reply

REPLIES = {str(kind): text for kind, text in DEFAULTS.items()}
TIME_OUT_SECONDS, LATE_SECONDS = 0.5, 0.6


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
async def smsc() -> AsyncIterator[SmscPeer]:
    async with SmscPeer() as peer:
        yield peer


@pytest.fixture
async def texts(
    store: Store, smsc: SmscPeer, clock: Hand, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Texts]:
    """The service with one bind, which sends a text at a time."""
    monkeypatch.setattr("sms.service.Binds", partial(Binds, now=clock))
    monkeypatch.setattr("sms.sender._LOOK_SECONDS", 0.02)
    bind = setting(
        smsc,
        name="node1:acc:1",
        account="acc",
        window=1,
        response_timeout_seconds=TIME_OUT_SECONDS,
        drain_seconds=0.1,
    )
    texts = Texts([bind], {}, TextSetting(REPLIES, {}, time(21)), store, lambda: NOW)
    running = asyncio.create_task(texts.run())
    yield texts
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def link(smsc: SmscPeer, texts: Texts) -> PeerLink:
    return await smsc.bound()


async def until(store: Store, identity: int, **wanted: Any) -> None:
    async with asyncio.timeout(10):
        while True:
            rows = {row["id"]: row for row in await all_rows(store, MessageOut)}
            if rows[identity].items() >= wanted.items():
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("kind", [PostKind.INVITATION, PostKind.MANUAL])
async def test_a_text_of_which_nobody_knew_was_taken_after_all(
    store: Store, link: PeerLink, clock: Hand, kind: PostKind
) -> None:
    [text] = await store.write(outbox.post, [new_post(kind=kind, once="i")], NOW)
    late = await link.expect(SUBMIT)
    clock.at += LATE_SECONDS
    await until(store, text, state="unknown")
    link.write(accepted(late.sequence, b"late"))
    await until(store, text, state="accepted", message_id="late")


async def test_a_reply_that_was_taken_late_is_not_sent_again_though_it_is_claimed_again(
    store: Store, link: PeerLink, clock: Hand
) -> None:
    reply = await post_reply(store)
    late = await link.expect(SUBMIT)
    [other] = await store.write(outbox.post, [new_post(OTHER)], NOW)
    await until(store, other, state="sending")  # claimed ahead, and not written yet
    clock.at += LATE_SECONDS
    second = await link.expect(SUBMIT)
    await until(store, reply, state="sending", tries=2)
    link.write(accepted(late.sequence, b"late"))
    await until(store, reply, state="accepted", message_id="late", unanswered=1)
    link.write(accepted(second.sequence, b"other"))
    await until(store, other, state="accepted", message_id="other")
    [last] = await store.write(outbox.post, [new_post(NUMBER, text="last")], NOW)
    third = await link.expect(SUBMIT)
    assert b"last" in third.body
    link.write(accepted(third.sequence, b"last"))
    await until(store, last, state="accepted", message_id="last")
    await until(store, reply, state="accepted", message_id="late", tries=2)


async def test_a_reply_that_is_sent_again_and_then_taken_twice_keeps_its_first_id(
    store: Store, link: PeerLink, clock: Hand
) -> None:
    reply = await post_reply(store)
    first = await link.expect(SUBMIT)
    clock.at += LATE_SECONDS
    second = await link.expect(SUBMIT)
    link.write(accepted(first.sequence, b"one"))
    await until(store, reply, state="accepted", message_id="one")
    [other] = await store.write(outbox.post, [new_post(OTHER)], NOW)
    link.write(accepted(second.sequence, b"two"))
    third = await link.expect(SUBMIT)
    link.write(accepted(third.sequence, b"other"))
    await until(store, other, state="accepted", message_id="other")
    await until(store, reply, state="accepted", message_id="one")
