"""Recycling: only what is named, never whom a hard stop protects, told before and after. I/O."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from domain.addresses import Scheme
from domain.dispositions import Disposition
from domain.errors import InputError
from domain.states import CampaignState, ContactScope
from store import consent, phases, recycling
from store.apply import apply
from store.consent import OptOutAsked
from store.engine import Store
from store.models import Campaign, DoNotCall, DoNotCallList, Event, Target, table
from store.phases import NewPhase
from store.recycling import Choice, Look
from store.settlement import Verdict, settle
from tests.answering_calls import register
from tests.rows import BY_NINE, NOW, all_rows, claim_some, ended, make_campaign, numbers
from tests.text_campaigns import make_text_campaign

HOUR = timedelta(hours=1)


async def done(store: Store, count: int, outcome: str = "no_answer", **more: Any) -> int:
    """A campaign, all of whose numbers are done with."""
    campaign = await make_campaign(store, numbers(count), **more)
    await store.write(_done, outcome)
    return campaign.id


def _done(connection: Connection, outcome: str) -> None:
    connection.execute(
        update(Target).values(state="done", outcome=outcome, attempts_made=1, held_by="window")
    )


async def recycle(store: Store, chosen: Choice) -> dict[str, int]:
    found: dict[str, int] = {}
    last: str | None = ""
    while last is not None:
        batch = await store.write(recycling.recycle, chosen, NOW + HOUR, last)
        last = batch.last
        for word, count in batch.recycled.items():
            found[word] = found.get(word, 0) + count
    return found


async def ready(store: Store) -> list[str]:
    return [row["msisdn"] for row in await all_rows(store, Target) if row["state"] == "ready"]


async def test_what_is_previewed_is_what_is_recycled_and_recorded(store: Store) -> None:
    identity = await done(store, 9)
    await store.write(_outcome, "busy", 1, 3)
    await store.write(_outcome, "answered", 4, 4)
    chosen = Choice(identity, ["busy", "no_answer"])
    assert await store.read(recycling.preview, chosen, NOW) == Look(
        {"busy": 3, "no_answer": 5}, 0, 0, 0
    )
    assert await ready(store) == []
    assert await recycle(store, chosen) == {"busy": 3, "no_answer": 5}
    rows = await all_rows(store, Target)
    assert [row["msisdn"] for row in rows if row["outcome"] == "answered"] == [numbers(9)[3]]
    back = [row for row in rows if row["state"] == "ready"]
    assert {(row["outcome"], row["held_by"], row["not_before"]) for row in back} == {
        (None, None, NOW + HOUR)
    }
    assert {row["attempts_made"] for row in back} == {1}
    [event] = [row for row in await all_rows(store, Event) if row["kind"] == "campaign_recycled"]
    assert event["campaign_id"] == identity
    assert event["data"]["recycled"] == {"busy": 3, "no_answer": 5}
    assert await recycle(store, chosen) == {}


def _outcome(connection: Connection, outcome: str, first: int, last: int) -> None:
    connection.execute(update(Target).where(Target.id.between(first, last)).values(outcome=outcome))


async def test_whom_a_hard_stop_protects_is_left_out(store: Store) -> None:
    identity = await done(store, 6)
    registered, opted_out, listed, by_text_only, *others = numbers(6)
    await register(store, registered)
    await store.write(consent.opt_out, [OptOutAsked(opted_out, NOW, "sms:1")], NOW)
    await store.write(_listed, listed, ContactScope.VOICE)
    await store.write(_listed, by_text_only, ContactScope.SMS)
    chosen = Choice(identity, ["no_answer"])
    assert await store.read(recycling.preview, chosen, NOW) == Look({"no_answer": 3}, 3, 0, 0)
    assert await recycle(store, chosen) == {"no_answer": 3}
    assert await ready(store) == [by_text_only, *others]


def _listed(connection: Connection, msisdn: str, scope: ContactScope) -> None:
    made = connection.execute(
        table(DoNotCallList)
        .insert()
        .values(scope=scope, name="a.csv", loaded_at=NOW, loaded_by="lan", numbers=1)
        .returning(DoNotCallList.id)
    )
    row = {"msisdn": msisdn, "scope": scope, "list_id": made.scalar_one()}
    connection.execute(table(DoNotCall).insert().values(row))


async def test_the_province_and_the_last_dial_narrow_it(store: Store) -> None:
    campaign = await make_campaign(store, numbers(4))
    for at in (NOW, NOW + HOUR):
        [one] = await claim_some(store, campaign, limit=1)
        fact = ended(one, Disposition.NO_ANSWER, at)
        await store.write(apply, [fact], BY_NINE)
        verdict = Verdict(one.attempt_id, one.target_id, Disposition.NO_ANSWER, 1, None)
        await store.write(settle, [verdict], at)
    await store.write(_placed)
    chosen = Choice(campaign.id, ["no_answer"], ended_before=NOW + HOUR)
    assert await store.read(recycling.preview, chosen, NOW) == Look({"no_answer": 1}, 0, 0, 0)
    for province, count in (("82", 1), ("Vĩnh Long", 2), ("83", 0)):
        chosen = Choice(campaign.id, ["no_answer"], province)
        back = (await store.read(recycling.preview, chosen, NOW)).back
        assert sum(back.values()) == count
    assert await recycle(store, Choice(campaign.id, ["no_answer"], "82")) == {"no_answer": 1}


def _placed(connection: Connection) -> None:
    connection.execute(update(Target).where(Target.id == 1).values(province_code="82"))


async def test_it_goes_on_in_batches_and_another_campaign_is_left_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recycling, "AT_ONCE", 3)
    await make_campaign(store, numbers(2, first=50), "other")
    identity = await done(store, 8)
    assert await recycle(store, Choice(identity, ["no_answer"])) == {"no_answer": 8}
    assert sorted(await ready(store)) == numbers(8)
    events = [row for row in await all_rows(store, Event) if row["kind"] == "campaign_recycled"]
    assert [row["data"]["recycled"]["no_answer"] for row in events] == [3, 3, 2]


async def test_who_was_dialled_as_often_as_allowed_waits_for_more_attempts(store: Store) -> None:
    chosen = Choice(await done(store, 3), ["no_answer"])
    await store.write(_spent, numbers(2))
    assert await store.read(recycling.preview, chosen, NOW) == Look({"no_answer": 1}, 0, 2, 0)
    assert await recycle(store, chosen) == {"no_answer": 1}
    await store.write(lambda c: c.execute(update(Campaign).values(max_attempts=5)).rowcount)
    assert await recycle(store, chosen) == {"no_answer": 2}


def _spent(connection: Connection, msisdns: list[str]) -> None:
    chosen = update(Target).where(Target.msisdn.in_(msisdns))
    connection.execute(chosen.values(attempts_made=4))


@pytest.mark.parametrize("word", ["phase_closed", "attempts_spent", "do_not_call"])
async def test_what_the_gate_ended_may_come_back_once_that_is_mended(
    store: Store, word: str
) -> None:
    campaign = await make_campaign(store, numbers(2))
    await store.write(_done, word)
    chosen = recycling.choice(campaign, [word], None, None)
    assert await recycle(store, chosen) == {word: 2}
    assert len(await claim_some(store, campaign, now=NOW + HOUR)) == 2


async def test_nobody_is_sent_a_text_twice(store: Store) -> None:
    texts = await make_text_campaign(store, numbers(1))
    with pytest.raises(InputError, match="sends texts"):
        recycling.choice(texts, ["unknown"], None, None)


@pytest.mark.parametrize("word", ["answered", "invalid_number", "already_registered", "noanswer"])
async def test_what_must_not_be_dialled_again_is_refused_by_its_word(
    store: Store, word: str
) -> None:
    campaign = await make_campaign(store)
    with pytest.raises(InputError, match=f"^{word}: can't be recycled; these can: no_answer, busy"):
        recycling.choice(campaign, ["busy", word], None, None)
    with pytest.raises(InputError, match="no outcome"):
        recycling.choice(campaign, [], None, None)
    stopped = await make_campaign(store, name="old", state=CampaignState.STOPPED)
    with pytest.raises(InputError, match="'old' is stopped"):
        recycling.choice(stopped, ["busy"], None, None)


async def test_whose_phase_is_over_is_left_out_until_another_is_loaded(store: Store) -> None:
    campaign = await make_campaign(store, numbers(2), by_phase=True)
    await store.write(lambda c: c.execute(update(Target).values(province_code="86")).rowcount)
    await phase(store, closes=date(2021, 3, 31))
    assert await claim_some(store, campaign) == []
    chosen = Choice(campaign.id, ["phase_closed"])
    assert await store.read(recycling.preview, chosen, NOW) == Look({}, 0, 0, 2)
    assert await recycle(store, chosen) == {}
    await phase(store, closes=date(2021, 4, 1))
    assert await store.read(recycling.preview, chosen, NOW) == Look({"phase_closed": 2}, 0, 0, 0)
    assert await recycle(store, chosen) == {"phase_closed": 2}
    assert len(await claim_some(store, campaign, now=NOW + HOUR)) == 2


async def phase(store: Store, closes: date) -> None:
    new = NewPhase(Scheme.VN_2021, "86", None, date(2021, 3, 1), closes)
    await store.write(phases.put, [new], "lan", NOW)
