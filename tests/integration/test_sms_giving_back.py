"""What a bind has claimed and does not write, over real sockets: it waits again. Both databases."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from domain.clock import utc_now
from domain.errors import StoreUnavailable
from domain.states import MessageOutState, PostKind
from lab.smsc.server import Smsc
from store import outbox, outcomes
from store.consent import OptOutAsked, opt_out
from store.engine import Store
from store.models import MessageOut
from store.outcomes import Unsent
from tests.rows import NOW, all_rows, make_campaign, numbers
from tests.text_service import serving, until_done, until_rows
from tests.texts import new_post, post_reply

*AUDIENCE, STRANGER = numbers(21)


@pytest.fixture
async def audience(store: Store) -> Store:
    await make_campaign(store, AUDIENCE)
    return store


async def invite(store: Store, msisdns: Sequence[str] = AUDIENCE) -> None:
    posts = [
        new_post(number, PostKind.INVITATION, once=f"i{number}", campaign_id=1)
        for number in msisdns
    ]
    await store.write(outbox.post, posts, NOW)


async def until_sending(store: Store, count: int) -> None:
    """So many are claimed: on their way, or at hand for it."""
    await until_rows(
        store, MessageOut, lambda rows: [row["state"] for row in rows].count("sending") == count
    )


def texted(smsc: Smsc) -> list[str]:
    """The numbers, in the order of their texts."""
    return [f"+{mt.message.destination.digits}" for mt in smsc.journal.mts]


async def test_what_was_claimed_and_not_written_goes_back_when_the_link_ends(
    audience: Store,
) -> None:
    await invite(audience)
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
    assert sorted(texted(smsc)) == AUDIENCE


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


async def test_what_waited_at_hand_is_judged_again_and_replies_go_before_it(
    audience: Store,
) -> None:
    ahead = timedelta(0)
    await invite(audience)
    async with Smsc() as smsc:
        smsc.set_faults(latency_seconds=1.0, receipts=False)
        async with serving(audience, smsc, lambda: utc_now() + ahead, window=10):
            await smsc.until(lambda: len(smsc.journal.mts) == 10)
            await until_sending(audience, 20)
            now = utc_now()
            await audience.write(opt_out, [OptOutAsked(AUDIENCE[15], now, "web:1")], now)
            await post_reply(audience, STRANGER)
            ahead = timedelta(seconds=3)
            rows = await until_done(audience)
    invited = [number for number in AUDIENCE if number != AUDIENCE[15]]
    assert texted(smsc) == [*invited[:10], STRANGER, *invited[10:]]
    assert {row["msisdn"]: row["tries"] for row in rows if row["state"] == "accepted"} == (
        dict.fromkeys([*invited, STRANGER], 1)
    )


async def test_what_finds_no_room_goes_by_another_link(audience: Store) -> None:
    ahead = timedelta(0)
    await invite(audience)
    async with Smsc() as slow, Smsc() as smsc:
        slow.set_faults(latency_seconds=30.0)
        async with serving(audience, slow, lambda: utc_now() + ahead, window=3):
            await slow.until(lambda: len(slow.journal.mts) == 3)
            await until_sending(audience, 6)
            ahead = timedelta(seconds=3)
            async with serving(audience, smsc, name="node1:acc:2"):
                await smsc.until(lambda: len(smsc.journal.mts) == 17)
            await until_sending(audience, 3)
            slow.cut("the test wants it")
    assert sorted(texted(slow) + texted(smsc)) == AUDIENCE


async def test_a_text_that_is_begun_is_finished(audience: Store) -> None:
    ahead = timedelta(0)
    await long_invitation(audience)
    async with Smsc() as smsc:
        smsc.set_faults(latency_seconds=0.3, receipts=False)
        async with serving(audience, smsc, lambda: utc_now() + ahead, window=1):
            await smsc.until(lambda: len(smsc.journal.mts) == 1)
            now = utc_now()
            await audience.write(opt_out, [OptOutAsked(AUDIENCE[0], now, "web:1")], now)
            ahead = timedelta(seconds=3)
            assert await until_sent(audience, smsc) == ["accepted"] * 3


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
            await invite(audience, AUDIENCE[:6])
            await smsc.until(lambda: len(smsc.journal.mts) == 3)
            await until_sending(audience, 6)
            smsc.cut("the test wants it")
            await until_done(audience)
        assert sum(isinstance(out, Unsent) for out in told) == 2 * 3, "told twice"
        assert sorted(texted(smsc)) == AUDIENCE[:6]
