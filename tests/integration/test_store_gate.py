"""The gate in the claim: each reason turns a number away, first attempt and retry alike. I/O."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from domain.addresses import Scheme
from domain.dispositions import Disposition
from domain.gate import Refusal
from domain.states import ContactScope, Purpose
from store import attempts, consent, do_not_call, gate, phases, registrations, settlement
from store.claims import Claimed, claim
from store.engine import Store, open_store
from store.facts import OptOutAsked
from store.locks import lock_claims
from store.models import Attempt, Campaign, Target
from store.phases import NewPhase
from store.settlement import Verdict
from tests.rows import (
    BY_NINE,
    NOW,
    all_rows,
    asked,
    claim_some,
    ended,
    make_campaign,
    numbers,
    order_for,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ONE = numbers(1)[0]
ADVERTISING = {"purpose": Purpose.ADVERTISING}


async def only_target(store: Store, campaign: Campaign) -> dict[str, Any]:
    [row] = [r for r in await all_rows(store, Target) if r["campaign_id"] == campaign.id]
    return row


async def end(
    store: Store,
    attempt: Claimed,
    at: datetime,
    disposition: Disposition = Disposition.BUSY,
    again_at: datetime | None = None,
) -> None:
    """The dial is over, and the number due again."""
    made = 0 if disposition is Disposition.NOT_DIALLED else 1
    verdict = Verdict(attempt.attempt_id, attempt.target_id, disposition, made, again_at or at)
    await store.write(attempts.record_ended, [ended(attempt, disposition, at)])
    await store.write(settlement.settle, [verdict], at)


async def list_numbers(
    store: Store, msisdns: list[str], scope: ContactScope = ContactScope.ALL, at: datetime = NOW
) -> None:
    list_id = await store.write(do_not_call.begin, scope, "list.csv", "lan", at)
    if msisdns:
        await store.write(do_not_call.add, list_id, scope, msisdns)
    await store.write(do_not_call.complete, list_id, scope, len(msisdns), at)


async def set_place(store: Store, province: str | None, district: str | None = None) -> None:
    values = {"province_code": province, "district_code": district}
    await store.write(lambda c: c.execute(update(Target).values(**values)).rowcount)


async def set_phases(store: Store, *given: tuple[str, str | None, date, date | None]) -> None:
    new = [NewPhase(Scheme.VN_2021, *each) for each in given]
    await store.write(phases.put, new, "lan", NOW)


# -- what turns a number away: each is done to the store before a claim


async def opts_out(store: Store) -> None:
    await store.write(consent.opt_out, [OptOutAsked(ONE, NOW, "sms:1")], NOW)


async def is_listed(store: Store) -> None:
    await list_numbers(store, [ONE], ContactScope.VOICE)


async def registers(store: Store) -> None:
    await store.write(registrations.register, [asked(ONE, NOW)], BY_NINE)


async def spends_attempts(store: Store) -> None:
    """An operator allows fewer than were made."""
    await store.write(lambda c: c.execute(update(Target).values(attempts_made=4)).rowcount)


async def has_a_phase_that_is_over(store: Store) -> None:
    await set_place(store, "86", "861")
    await set_phases(store, ("86", "861", date(2021, 3, 1), date(2021, 3, 31)))


async def has_a_phase_that_comes(store: Store) -> None:
    await set_place(store, "86", "861")
    await set_phases(store, ("86", None, date(2021, 6, 1), None))


async def has_no_phase(store: Store) -> None:
    await set_phases(store, ("86", None, date(2021, 6, 1), None))


async def is_called_by_another(store: Store) -> None:
    other = await make_campaign(store, [ONE], "other")
    await claim_some(store, other)


async def was_called_by_another(store: Store) -> None:
    other = await make_campaign(store, [ONE], "other")
    [call] = await claim_some(store, other)
    await end(store, call, NOW)


@dataclass(frozen=True)
class Case:
    """Why a number is turned away; `waits` is how long, or None where it is done."""

    reason: Refusal
    happens: Callable[[Store], Awaitable[None]]
    waits: timedelta | None = None
    by_phase: bool = False
    knobs: dict[str, Any] | None = None


JUNE = datetime(2021, 5, 31, 17, tzinfo=NOW.tzinfo) - NOW
MIDNIGHT = datetime(2021, 4, 1, 17, tzinfo=NOW.tzinfo) - NOW
CASES = [
    Case(Refusal.OPTED_OUT, opts_out),
    Case(Refusal.DO_NOT_CALL, is_listed),
    Case(Refusal.ALREADY_REGISTERED, registers),
    Case(Refusal.ATTEMPTS_SPENT, spends_attempts),
    Case(Refusal.PHASE_CLOSED, has_a_phase_that_is_over, by_phase=True),
    Case(Refusal.PHASE_CLOSED, has_a_phase_that_comes, JUNE, by_phase=True),
    Case(Refusal.PHASE_CLOSED, has_no_phase, MIDNIGHT, by_phase=True),
    Case(Refusal.BUSY_ELSEWHERE, is_called_by_another, timedelta(minutes=1)),
    Case(Refusal.CAPPED, was_called_by_another, DAY, knobs=ADVERTISING),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.happens.__name__)
@pytest.mark.parametrize("retries", [False, True], ids=["first attempt", "retry"])
async def test_each_reason(store: Store, case: Case, retries: bool) -> None:
    campaign = await make_campaign(store, [ONE], **(case.knobs or {}))
    if retries:
        began = NOW - 2 * DAY
        await store.write(lambda c: c.execute(update(Target).values(not_before=began)).rowcount)
        [call] = await claim_some(store, campaign, now=began)
        await end(store, call, began, again_at=NOW)
    if case.by_phase:
        await store.write(lambda c: c.execute(update(Campaign).values(by_phase=True)).rowcount)
    await case.happens(store)
    before = await only_target(store, campaign)
    assert await store.read(gate.judge, before["id"], NOW) is case.reason
    assert await claim_some(store, campaign) == []
    row = await only_target(store, campaign)
    assert row["attempts_made"] == before["attempts_made"]
    if case.waits is None:
        assert (row["state"], row["outcome"], row["held_by"]) == ("done", case.reason, None)
    else:
        assert (row["state"], row["held_by"]) == ("ready", case.reason)
        assert row["not_before"] == NOW + case.waits
        early = NOW + case.waits - timedelta(seconds=1)
        assert await claim_some(store, campaign, now=early) == []


async def test_who_waited_is_called_when_the_reason_is_gone_and_is_held_no_more(
    store: Store,
) -> None:
    campaign = await make_campaign(store, [ONE])
    other = await make_campaign(store, [ONE], "other")
    [call] = await claim_some(store, other)
    assert await claim_some(store, campaign) == []
    await end(store, call, NOW)
    later = NOW + timedelta(minutes=1)
    assert [c.msisdn for c in await claim_some(store, campaign, now=later)] == [ONE]
    assert (await only_target(store, campaign))["held_by"] is None


async def test_no_reason_no_refusal(store: Store) -> None:
    """Other numbers' refusals, other ways of contact, and phases of campaigns that heed none."""
    two = numbers(2)[1]
    campaign = await make_campaign(store, [ONE], **ADVERTISING)
    await store.write(consent.opt_out, [OptOutAsked(two, NOW, "sms:1")], NOW)
    await store.write(registrations.register, [asked(two, NOW)], BY_NINE)
    await list_numbers(store, [two], ContactScope.ALL)
    await list_numbers(store, [ONE], ContactScope.SMS)
    await has_a_phase_that_is_over(store)
    [call] = await claim_some(store, campaign)
    assert call.msisdn == ONE


# -- caps


async def test_one_advertising_call_in_24_hours_whatever_campaign_dialled(store: Store) -> None:
    first = await make_campaign(store, [ONE], "first", **ADVERTISING)
    second = await make_campaign(store, [ONE], "second", **ADVERTISING)
    care = await make_campaign(store, [ONE], "care")
    [call] = await claim_some(store, first)
    await end(store, call, NOW + timedelta(seconds=30), again_at=NOW + HOUR)
    at = NOW + HOUR
    assert await claim_some(store, first, now=at) == []
    assert await claim_some(store, second, now=at) == []
    [cared] = await claim_some(store, care, now=at)
    await end(store, cared, at)
    # The window rolls: what counts is the newest dial, not the day.
    assert await claim_some(store, first, now=NOW + DAY) == []
    almost = at + DAY - timedelta(microseconds=1)
    assert await claim_some(store, first, now=almost) == []
    [again] = await claim_some(store, first, now=at + DAY)
    assert again.msisdn == ONE
    await end(store, again, at + DAY)
    assert await claim_some(store, second, now=at + DAY) == []


async def test_what_was_never_dialled_does_not_count(store: Store) -> None:
    first = await make_campaign(store, [ONE], "first", **ADVERTISING)
    [call] = await claim_some(store, first)
    await end(store, call, NOW, Disposition.NOT_DIALLED)
    assert len(await claim_some(store, first, now=NOW + HOUR)) == 1


async def test_two_servers_that_claim_at_once_pass_no_cap_together(
    store: Store, store_url: str
) -> None:
    """Also where the first call is over by the second claim: no open attempt stops it then."""
    mine = await make_campaign(store, numbers(30), "first", **ADVERTISING)
    theirs = await make_campaign(store, numbers(30), "second", **ADVERTISING)
    other = open_store(store_url)

    def work(connection: Connection, campaign: Campaign) -> list[Claimed]:
        lock_claims(connection)
        taken = claim(connection, order_for(campaign, 7))
        facts = [ended(call, Disposition.BUSY, NOW) for call in taken]
        if facts:
            attempts.record_ended(connection, facts)
        return taken

    try:
        claims = await asyncio.gather(
            *(
                server.write(work, campaign)
                for _ in range(12)
                for server, campaign in ((store, mine), (other, theirs))
            )
        )
    finally:
        await other.close()
    taken = [call.msisdn for calls in claims for call in calls]
    assert sorted(taken) == numbers(30)
    assert len(await all_rows(store, Attempt)) == 30


# -- between import and claim


async def test_a_refusal_and_a_registration_between_two_claims_hold_at_the_next(
    store: Store,
) -> None:
    one, two, three = numbers(3)
    campaign = await make_campaign(store, [one, two, three])
    [first] = await claim_some(store, campaign, limit=1)
    assert first.msisdn == one
    await store.write(consent.opt_out, [OptOutAsked(two, NOW, "sms:1")], NOW)
    await store.write(registrations.register, [asked(three, NOW)], BY_NINE)
    assert await claim_some(store, campaign) == []
    outcomes = {row["msisdn"]: row["outcome"] for row in await all_rows(store, Target)}
    assert outcomes == {one: None, two: Refusal.OPTED_OUT, three: Refusal.ALREADY_REGISTERED}


async def test_many_who_are_turned_away_do_not_stand_in_front_of_others(store: Store) -> None:
    campaign = await make_campaign(store, numbers(300))
    await list_numbers(store, numbers(290))
    assert [c.msisdn for c in await claim_some(store, campaign, limit=5)] == numbers(5, first=290)


# -- phases


async def test_a_district_has_its_own_phase_before_its_province(store: Store) -> None:
    campaign = await make_campaign(store, [ONE], by_phase=True)
    await set_place(store, "86", "861")
    await set_phases(
        store,
        ("86", None, date(2021, 3, 26), None),
        ("86", "861", date(2021, 6, 1), None),
        ("89", "861", date(2021, 3, 26), None),
    )
    assert await claim_some(store, campaign) == []
    await set_place(store, "86", "862")
    await store.write(lambda c: c.execute(update(Target).values(not_before=NOW)).rowcount)
    assert len(await claim_some(store, campaign)) == 1


@pytest.mark.parametrize(
    ("day", "opens", "closes", "is_called"),
    [
        (date(2021, 4, 1), date(2021, 4, 1), date(2021, 4, 1), True),
        (date(2021, 4, 1), date(2021, 4, 2), None, False),
        (date(2021, 4, 1), date(2021, 3, 1), date(2021, 3, 31), False),
        (date(2021, 4, 1), date(2021, 3, 1), None, True),
    ],
)
async def test_both_days_of_a_phase_are_within_it(
    store: Store, day: date, opens: date, closes: date | None, is_called: bool
) -> None:
    campaign = await make_campaign(store, [ONE], by_phase=True)
    await set_place(store, "86")
    await set_phases(store, ("86", None, opens, closes))
    assert bool(await claim_some(store, campaign)) == is_called


async def test_new_phases_let_those_who_waited_be_judged_anew(store: Store) -> None:
    campaign = await make_campaign(store, numbers(5), by_phase=True)
    await set_place(store, "86")
    assert await claim_some(store, campaign) == []
    await set_phases(store, ("86", None, date(2021, 4, 1), None))
    assert await claim_some(store, campaign) == []
    assert await store.read(phases.campaigns_by_phase) == [campaign.id]
    released = [await store.write(phases.release, campaign.id, 3, NOW) for _ in range(3)]
    assert released == [3, 2, 0]
    assert len(await claim_some(store, campaign)) == 5
    [phase] = await store.read(phases.all_of)
    assert (phase["province_code"], phase["opens_on"]) == ("86", date(2021, 4, 1))


async def test_a_phase_that_is_prolonged_brings_back_those_that_had_ended_with_it(
    store: Store,
) -> None:
    campaign = await make_campaign(store, numbers(3), by_phase=True)
    await set_place(store, "86")
    await set_phases(store, ("86", None, date(2021, 3, 1), date(2021, 3, 31)))
    assert await claim_some(store, campaign) == []
    assert {row["outcome"] for row in await all_rows(store, Target)} == {"phase_closed"}
    assert await store.read(phases.ended_too_early, campaign.id, NOW) == []
    await set_phases(store, ("86", None, date(2021, 3, 1), date(2021, 4, 1)))
    ended = await store.read(phases.ended_too_early, campaign.id, NOW)
    assert [await store.write(phases.bring_back, ended, NOW) for _ in range(2)] == [3, 0]
    assert len(await claim_some(store, campaign)) == 3


# -- lists


async def test_a_list_replaces_the_one_before_of_its_scope_and_no_other(store: Store) -> None:
    one, two, three = numbers(3)
    await list_numbers(store, [one, two])
    await list_numbers(store, [one], ContactScope.VOICE)
    await list_numbers(store, [two, three], at=NOW + DAY)
    scopes = {n: await store.read(do_not_call.scopes_of, n) for n in (one, two, three)}
    assert scopes == {one: ["voice"], two: ["all"], three: ["all"]}
    ages = await store.read(do_not_call.ages)
    assert ages == {ContactScope.ALL: NOW + DAY, ContactScope.VOICE: NOW}
    await list_numbers(store, [], at=NOW + DAY)
    assert await store.read(do_not_call.ages) == {ContactScope.VOICE: NOW}


async def test_a_list_that_is_cut_off_takes_nobody_off_and_is_no_newer(store: Store) -> None:
    one, two = numbers(2)
    await list_numbers(store, [one])
    cut = await store.write(do_not_call.begin, ContactScope.ALL, "b.csv", "lan", NOW + DAY)
    await store.write(do_not_call.add, cut, ContactScope.ALL, [two])
    assert await store.read(do_not_call.scopes_of, one) == ["all"]
    assert await store.read(do_not_call.scopes_of, two) == ["all"]
    assert await store.read(do_not_call.ages) == {ContactScope.ALL: NOW}


async def test_of_two_lists_that_come_in_together_the_newer_one_is_whole(store: Store) -> None:
    one, two, both = numbers(3)
    scope = ContactScope.ALL
    older = await store.write(do_not_call.begin, scope, "a.csv", "lan", NOW)
    newer = await store.write(do_not_call.begin, scope, "b.csv", "mai", NOW)
    await store.write(do_not_call.add, newer, scope, [both, two])
    await store.write(do_not_call.add, older, scope, [both, one])
    await store.write(do_not_call.complete, newer, scope, 2, NOW)
    await store.write(do_not_call.complete, older, scope, 2, NOW)
    listed = [n for n in (one, two, both) if await store.read(do_not_call.scopes_of, n)]
    assert listed == [two, both]
