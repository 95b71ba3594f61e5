"""Retention: what is over goes, what is not stays, and what is cut off goes on. I/O."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialer import retention as job
from dialer.retention import Retention
from domain.callbacks import Outcome
from domain.dispositions import Disposition
from domain.errors import InputError
from domain.states import CampaignState
from store import attempts, campaigns, consent, outbox, outcomes, retention, trial_calls
from store.engine import Store
from store.facts import OptOutAsked
from store.models import (
    Attempt,
    Audit,
    Base,
    Campaign,
    Event,
    MessageIn,
    MessageOut,
    OptOut,
    Registration,
    SmsReference,
    Target,
    TrialCall,
)
from store.outcomes import Sent
from store.overdue import Periods
from store.settlement import settle
from store.trial_calls import Asked
from tests.integration.test_store_rules import (
    AT,
    ONE,
    _insert,
    callback,
    registration,
    run,
    values,
)
from tests.keeping import DAY, KEY, bring_in, live, over, tables_with
from tests.rows import NOW, all_rows, claim_some, ended, make_campaign, numbers
from tests.texts import NUMBER, OTHER, claim, new_post

PERIODS = Periods(timedelta(days=365), timedelta(days=730))
AFTER_CONTACT, AFTER_CONSENT = NOW + 367 * DAY, NOW + 733 * DAY


def retain(store: Store, now: datetime, key: str = KEY) -> Retention:
    return Retention(store, PERIODS, key, lambda: now)


async def dialled(store: Store, msisdns: list[str], at: datetime = NOW, name: str = "c") -> None:
    """Each was called once and is done."""
    campaign = await make_campaign(store, msisdns, name, due=at)
    while calls := await claim_some(store, campaign, now=at):
        ends = [ended(each, Disposition.ANSWERED, at) for each in calls]
        await store.write(attempts.record_ended, ends)
        await store.write(settle, [over(each) for each in calls], at)


async def every_row(store: Store) -> dict[str, list[dict[str, Any]]]:
    """All rows but the audit's."""
    return {
        mapper.class_.__tablename__: await all_rows(store, mapper.class_)
        for mapper in Base.registry.mappers
        if mapper.class_ is not Audit
    }


async def test_within_their_periods_all_rows_stay(store: Store) -> None:
    await live(store)
    before = await every_row(store)
    assert await retain(store, NOW + 365 * DAY).run("lan") == {}
    assert await every_row(store) == before
    assert await all_rows(store, Audit) == []


async def test_after_a_year_contacts_go_and_consents_stay(store: Store) -> None:
    await live(store)
    job = retain(store, AFTER_CONTACT)
    counted = await job.count()
    assert await job.run("lan") == counted
    assert counted == {"targets": 2, "attempts": 2, "messages_out": 1, "messages_in": 1}
    kept = {"messages_in", "messages_out", "opt_outs", "events"}
    assert await tables_with(store, NUMBER) == kept
    assert sorted(str(row["text"]) for row in await all_rows(store, MessageIn)) == ["None", "TC"]
    confirmed = [row["text"] for row in await all_rows(store, MessageOut) if row["text"]]
    assert len(confirmed) == 1
    assert await job.run("lan") == {}
    began, done = await all_rows(store, Audit)
    assert (began["action"], began["data"]["by"]) == ("retention_began", "lan")
    assert (done["action"], done["data"]["rows"]) == ("retention_ended", counted)


async def test_after_two_nothing_has_the_number_and_the_refusal_holds(store: Store) -> None:
    await live(store)
    await retain(store, AFTER_CONSENT).run("lan")
    assert await tables_with(store, NUMBER) == set()
    assert {row["text"] for row in await all_rows(store, MessageOut)} == {""}
    again = await make_campaign(store, name="again")
    await bring_in(store, again, [NUMBER, OTHER], AFTER_CONSENT)
    taken = await claim_some(store, again, now=AFTER_CONSENT)
    assert [call.msisdn for call in taken] == [OTHER]


async def test_a_refusal_keeps_its_number_as_long_as_a_campaign_has_it(store: Store) -> None:
    """Else the gate would not find it there."""
    await store.write(consent.opt_out, [OptOutAsked(NUMBER, NOW, "sms:9")], NOW)
    campaign = await make_campaign(store, [NUMBER], due=AFTER_CONSENT)
    taken = await retain(store, AFTER_CONSENT).run("lan")
    assert "opt_outs" not in taken
    assert [row["msisdn"] for row in await all_rows(store, OptOut)] == [NUMBER]
    assert await claim_some(store, campaign, now=AFTER_CONSENT) == []


async def test_the_counter_of_long_texts_goes_with_the_last_of_them(store: Store) -> None:
    for at in (NOW, NOW + 100 * DAY):
        await store.write(outbox.next_reference, "9231", NUMBER)
        [text] = await store.write(outbox.post, [new_post(parts=2)], at)
        outs = [out for out in await claim(store, now=at) if out.message == text]
        await store.write(outcomes.record, [Sent(out.id, f"m{out.id}", at) for out in outs])
    assert await retain(store, NOW + 400 * DAY).run("lan") == {"messages_out": 2}
    assert len(await all_rows(store, SmsReference)) == 1
    assert await retain(store, NOW + 500 * DAY).run("lan") == {"messages_out": 2}
    assert await all_rows(store, SmsReference) == []


async def tried_out(store: Store, campaign: Campaign, at: datetime) -> None:
    """A test call to somebody's own phone, which no server took in time."""
    await store.write(trial_calls.ask, Asked(campaign, NUMBER, "vi-1", "Lan"), at)
    await store.write(trial_calls.expire, at + timedelta(minutes=1))


async def test_test_calls_go_whole_after_a_year_but_not_open_ones(store: Store) -> None:
    campaign = await make_campaign(store)
    for days in (0, 1, 100):
        await tried_out(store, campaign, NOW + days * DAY)
    await store.write(trial_calls.ask, Asked(campaign, OTHER, "vi-1", "Lan"), NOW)
    job = retain(store, NOW + 370 * DAY)
    assert await job.count() == {"trial_calls": 2}
    assert await job.run("lan") == {"trial_calls": 2}
    left = [(row["msisdn"], row["asked_at"]) for row in await all_rows(store, TrialCall)]
    assert sorted(left) == sorted([(NUMBER, NOW + 100 * DAY), (OTHER, NOW)])


async def test_more_test_calls_than_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 3)
    campaign = await make_campaign(store)
    for hours in range(7):
        await tried_out(store, campaign, NOW + timedelta(hours=4 * hours))
    job = retain(store, AFTER_CONTACT + DAY)
    assert await job.count() == {"trial_calls": 7}
    assert await job.run("lan") == {"trial_calls": 7}
    assert await all_rows(store, TrialCall) == []


async def test_without_a_key_refusals_keep_their_number(store: Store) -> None:
    await live(store)
    with pytest.raises(InputError, match=r"law\.erasure_key"):
        await retain(store, AFTER_CONSENT, key="").run("lan")
    assert await tables_with(store, NUMBER) == {"opt_outs"}


@pytest.mark.parametrize(
    "open_",
    [
        "UPDATE targets SET state = 'ready', outcome = NULL",
        "UPDATE attempts SET settled_at = NULL",
        "UPDATE attempts SET ended_at = '2022-04-01 00:00:00'",
        "INSERT INTO registrations (msisdn, channel, source_id, registered_at, evidence, state) "
        "VALUES ('+84900000000', 'ivr', 'x', '2021-04-01 00:00:00', '{}', 'open')",
    ],
    ids=["waits for a dial", "not settled", "called since", "registered"],
)
async def test_what_is_under_way_stays(store: Store, open_: str) -> None:
    [number] = numbers(1)
    await dialled(store, [number])
    await run(store, open_)
    assert "targets" not in await retain(store, AFTER_CONTACT).run("lan")
    assert [row["msisdn"] for row in await all_rows(store, Target)] == [number]
    assert [row["msisdn"] for row in await all_rows(store, Attempt)] == [number]


async def test_of_a_stopped_campaign_nobody_waits_any_more(store: Store) -> None:
    campaign = await make_campaign(store, [NUMBER])
    assert await retain(store, AFTER_CONTACT).run("lan") == {}
    await store.write(campaigns.move, campaign, CampaignState.STOPPED, NOW)
    assert await retain(store, AFTER_CONTACT).run("lan") == {"targets": 1}
    [row] = await all_rows(store, Target)
    assert (row["state"], row["outcome"], row["attributes"]) == ("done", "erased", {})


async def test_a_call_back_its_address_and_its_notes(store: Store) -> None:
    await run(store, *CALLED_BACK)
    await retain(store, AFTER_CONTACT).run("lan")
    address = await values(store, "SELECT ward || coalesce(contact_name, '') FROM addresses")
    assert address == [""]
    assert await values(store, "SELECT province FROM addresses") == ["An Giang"]
    assert await values(store, "SELECT note FROM callback_claims") == [None]
    assert await values(store, "SELECT msisdn FROM callbacks") == [NUMBER]
    await retain(store, AFTER_CONSENT).run("lan")
    assert await values(store, "SELECT msisdn FROM callbacks") == ["#1"]
    rows = await all_rows(store, Registration)
    assert [(row["msisdn"], row["evidence"]) for row in rows] == [("#1", {})]
    # What is still to be called back is nobody's past.
    assert await values(store, "SELECT state FROM registrations") == ["completed"]


_CONFIRMED = f"'{Outcome.CONFIRMED}'"
_ENDED = {"ended_at": AT, "ending": "'result'", "outcome": _CONFIRMED, "note": "'nhà chị Lan'"}
CALLED_BACK = (
    registration(1, "a", state="'completed'", evidence="""'{"key": "1"}'"""),
    callback(
        *(1, "ivr:a"),
        kind="'confirm'",
        registration_id="1",
        state="'done'",
        closed_at=AT,
        outcome=_CONFIRMED,
    ),
    _insert(
        "callback_claims",
        {"id": f"'{ONE}'", "callback_id": "1", "agent_id": "1", "claimed_at": AT, **_ENDED},
    ),
    _insert(
        "addresses",
        {
            "callback_id": "1",
            "confirmed_at": AT,
            "confirmed_by": "1",
            "scheme": "'vn-2021'",
            "ward": "'Long Hòa'",
            "province": "'An Giang'",
            "contact_name": "'Lan'",
        },
    ),
)


async def test_cut_off_anywhere_it_is_simply_begun_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by kill -9: after some transactions, nothing of the run is left but its rows."""
    monkeypatch.setattr(retention, "_AT_ONCE", 3)
    monkeypatch.setattr(retention, "_SPAN", 5)
    await dialled(store, numbers(20))
    for turn in range(1, 5):
        began = asyncio.create_task(retain(store, AFTER_CONTACT).run("lan"))
        while len(await values(store, "SELECT id FROM targets WHERE msisdn LIKE '#%'")) < 3 * turn:
            await asyncio.sleep(0.001)
        began.cancel()
        await asyncio.wait([began])
    left = await retain(store, AFTER_CONTACT).run("lan")
    assert 0 < left["targets"] <= 8
    for row in (Target, Attempt):
        assert {each["msisdn"][0] for each in await all_rows(store, row)} == {"#"}


async def test_two_at_once_take_each_row_out_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 3)
    await dialled(store, numbers(30))
    runs = await asyncio.gather(*(retain(store, AFTER_CONTACT).run(by) for by in ("a", "b")))
    assert sum(taken.get("targets", 0) for taken in runs) == 30
    assert sum(taken.get("attempts", 0) for taken in runs) == 30


async def test_once_a_local_day_and_not_before_one_in_the_morning(store: Store) -> None:
    now = AFTER_CONTACT
    it = Retention(store, PERIODS, KEY, lambda: now)
    [(_, daily, _)] = it.ticks()
    await dialled(store, [NUMBER])
    now = datetime(2022, 4, 3, 17, 59, tzinfo=NOW.tzinfo)  # 00:59 in Viet Nam
    await daily()
    assert await tables_with(store, NUMBER) == {"targets", "attempts"}
    now += timedelta(minutes=1)
    await daily()
    assert await tables_with(store, NUMBER) == set()
    await dialled(store, [OTHER], name="second")
    now += timedelta(hours=22)
    await daily()
    assert await tables_with(store, OTHER) == {"targets", "attempts"}
    now += timedelta(hours=2)
    await daily()
    assert await tables_with(store, OTHER) == set()


async def test_a_long_run_goes_on_at_the_next_tick(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 3)
    await dialled(store, numbers(10))
    it = Retention(store, PERIODS, KEY, lambda: AFTER_CONTACT)
    monkeypatch.setattr(job, "_PART_SECONDS", 0.0)
    await it.daily()
    assert await it.count() == {"targets": 10, "attempts": 10}
    monkeypatch.setattr(job, "_PART_SECONDS", 60.0)
    await it.daily()
    assert await it.count() == {}


async def test_nothing_that_was_taken_out_is_anything_to_a_claim(store: Store) -> None:
    await dialled(store, [NUMBER])
    await retain(store, AFTER_CONTACT).run("lan")
    campaign = await make_campaign(store, [NUMBER], "again", due=AFTER_CONTACT)
    assert len(await claim_some(store, campaign, now=AFTER_CONTACT)) == 1


async def test_the_history_loses_its_numbers_and_nothing_else(store: Store) -> None:
    await live(store)
    before = await all_rows(store, Event)
    await retain(store, AFTER_CONSENT).run("lan")
    after = await all_rows(store, Event)
    assert [row["kind"] for row in after] == [row["kind"] for row in before]
    assert all(row["msisdn"] in (None, f"#{row['id']}") for row in after)


spans = st.lists(st.integers(0, 800), min_size=1, max_size=12)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(ages=spans, keep=st.integers(30, 500))
async def test_exactly_what_is_older_goes(store: Store, ages: list[int], keep: int) -> None:
    for row in ("key_presses", "attempts", "targets", "campaigns"):
        await run(store, f"DELETE FROM {row}")  # noqa: S608
    now = NOW + 900 * DAY
    for number, age in enumerate(ages):
        await dialled(store, numbers(1, number), now - age * DAY, f"c{number}")
    periods = Periods(timedelta(days=keep), timedelta(days=730))
    await Retention(store, periods, KEY, lambda: now).run("lan")
    rows = await all_rows(store, Target)
    assert [row["msisdn"].startswith("#") for row in rows] == [age > keep for age in ages]
