"""Text campaigns on both databases: once each, at their rate, inside their hours; outcomes."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from domain.states import BrakeCause, CampaignState, MessageOutState, TargetState
from store import brakes, campaigns, outcomes, text_campaigns
from store.apply import apply
from store.brakes import Change, Scope
from store.consent import OptOutAsked, opt_out
from store.engine import Store
from store.models import MessageOut, Target
from store.receipts import take_receipts
from store.text_campaigns import HELD
from tests.dialling import World
from tests.rows import BY_NINE, NOW, all_rows, asked, numbers
from tests.text_campaigns import TextWorld, make_text_campaign
from tests.texts import give_back, new_receipt

SECOND = timedelta(seconds=1)
EVENING = NOW.replace(hour=14, minute=59, second=50)  # 21:59:50 in Vietnam


async def test_every_number_is_texted_once_and_the_campaign_is_finished(store: Store) -> None:
    await make_text_campaign(store, numbers(30), cps=20.0)
    world = TextWorld(store)
    await world.passes(8)
    assert Counter(world.numbers) == Counter(numbers(30))
    assert set((await world.outcomes()).values()) == {"sent"}
    assert await store.write(campaigns.finish_exhausted, world.now) == ["texts"]
    await world.passes(2)
    assert len(world.sent) == 30
    assert world.stirred > 0


async def test_the_calls_engine_leaves_text_campaigns_alone(store: Store) -> None:
    await make_text_campaign(store, numbers(3))
    calls = World(store)
    await calls.passes(1)
    assert calls.carrier.dialled == []
    assert {row["state"] for row in await all_rows(store, Target)} == {TargetState.READY}


async def test_the_rate_is_kept_and_tuned(store: Store) -> None:
    campaign = await make_text_campaign(store, numbers(200), cps=4.0)
    world = TextWorld(store)
    await world.passes(10)
    assert 36 <= len(world.sent) <= 43
    await store.write(campaigns.tune, campaign, {"cps": 20.0}, world.now)
    began = len(world.sent)
    await world.passes(5)
    assert 70 <= len(world.sent) - began <= 111


async def test_a_brake_slows_it_stops_it_and_is_overridden(store: Store) -> None:
    campaign = await make_text_campaign(store, numbers(300), cps=20.0)
    world = TextWorld(store)
    scope = Scope(BrakeCause.PROMISE, campaign_id=campaign.id)
    await store.write(brakes.put, scope, Change(0.25, "call-backs late"), world.now)
    await world.passes(10)
    assert 40 <= len(world.sent) <= 56
    assert world.engine.why_idle["texts"] == "slowed to 25% of its rate: call-backs late"
    await store.write(brakes.put, scope, Change(0.0, "call-backs late"), world.now)
    await world.passes(2)
    stopped = len(world.sent)
    await world.passes(5)
    assert len(world.sent) == stopped
    until = world.now + timedelta(hours=1)
    await store.write(brakes.override, scope, "hoa", until, world.now)
    await world.passes(5)
    assert len(world.sent) - stopped >= 70
    assert world.engine.why_idle == {}


async def test_a_pause_is_felt_within_two_seconds_however_slow_the_link(store: Store) -> None:
    await make_text_campaign(store, numbers(300), cps=100.0)
    world = TextWorld(store)
    await world.passes(10, tps=8)
    assert 60 <= len(world.sent) <= 80  # the link's rate is used
    # What a link has claimed it writes; as many as it sends in two seconds, no more.
    taken = await world.take(1000)
    assert len(taken) <= 16
    taken_at = world.now
    await world.move(CampaignState.PAUSED)
    await world.passes(3)
    assert len({out.id for _, out in world.sent}) == len(world.sent)
    assert (await world.take()) == []
    held = [row for row in await all_rows(store, MessageOut) if row["not_before"] == HELD]
    assert {row["state"] for row in held} <= {MessageOutState.SENDING}
    await give_back(store, taken, taken_at)  # the link has ended
    assert (await world.take()) == []
    await world.move(CampaignState.RUNNING)
    world.sent = world.sent[: -len(taken)]
    await world.passes(60)
    assert Counter(world.numbers) == Counter(numbers(300))


async def test_nothing_goes_out_after_the_window_though_the_link_comes_back(store: Store) -> None:
    await make_text_campaign(store, numbers(40), cps=10.0)
    world = TextWorld(store, now=EVENING)
    await world.engine.tick()  # posted; there is no link
    queued = len(await all_rows(store, MessageOut))
    assert queued > 0
    world.now = EVENING + 11 * SECOND
    await world.passes(5)
    assert world.sent == []
    assert "outside the window of texts until 2021-04-02T00:00" in world.engine.why_idle["texts"]
    world.now = EVENING + timedelta(hours=9, seconds=15)
    await world.passes(20)
    assert Counter(world.numbers) == Counter(numbers(40))


async def test_a_stopped_campaign_sends_nothing_more(store: Store) -> None:
    await make_text_campaign(store, numbers(10), cps=10.0)
    world = TextWorld(store)
    await world.engine.tick()
    posted = len(await all_rows(store, MessageOut))
    await world.move(CampaignState.STOPPED)
    await world.passes(3)
    assert world.sent == []
    assert Counter((await world.outcomes()).values()) == {
        None: 10 - posted,
        "campaign_stopped": posted,
    }


async def test_who_opts_out_or_registers_is_not_texted(store: Store) -> None:
    await make_text_campaign(store, numbers(4), cps=1.0)
    world = TextWorld(store)
    await world.engine.tick()  # the first one is in the outbox
    refusals = [OptOutAsked(number, world.now, f"sms:{number}") for number in numbers(2)]
    await store.write(opt_out, refusals, world.now)
    await store.write(apply, [asked(numbers(3)[2], world.now)], BY_NINE)
    await world.passes(6)
    assert world.numbers == numbers(4)[3:]
    assert await world.outcomes() == dict(
        zip(numbers(4), ["opted_out", "opted_out", "already_registered", "sent"], strict=True)
    )


async def test_outcomes_follow_what_becomes_of_the_texts(store: Store) -> None:
    await make_text_campaign(store, numbers(5), cps=100.0)
    world = TextWorld(store)
    taken = {}
    while len(taken) < 5:
        world.now += SECOND / 4
        await world.engine.tick()
        for out in await world.take():
            taken[out.msisdn] = out
            await store.write(outcomes.record, [outcomes.Sent(out.id, f"id{out.id}", world.now)])
    await world.passes(1)
    assert set((await world.outcomes()).values()) == {"sent"}
    first, second, third = (taken[number] for number in numbers(3))
    await store.write(
        take_receipts,
        [
            new_receipt(f"id{first.id}", forms=(f"id{first.id}",), msisdn=first.msisdn),
        ],
    )
    await store.write(_set, second.id, MessageOutState.UNKNOWN)
    await store.write(_set, third.id, MessageOutState.FAILED)
    await world.passes(1)
    assert list((await world.outcomes()).values()) == [
        "delivered",
        "unknown",
        "failed",
        "sent",
        "sent",
    ]
    # A late answer still counts, and a text is never sent again for it.
    await store.write(outcomes.record, [outcomes.Sent(second.id, "late", world.now)])
    await world.passes(2)
    assert (await world.outcomes())[second.msisdn] == "sent"
    assert len(world.sent) == 5


def _set(connection: Connection, identity: int, state: MessageOutState) -> None:
    connection.execute(
        update(MessageOut).where(MessageOut.id == identity).values(state=state, message_id=None)
    )


async def test_texts_that_wait_for_tomorrow_do_not_hold_up_the_others(store: Store) -> None:
    """The gate may send a text back to the queue, until its number may have another one."""
    await make_text_campaign(store, numbers(12), cps=10.0)
    world = TextWorld(store)
    await world.engine.tick()
    await store.write(_wait_till_tomorrow)
    waiting = len(await all_rows(store, MessageOut))
    await world.passes(5)
    assert len(world.sent) == 12 - waiting
    await store.write(_refuse_waiting)
    await world.passes(1)
    assert Counter((await world.outcomes()).values())["do_not_call"] == waiting


def _wait_till_tomorrow(connection: Connection) -> None:
    connection.execute(update(MessageOut).values(not_before=NOW + timedelta(days=1)))


def _refuse_waiting(connection: Connection) -> None:
    refused = update(MessageOut).where(MessageOut.state == MessageOutState.QUEUED)
    connection.execute(refused.values(state=MessageOutState.FAILED, error="do_not_call"))


async def test_a_long_text_counts_as_one_and_is_done_with_its_last_part(store: Store) -> None:
    await make_text_campaign(store, numbers(2), text="ạ" * 150, cps=50.0)
    world = TextWorld(store)
    await world.engine.tick()
    taken = await world.take()
    assert Counter(out.msisdn for out in taken) == dict.fromkeys(numbers(len(taken) // 3), 3)
    one = [out for out in taken if out.msisdn == numbers(1)[0]]
    for out in one[:2]:
        await store.write(outcomes.record, [outcomes.Sent(out.id, f"id{out.id}", world.now)])
    await world.engine.tick()
    assert (await world.outcomes())[numbers(1)[0]] is None
    await store.write(outcomes.record, [outcomes.Sent(one[2].id, "last", world.now)])
    await world.engine.tick()
    assert (await world.outcomes())[numbers(1)[0]] == "sent"


async def test_a_campaign_of_long_texts_ends_although_its_link_was_lost(store: Store) -> None:
    await make_text_campaign(store, numbers(6), text="ạ" * 150, cps=2.0)
    world = TextWorld(store)
    await world.engine.tick()
    head, *rest = await world.take(1)
    world.sent.clear()
    await store.write(outcomes.record, [outcomes.Sent(head.id, "head", world.now)])
    await give_back(store, rest, world.now)
    await world.passes(5)
    assert Counter(world.numbers) == {**dict.fromkeys(numbers(6), 3), head.msisdn: 2}
    assert await store.write(campaigns.finish_exhausted, world.now) == ["texts"]
    assert set((await world.outcomes()).values()) == {"sent"}


async def test_a_target_that_is_made_ready_again_is_not_texted_again(store: Store) -> None:
    """Whatever an operator recycles: the key stands, and the target is done as it was."""
    await make_text_campaign(store, numbers(3), cps=50.0)
    world = TextWorld(store)
    await world.passes(2)
    assert len(world.sent) == 3
    await store.write(_recycle)
    await world.passes(2)
    assert len(world.sent) == 3
    assert set((await world.outcomes()).values()) == {"sent"}
    assert len(await all_rows(store, MessageOut)) == 3


def _recycle(connection: Connection) -> None:
    connection.execute(update(Target).values(state=TargetState.READY, outcome=None))


async def test_what_a_server_can_not_send_it_leaves_and_says_so(store: Store) -> None:
    await make_text_campaign(store, numbers(2))
    await make_text_campaign(store, numbers(2), name="ads", purpose="advertising")
    world = TextWorld(store, accounts=["other"])
    await world.passes(1)
    assert world.engine.why_idle["texts"] == "this server has no SMSC account acc"
    world = TextWorld(store)
    await world.passes(2)
    assert world.engine.why_idle == {"ads": "an advertising text must begin with [QC]"}
    assert len(world.sent) == 2


async def test_a_campaign_that_was_paused_since_it_was_read_gets_nothing_posted(
    store: Store,
) -> None:
    campaign = await make_text_campaign(store, numbers(2))
    assert await store.write(text_campaigns.go_on, campaign.id, NOW, SECOND) is not None
    await store.write(campaigns.move, campaign, CampaignState.PAUSED, NOW)
    assert await store.write(text_campaigns.go_on, campaign.id, NOW, SECOND) is None


async def test_nothing_is_done_without_text_campaigns(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An idle server must not write four times a second."""
    world = TextWorld(store)
    monkeypatch.setattr(store, "write", None)
    await world.engine.tick()
