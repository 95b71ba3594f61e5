"""Texts through the whole service and a simulated SMSC, over real sockets. Both databases."""

import asyncio
from datetime import time
from typing import Any

import pytest

from domain.clock import utc_now
from domain.errors import ConfigError, StoreUnavailable
from domain.states import MessageOutState
from lab.smsc.server import Smsc
from lab.smsc.subscribers import MO
from sms.replies import DEFAULTS
from sms.service import Texts
from sms.setting import TextSetting
from store import outbox
from store.engine import Store
from store.models import MessageIn, MessageOut, Receipt, Registration
from tests.rows import NOW, all_rows, make_campaign, numbers
from tests.text_service import REPLIES, serving, until_rows
from tests.texts import new_post

AUDIENCE = numbers(20)


@pytest.fixture
async def audience(store: Store) -> Store:
    await make_campaign(store, AUDIENCE)
    return store


def tstn(msisdn: str, **other: Any) -> MO:
    return MO(source=msisdn.removeprefix("+"), text="TSTN", **other)


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
