"""What an agent's result leads to, and that telling it twice changes nothing. I/O."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from domain.addresses import Appointment, Slot
from domain.callbacks import LEADS_TO, RETRIED, Next, Outcome
from domain.errors import ClaimLost, InputError
from domain.states import CallbackKind, CallbackState, ClaimEnd, Duty, RegistrationState
from store import callback_queue, callback_results, duty, history, registrations, standing
from store.callback_results import Result
from store.engine import Store
from store.models import Address, Callback, CallbackClaim, Event, Registration
from tests.answering_calls import (
    ADDRESS,
    HOURS,
    LEASE,
    advise,
    callback_of,
    close,
    on_duty,
    register,
    release,
    taken,
)
from tests.rows import BY_NINE, NOW, all_rows, asked, numbers

ONE, TWO = numbers(2)
LATER = NOW + timedelta(minutes=3)
CONFIRM_OUTCOMES = [outcome for outcome in Outcome if outcome is not Outcome.ADVISED]


async def claimed(store: Store) -> callback_queue.Taken:
    await register(store, ONE)
    await release(store)
    await on_duty(store, 1)
    return await taken(store, 1)


@pytest.mark.parametrize("outcome", CONFIRM_OUTCOMES)
async def test_each_outcome_leads_where_the_table_says(store: Store, outcome: Outcome) -> None:
    claim = await claimed(store)
    more = {"later_at": NOW + timedelta(hours=5)} if outcome is Outcome.CALL_LATER else {}
    state = await close(store, claim, outcome, LATER, **more)
    row = await callback_of(store, ONE)
    leads = LEADS_TO[outcome]
    is_done = leads in (Next.DONE, Next.ENDED)
    assert state == row["state"] == (CallbackState.DONE if is_done else CallbackState.OPEN)
    assert (row["outcome"], row["outcome_at"]) == (outcome, LATER)
    assert row["closed_at"] == (LATER if is_done else None)
    assert row["attempts_made"] == (outcome in RETRIED)
    if not is_done:
        assert row["ready_at"] == more.get("later_at")
    [registration] = await all_rows(store, Registration)
    is_open = registration["state"] == RegistrationState.OPEN
    assert is_open is (leads is not Next.ENDED)
    again = await close(store, claim, outcome, LATER + timedelta(seconds=1), **more)
    assert again == state
    assert await callback_of(store, ONE) == row
    [kept] = await all_rows(store, CallbackClaim)
    assert (kept["outcome"], kept["ended_at"]) == (outcome, LATER)


async def test_who_refused_may_register_anew(store: Store) -> None:
    claim = await claimed(store)
    await close(store, claim, Outcome.REFUSED, LATER)
    [answer] = await store.write(registrations.register, [asked(ONE, LATER)], BY_NINE)
    assert answer is registrations.Answer.REGISTERED
    assert len(await all_rows(store, Callback)) == 2
    events = [
        row for row in await all_rows(store, Event) if row["kind"] == "registration_cancelled"
    ]
    assert [row["data"]["why"] for row in events] == [Outcome.REFUSED]


async def test_what_is_confirmed_keeps_its_address_and_appointment(store: Store) -> None:
    claim = await claimed(store)
    meeting = Appointment(date(2021, 4, 5), Slot.MORNING)
    spaced = replace(ADDRESS, street="  ", note=" cổng xanh\x00 ")
    await close(store, claim, Outcome.CONFIRMED, LATER, address=spaced, appointment=meeting)
    row = await callback_of(store, ONE)
    assert (row["appointment_day"], row["appointment_slot"]) == (meeting.day, Slot.MORNING)
    [address] = await all_rows(store, Address)
    assert (address["callback_id"], address["confirmed_by"]) == (claim.callback_id, 1)
    assert (address["ward"], address["hamlet"], address["street"]) == ("Lương Hòa", "ấp 3", None)
    assert "\x00" not in address["note"]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (Result(Outcome.ADVISED), "no result of a call-back that is to confirm"),
        (Result(Outcome.CONFIRMED), "address belongs to"),
        (Result(Outcome.REFUSED, address=ADDRESS), "address belongs to"),
        (Result(Outcome.CONFIRMED, address=replace(ADDRESS, ward="")), "no_ward"),
        (
            Result(Outcome.REFUSED, appointment=Appointment(date(2021, 4, 5), Slot.EVENING)),
            "appointment belongs to",
        ),
        (Result(Outcome.CALL_LATER), "say when"),
        (Result(Outcome.CALL_LATER, later_at=NOW), "is past"),
        (
            Result(Outcome.CALL_LATER, later_at=datetime(2021, 4, 1, 14, 0, tzinfo=UTC)),
            "outside the agents' hours",
        ),
    ],
)
async def test_a_result_that_makes_no_sense_is_refused(
    store: Store, result: Result, words: str
) -> None:
    claim = await claimed(store)
    before = await callback_of(store, ONE)
    with pytest.raises(InputError, match=words):
        await store.write(callback_results.close, claim.claim_id, result, LATER, HOURS)
    assert await callback_of(store, ONE) == before
    assert await all_rows(store, Address) == []


async def test_another_result_of_a_closed_claim_is_refused(store: Store) -> None:
    claim = await claimed(store)
    await close(store, claim, Outcome.REFUSED, LATER)
    with pytest.raises(ClaimLost):
        await close(store, claim, Outcome.CONFIRMED, LATER)
    with pytest.raises(ClaimLost):
        await close(store, replace(claim, claim_id=uuid4()), Outcome.REFUSED, LATER)
    assert (await callback_of(store, ONE))["outcome"] == Outcome.REFUSED


async def test_a_result_after_the_subscriber_cancelled_is_refused(store: Store) -> None:
    claim = await claimed(store)
    await store.write(standing.cancel, ONE, NOW, ("sms", "7"))
    with pytest.raises(ClaimLost):
        await close(store, claim, Outcome.CONFIRMED, LATER)
    assert await all_rows(store, Address) == []


async def test_advice_has_its_own_good_end_and_no_registration(store: Store) -> None:
    await advise(store, TWO)
    await release(store)
    await on_duty(store, 1)
    claim = await taken(store, 1)
    assert await close(store, claim, Outcome.ADVISED, LATER) == CallbackState.DONE


async def test_an_earlier_receipt_moves_a_claimed_call_back_forward(store: Store) -> None:
    claim = await claimed(store)
    early = NOW - timedelta(hours=20)
    await store.write(registrations.register, [asked(ONE, early)], BY_NINE)
    row = await callback_of(store, ONE)
    assert (row["requested_at"], row["claim_id"]) == (early, claim.claim_id)
    assert row["promise_at"] == early + timedelta(hours=48)


async def test_the_timeline_tells_it_all(store: Store) -> None:
    await register(store, ONE)
    await release(store)
    await on_duty(store, 1)
    claim = await taken(store, 1, NOW + timedelta(minutes=1))
    await close(store, claim, Outcome.NO_ANSWER, LATER, note="đổ chuông")
    entries = await store.read(history.timeline, ONE)
    assert [(entry["kind"], entry.get("agent_id")) for entry in entries] == [
        ("registered", None),
        ("callback_promised", None),
        ("callback_claimed", 1),
        ("callback_result", 1),
    ]
    assert (entries[-1]["outcome"], entries[-1]["note"]) == (Outcome.NO_ANSWER, "đổ chuông")


async def expired(store: Store) -> None:
    assert await store.write(callback_queue.expire, NOW + LEASE) == 1


async def off_duty(store: Store) -> None:
    await store.write(duty.set_duty, 1, Duty.OFF, NOW + LEASE)


@pytest.mark.parametrize("lapse", [expired, off_duty])
async def test_a_result_counts_after_its_claim_lapsed(
    store: Store, lapse: Callable[[Store], Awaitable[None]]
) -> None:
    claim = await claimed(store)
    await lapse(store)
    assert await close(store, claim, Outcome.CONFIRMED, LATER) == CallbackState.DONE
    row = await callback_of(store, ONE)
    assert (row["state"], row["outcome"], row["claim_id"]) == ("done", "confirmed", None)
    [address] = await all_rows(store, Address)
    assert address["confirmed_by"] == 1
    [kept] = await all_rows(store, CallbackClaim)
    assert (kept["ending"], kept["ended_at"]) == (ClaimEnd.RESULT, LATER)
    assert await close(store, claim, Outcome.CONFIRMED, LATER) == CallbackState.DONE
    with pytest.raises(ClaimLost):
        await close(store, claim, Outcome.REFUSED, LATER)


@pytest.mark.parametrize("is_held", [True, False])
async def test_a_result_does_not_count_once_somebody_else_took_the_call_back(
    store: Store, is_held: bool
) -> None:
    claim = await claimed(store)
    await expired(store)
    await on_duty(store, 2)
    await taken(store, 2, NOW + LEASE)
    if not is_held:
        assert await store.write(callback_queue.expire, NOW + 2 * LEASE) == 1
    await refused_as_lost(store, claim)


async def test_a_result_does_not_count_beside_another_call_back_in_hand(store: Store) -> None:
    """An agent has one at a time, and a number is served by one agent at a time."""
    claim = await claimed(store)
    await expired(store)
    await advise(store, ONE)
    await register(store, TWO)
    await release(store)
    rows = {(row["msisdn"], row["kind"]): row["id"] for row in await all_rows(store, Callback)}
    await on_duty(store, 2)
    for agent, callback in ((1, (TWO, CallbackKind.CONFIRM)), (2, (ONE, CallbackKind.ADVICE))):
        await store.write(callback_queue.assign, rows[callback], agent, NOW + LEASE, LEASE)
        with pytest.raises(ClaimLost):
            await close(store, claim, Outcome.CONFIRMED, LATER)
        await store.write(duty.set_duty, agent, Duty.OFF, LATER)
    assert await close(store, claim, Outcome.CONFIRMED, LATER) == CallbackState.DONE


async def test_a_result_does_not_count_once_the_subscriber_cancelled(store: Store) -> None:
    claim = await claimed(store)
    await expired(store)
    await store.write(standing.cancel, ONE, LATER, ("sms", "7"))
    await refused_as_lost(store, claim)


async def refused_as_lost(store: Store, claim: callback_queue.Taken) -> None:
    before = await callback_of(store, ONE)
    with pytest.raises(ClaimLost):
        await close(store, claim, Outcome.CONFIRMED, LATER)
    assert await callback_of(store, ONE) == before
    assert await all_rows(store, Address) == []


@pytest.mark.parametrize("how", [ClaimEnd.GIVEN_BACK, ClaimEnd.RELEASED])
async def test_a_result_does_not_count_once_the_claim_was_given_or_taken_back(
    store: Store, how: ClaimEnd
) -> None:
    claim = await claimed(store)
    await store.write(callback_queue.give_back, claim.claim_id, LATER, None, how)
    await refused_as_lost(store, claim)
