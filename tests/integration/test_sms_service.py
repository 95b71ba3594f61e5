"""Texts through the whole service and a simulated SMSC, over real sockets. Both databases."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import time, timedelta
from typing import Any

import pytest

from domain.clock import Clock, utc_now
from domain.errors import ConfigError, StoreUnavailable
from domain.states import MessageOutState, PostKind
from lab.smsc.server import Smsc
from lab.smsc.setting import TSTN
from lab.smsc.subscribers import MO
from sms.esme.setting import BindSetting
from sms.replies import DEFAULTS
from sms.service import Texts
from sms.setting import TextSetting
from store import outbox, outcomes
from store.engine import Store
from store.models import MessageIn, MessageOut, Receipt, Registration
from store.outcomes import Unsent
from tests.rows import NOW, all_rows, make_campaign, numbers
from tests.texts import new_post

REPLIES = {str(kind): text for kind, text in DEFAULTS.items()}
AUDIENCE = numbers(20)
PATIENCE_SECONDS = 0.3


@asynccontextmanager
async def serving(
    store: Store, smsc: Smsc, clock: Clock = utc_now, **bind: Any
) -> AsyncIterator[Texts]:
    """The service with one bind, while the block runs."""
    setting = BindSetting(
        **{
            "name": "node1:acc:1",
            "account": "acc",
            "host": "127.0.0.1",
            "port": smsc.port,
            "system_id": TSTN.system_id,
            "password": TSTN.password,
            "retry_seconds": (0.05, 0.2),
            **bind,
        }
    )
    setting_of_texts = TextSetting(REPLIES, {}, time(21), patience_seconds=PATIENCE_SECONDS)
    texts = Texts([setting], {}, setting_of_texts, store, clock)
    running = asyncio.create_task(texts.run())
    try:
        yield texts
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def audience(store: Store) -> Store:
    await make_campaign(store, AUDIENCE)
    return store


def tstn(msisdn: str, **other: Any) -> MO:
    return MO(source=msisdn.removeprefix("+"), text="TSTN", **other)


async def until_rows(
    store: Store, row: type[Any], holds: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while not holds(rows := await all_rows(store, row)):
            await asyncio.sleep(0.02)
    return rows


async def until_done(store: Store) -> list[dict[str, Any]]:
    """Until nothing waits in the outbox, nor is on its way."""
    return await until_rows(
        store, MessageOut, lambda rows: not {"queued", "sending"} & {row["state"] for row in rows}
    )


async def test_a_text_is_stored_acknowledged_registered_answered_and_receipted(
    audience: Store,
) -> None:
    async with Smsc() as smsc, serving(audience, smsc):
        for number in AUDIENCE:
            await smsc.send(tstn(number))
        await smsc.until(lambda: len(smsc.journal.texts) == len(AUDIENCE))
        assert {text.text for text in smsc.journal.texts} == {DEFAULTS["ok"]}
        assert {mo.status for mo in smsc.journal.mos} == {0}
        await until_rows(
            audience,
            MessageOut,
            lambda rows: {row["state"] for row in rows} == {MessageOutState.DELIVERED},
        )
    assert len(await all_rows(audience, Registration)) == len(AUDIENCE)
    assert len(await all_rows(audience, Receipt)) == len(AUDIENCE)


async def test_a_store_that_fails_makes_the_smsc_try_again(
    audience: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = audience.write

    async def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("the store can't be reached: it is away")

    async with Smsc() as smsc, serving(audience, smsc):
        await smsc.until(lambda: bool(smsc.sessions))
        monkeypatch.setattr(audience, "write", away)
        await smsc.send(tstn(AUDIENCE[0]))
        await smsc.until(lambda: smsc.counts().get("mo_refused", 0) > 0)
        assert [mo.status for mo in smsc.journal.mos] == [None]
        monkeypatch.setattr(audience, "write", write)
        await smsc.until(lambda: len(smsc.journal.texts) == 1)
        [mo] = smsc.journal.mos
        assert mo.status == 0
        assert mo.refusals > 0
    assert len(await all_rows(audience, MessageIn)) == 1


async def test_a_store_that_hangs_makes_the_smsc_try_again(
    audience: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, go_on = audience.write, asyncio.Event()

    async def slow(*args: Any, **kwargs: Any) -> Any:
        await go_on.wait()
        return await write(*args, **kwargs)

    async with Smsc() as smsc, serving(audience, smsc):
        await smsc.until(lambda: bool(smsc.sessions))
        monkeypatch.setattr(audience, "write", slow)
        await smsc.send(tstn(AUDIENCE[0]))
        await smsc.until(lambda: smsc.counts().get("mo_refused", 0) > 1)
        go_on.set()
        await smsc.until(lambda: len(smsc.journal.texts) == 1)
        await smsc.until(lambda: [mo.status for mo in smsc.journal.mos] == [0])
    assert len(await all_rows(audience, Registration)) == 1
    assert len(await all_rows(audience, MessageOut)) == 1, "late commits count as repeats"


async def test_what_was_claimed_and_not_written_goes_back_when_the_link_ends(
    audience: Store,
) -> None:
    invitations = [
        new_post(number, PostKind.INVITATION, once=f"i{number}", campaign_id=1)
        for number in AUDIENCE
    ]
    await audience.write(outbox.post, invitations, NOW)
    async with Smsc() as smsc:
        smsc.set_faults(latency_seconds=30.0)
        async with serving(audience, smsc, window=3):
            await smsc.until(lambda: smsc.counts().get("mt", 0) == 3)
            smsc.clear_faults()
            smsc.cut("the test wants it")
            await smsc.until(lambda: len(smsc.journal.mts) == len(AUDIENCE))
            rows = await until_done(audience)
    unknown = [row for row in rows if row["state"] == MessageOutState.UNKNOWN]
    assert len(unknown) == 3, "an invitation without an answer is never sent again"
    assert {row["tries"] for row in rows} == {1}
    assert {mt.message.destination.digits for mt in smsc.journal.mts} == {
        n.removeprefix("+") for n in AUDIENCE
    }


async def long_invitation(store: Store) -> None:
    """One in three parts; with a window of 1 the link has its first two, one by one."""
    post = new_post(AUDIENCE[0], PostKind.INVITATION, once="1:1", campaign_id=1, parts=3)
    await store.write(outbox.post, [post], NOW)


async def until_sent(store: Store, smsc: Smsc) -> list[str]:
    """Until the SMSC has the three parts, each once, and nothing waits; the states of the rows."""
    await smsc.until(lambda: len(smsc.journal.mts) >= 3)
    rows = await until_done(store)
    payloads = [mt.message.payload for mt in smsc.journal.mts]
    assert payloads == [b"xin chao0", b"xin chao1", b"xin chao2"]
    return [row["state"] for row in rows]


async def test_a_long_text_goes_on_after_its_link_was_lost(audience: Store) -> None:
    await long_invitation(audience)
    async with Smsc() as smsc:
        smsc.set_faults(latency_seconds=0.1, receipts=False)
        async with serving(audience, smsc, window=1):
            await smsc.until(lambda: len(smsc.journal.mts) == 2)
            smsc.cut("the test wants it")
            assert await until_sent(audience, smsc) == ["accepted", "unknown", "accepted"]


async def test_a_long_text_goes_on_at_the_next_start(audience: Store) -> None:
    await long_invitation(audience)
    async with Smsc() as smsc:
        smsc.set_faults(latency_seconds=0.1, receipts=False)
        async with serving(audience, smsc, window=1):
            await smsc.until(lambda: len(smsc.journal.mts) == 2)
        assert [row["state"] for row in await all_rows(audience, MessageOut)] == [
            *("accepted", "accepted", "queued"),
        ]
        async with serving(audience, smsc, window=1):
            assert await until_sent(audience, smsc) == ["accepted"] * 3


async def test_what_was_claimed_long_ago_goes_back_unsent(audience: Store) -> None:
    ahead = timedelta(0)
    await audience.write(outbox.post, [new_post(number) for number in AUDIENCE], NOW)
    async with Smsc() as smsc:
        smsc.set_faults(latency_seconds=1.0)
        async with serving(audience, smsc, lambda: utc_now() + ahead, window=10):
            await smsc.until(lambda: smsc.counts().get("mt", 0) == 10)
            ahead = timedelta(minutes=6)
            late = utc_now() + ahead
            await smsc.until(lambda: len(smsc.journal.mts) == len(AUDIENCE))
            rows = await until_rows(
                audience,
                MessageOut,
                lambda rows: {row["state"] for row in rows} <= {"accepted", "delivered"},
            )
    assert {row["tries"] for row in rows} == {1}
    claimed_again = [row for row in rows if row["sending_at"] >= late]
    assert len(claimed_again) == 10, "those that were not written with the first ten"


async def test_a_claim_that_was_committed_though_its_answer_was_lost_is_sent(
    audience: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, lost = audience.write, []

    async def answers_too_late(operation: Any, *args: Any, **kwargs: Any) -> Any:
        done = await write(operation, *args, **kwargs)
        if operation.__name__ == "_claim_rows" and done and not lost:
            lost.extend(done)
            raise StoreUnavailable("the store can't be reached: it died in its COMMIT")
        return done

    monkeypatch.setattr(audience, "write", answers_too_late)
    async with Smsc() as smsc, serving(audience, smsc):
        await smsc.until(lambda: bool(smsc.sessions))
        await write(outbox.post, [new_post(number) for number in AUDIENCE], NOW)
        await smsc.until(lambda: len(smsc.journal.mts) == len(AUDIENCE))
    assert 0 < len(lost) <= len(AUDIENCE)  # the first claim: what the window has room for
    assert {row["tries"] for row in await all_rows(audience, MessageOut)} == {1}


async def test_a_give_back_that_was_committed_though_its_answer_was_lost_sends_nothing_twice(
    audience: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, told = audience.write, list[Any]()
    async with Smsc() as smsc:

        async def answers_too_late(operation: Any, *args: Any, **kwargs: Any) -> Any:
            outs = args[0] if operation is outcomes.record else ()
            is_unsent = any(isinstance(out, Unsent) for out in outs)
            if is_unsent and told:  # once they are on the next link
                await smsc.until(lambda: len(smsc.journal.mts) == 6)
            done = await write(operation, *args, **kwargs)
            told.extend(outs if is_unsent else ())
            if is_unsent and told == outs:
                raise StoreUnavailable("the store can't be reached: it died in its COMMIT")
            return done

        monkeypatch.setattr(audience, "write", answers_too_late)
        smsc.set_faults(latency_seconds=1.0, receipts=False)
        async with serving(audience, smsc, window=3):
            await smsc.until(lambda: bool(smsc.sessions))
            await write(outbox.post, [new_post(number) for number in AUDIENCE[:6]], NOW)
            await smsc.until(lambda: len(smsc.journal.mts) == 3)
            smsc.cut("the test wants it")
            await until_done(audience)
        assert sum(isinstance(out, Unsent) for out in told) == 2 * 3, "told twice"
        assert len({mt.message.destination.digits for mt in smsc.journal.mts}) == 6
        assert len(smsc.journal.mts) == 6


async def test_stopping_leaves_nothing_in_between(audience: Store) -> None:
    posts = [new_post(number) for number in AUDIENCE]
    await audience.write(outbox.post, posts, NOW)
    async with Smsc() as smsc:
        async with serving(audience, smsc, tps=20.0):
            await smsc.until(lambda: smsc.counts().get("mt", 0) > 2)
        states = {row["state"] for row in await all_rows(audience, MessageOut)}
        assert MessageOutState.SENDING not in states
        assert MessageOutState.QUEUED in states


async def test_replies_that_do_not_fit_are_refused_at_start(store: Store) -> None:
    setting = TextSetting({**REPLIES, "ok": "x" * 161}, {}, time(21))
    with pytest.raises(ConfigError, match="reply ok: 161"):
        Texts([], {}, setting, store, utc_now)
