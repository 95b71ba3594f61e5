"""The agents' queue: earliest deadline first, one at a time, nothing twice, nothing lost. I/O."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.callbacks import Outcome
from domain.errors import ClaimLost, InputError, NotOnDuty
from domain.states import CallbackKind, CallbackState, ClaimEnd, Duty
from store import callback_calls, callback_queue, duty, standing
from store.callback_calls import NewCall
from store.engine import Store, open_store
from store.models import Callback, CallbackClaim
from tests.answering_calls import (
    HOURS,
    LEASE,
    advise,
    callback_of,
    close,
    numbers_taken,
    on_duty,
    register,
    release,
    take,
    taken,
)
from tests.rows import NOW, all_rows, numbers

ONE, TWO, THREE = numbers(3)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


async def endings(store: Store) -> list[str | None]:
    rows = await all_rows(store, CallbackClaim)
    return [row["ending"] for row in sorted(rows, key=lambda row: row["claimed_at"])]


async def test_the_earliest_deadline_comes_first(store: Store) -> None:
    await register(store, ONE, at=NOW - HOUR)
    await register(store, TWO, at=NOW - 26 * HOUR)
    await advise(store, THREE, at=NOW - 2 * HOUR)
    await release(store)
    await on_duty(store, 1, 2, 3)
    assert await numbers_taken(store, [1, 2, 3]) == [TWO, THREE, ONE]


async def test_what_is_taken_is_told_whole(store: Store) -> None:
    await register(store, ONE)
    await release(store)
    await on_duty(store, 7)
    claim = await taken(store, 7)
    row = await callback_of(store, ONE)
    assert (row["state"], row["claimed_by"]) == (CallbackState.CLAIMED, 7)
    assert (claim.callback_id, claim.claim_id) == (row["id"], row["claim_id"])
    assert claim.claimed_until == row["claimed_until"] == NOW + LEASE
    assert (claim.target_at, claim.promise_at) == (row["target_at"], row["promise_at"])
    [kept] = await all_rows(store, CallbackClaim)
    assert (kept["id"], kept["agent_id"], kept["ended_at"]) == (claim.claim_id, 7, None)


async def test_an_agent_has_one_at_a_time_and_gets_it_again(store: Store) -> None:
    await register(store, ONE, TWO)
    await release(store)
    await on_duty(store, 1)
    first = await taken(store, 1)
    again = await taken(store, 1, NOW + MINUTE)
    assert again.claim_id == first.claim_id
    row = await callback_of(store, first.msisdn)
    assert row["claimed_until"] == NOW + MINUTE + LEASE
    assert len(await all_rows(store, CallbackClaim)) == 1


@pytest.mark.parametrize("state", [None, Duty.PAUSED, Duty.OFF])
async def test_only_who_is_on_duty_takes(store: Store, state: Duty | None) -> None:
    await register(store, ONE)
    await release(store)
    if state is not None:
        await on_duty(store, 1)
        await store.write(duty.set_duty, 1, state, NOW, "giờ ăn")
    with pytest.raises(NotOnDuty):
        await take(store, 1)


async def test_what_is_not_ready_is_not_served(store: Store) -> None:
    await register(store, ONE)
    await on_duty(store, 1)
    assert await take(store, 1) is None  # the scheduler has not said when
    await release(store)
    assert await take(store, 1, NOW - timedelta(microseconds=1)) is None
    assert (await taken(store, 1)).msisdn == ONE


async def test_nothing_is_served_outside_the_agents_hours(store: Store) -> None:
    await register(store, ONE)
    await release(store, HOURS)
    await on_duty(store, 1)
    evening = datetime(2021, 4, 1, 14, 0, tzinfo=UTC)  # 21:00 local
    assert await take(store, 1, evening, HOURS) is None
    held = await take(store, 1, evening - MINUTE, HOURS)
    assert held is not None
    assert await take(store, 1, evening, HOURS) == held  # what is held stays to be ended


async def test_two_call_backs_of_one_number_come_one_after_the_other(store: Store) -> None:
    await advise(store, ONE)
    await register(store, ONE, at=NOW + MINUTE)
    await release(store)
    await on_duty(store, 1, 2)
    later = NOW + HOUR
    first = await taken(store, 1, later)
    assert await take(store, 2, later) is None
    await close(store, first, Outcome.ADVISED, later)
    assert (await taken(store, 2, later)).kind == "confirm"


async def test_a_number_that_did_not_answer_is_not_called_at_once_for_the_other(
    store: Store,
) -> None:
    await advise(store, ONE)
    await register(store, ONE, at=NOW + MINUTE)
    await release(store)
    await on_duty(store, 1)
    later = NOW + HOUR
    await close(store, await taken(store, 1, later), Outcome.NO_ANSWER, later)
    assert await take(store, 1, later) is None


async def test_what_is_put_off_to_a_later_day_does_not_hold_up_the_other(store: Store) -> None:
    await advise(store, ONE)
    await release(store)
    await on_duty(store, 1)
    thursday = NOW + 72 * HOUR
    await close(store, await taken(store, 1), Outcome.CALL_LATER, later_at=thursday)
    await register(store, ONE, at=NOW + HOUR)
    await release(store)
    confirm = await taken(store, 1, NOW + HOUR)
    assert confirm.kind is CallbackKind.CONFIRM
    await store.write(callback_queue.give_back, confirm.claim_id, NOW + HOUR)
    assert (await taken(store, 1, thursday)).kind is CallbackKind.ADVICE


async def test_a_lease_is_renewed_and_runs_out(store: Store) -> None:
    await register(store, ONE)
    await release(store)
    await on_duty(store, 1, 2)
    claim = await taken(store, 1)
    assert await store.write(callback_queue.renew, claim.claim_id, NOW + MINUTE, LEASE)
    end = NOW + MINUTE + LEASE
    assert await store.write(callback_queue.expire, end - timedelta(microseconds=1)) == 0
    assert await store.write(callback_queue.expire, end) == 1
    assert await store.write(callback_queue.expire, end) == 0
    assert not await store.write(callback_queue.renew, claim.claim_id, end, LEASE)
    assert (await taken(store, 2, end)).msisdn == ONE
    assert await endings(store) == [ClaimEnd.EXPIRED, None]


async def test_a_late_hand_does_not_touch_anothers_claim(store: Store) -> None:
    await register(store, ONE)
    await release(store)
    await on_duty(store, 1, 2)
    lost = await taken(store, 1)
    await store.write(callback_queue.expire, NOW + LEASE)
    held = await taken(store, 2, NOW + LEASE)
    assert not await store.write(callback_queue.give_back, lost.claim_id, NOW + LEASE, "late")
    assert not await store.write(callback_queue.renew, lost.claim_id, NOW + LEASE, LEASE)
    with pytest.raises(ClaimLost):
        await close(store, lost, Outcome.NO_ANSWER, NOW + LEASE)
    row = await callback_of(store, ONE)
    assert (row["claim_id"], row["claimed_by"]) == (held.claim_id, 2)


async def test_what_is_given_back_is_served_again(store: Store) -> None:
    await register(store, ONE)
    await release(store)
    await on_duty(store, 1, 2)
    claim = await taken(store, 1)
    assert await store.write(callback_queue.give_back, claim.claim_id, NOW, "hết giờ")
    assert not await store.write(callback_queue.give_back, claim.claim_id, NOW, "hết giờ")
    assert (await taken(store, 2)).msisdn == ONE
    [row] = [row for row in await all_rows(store, CallbackClaim) if row["ended_at"]]
    assert (row["ending"], row["reason"]) == (ClaimEnd.GIVEN_BACK, "hết giờ")


async def test_who_goes_off_duty_gives_back(store: Store) -> None:
    await register(store, ONE)
    await release(store)
    await on_duty(store, 1)
    await taken(store, 1)
    await store.write(duty.set_duty, 1, Duty.PAUSED, NOW)
    assert (await callback_of(store, ONE))["state"] == CallbackState.CLAIMED
    await store.write(duty.set_duty, 1, Duty.OFF, NOW)
    assert (await callback_of(store, ONE))["state"] == CallbackState.OPEN
    assert await endings(store) == [ClaimEnd.OFF_DUTY]


async def test_a_claim_whose_call_goes_on_does_not_run_out(store: Store) -> None:
    await register(store, ONE)
    await release(store)
    await on_duty(store, 1)
    claim = await taken(store, 1)
    call = NewCall(uuid4(), claim.claim_id, "node1", NOW)
    await store.write(callback_calls.begin, call)
    late = NOW + HOUR
    assert await store.write(callback_queue.expire, late) == 0
    await store.write(duty.set_duty, 1, Duty.OFF, late)
    assert (await callback_of(store, ONE))["state"] == CallbackState.CLAIMED
    forgotten = NOW + 2 * HOUR
    assert await store.write(callback_queue.expire, forgotten) == 1


async def test_a_cancelled_registration_takes_the_claim_with_it(store: Store) -> None:
    await register(store, ONE)
    await release(store)
    await on_duty(store, 1)
    claim = await taken(store, 1)
    await store.write(standing.cancel, ONE, NOW + MINUTE, ("sms", "1"))
    row = await callback_of(store, ONE)
    assert (row["state"], row["closed_at"]) == (CallbackState.CANCELLED, NOW + MINUTE)
    assert row["claim_id"] is row["claimed_by"] is None
    assert await endings(store) == [ClaimEnd.CANCELLED]
    with pytest.raises(ClaimLost):
        await close(store, claim, Outcome.CONFIRMED, NOW + MINUTE)


async def test_a_supervisor_hands_a_call_back_over(store: Store) -> None:
    await register(store, ONE, TWO)
    await release(store)
    await on_duty(store, 1, 2)
    first = await taken(store, 1)
    given = await store.write(callback_queue.assign, first.callback_id, 2, NOW, LEASE)
    assert (given.callback_id, given.claim_id != first.claim_id) == (first.callback_id, True)
    assert (await callback_of(store, first.msisdn))["claimed_by"] == 2
    again = await store.write(callback_queue.assign, first.callback_id, 2, NOW, LEASE)
    assert again == given
    other = await taken(store, 1)
    with pytest.raises(InputError, match="has a call-back already"):
        await store.write(callback_queue.assign, other.callback_id, 2, NOW, LEASE)
    await close(store, given, Outcome.REFUSED)
    with pytest.raises(InputError, match="closed"):
        await store.write(callback_queue.assign, given.callback_id, 2, NOW, LEASE)


async def test_two_servers_serve_nothing_twice(store: Store, store_url: str) -> None:
    await register(store, *numbers(30))
    await advise(store, *numbers(30))
    await release(store)
    agents = range(1, 13)
    await on_duty(store, *agents)
    other = open_store(store_url)
    try:
        for _ in range(3):
            got = await asyncio.gather(
                *(take((store, other)[agent % 2], agent) for agent in agents)
            )
            claims = [claim for claim in got if claim is not None]
            assert len({claim.msisdn for claim in claims}) == len(claims) == len(agents)
            for claim in claims:
                await close(store, claim, Outcome.REFUSED)
    finally:
        await other.close()
    states = [row["state"] for row in await all_rows(store, Callback)]
    assert states.count(CallbackState.DONE) == 36
