"""What one agent's page reads, and that it reads no more than that. I/O."""

from datetime import timedelta
from uuid import uuid4

from domain.callbacks import Outcome
from domain.dispositions import Disposition
from store import agent_desk, callback_calls
from store.callback_calls import NewCall
from store.callback_queue import Taken
from store.engine import Store
from tests.answering_calls import close, on_duty, register, release, taken
from tests.plans import plans
from tests.rows import NOW, numbers

MINUTE = timedelta(minutes=1)


async def call(store: Store, claim: Taken) -> None:
    new = NewCall(uuid4(), claim.claim_id, "node1", claim.claimed_at)
    await store.write(callback_calls.begin, new)
    end = claim.claimed_at + MINUTE
    await store.write(callback_calls.finish, new.id, end, Disposition.NO_ANSWER, None, None)


async def test_the_last_call_is_one_of_this_claim(store: Store) -> None:
    await register(store, *numbers(1))
    await release(store)
    await on_duty(store, 1)
    before = await taken(store, 1)
    await call(store, before)
    await close(store, before, Outcome.CALL_LATER, later_at=NOW + 2 * MINUTE)
    claim = await taken(store, 1, NOW + 2 * MINUTE)
    desk = await store.read(agent_desk.of_agent, 1, NOW)
    assert (desk.taken, desk.call) == (claim, None)
    await call(store, claim)
    last = (await store.read(agent_desk.of_agent, 1, NOW)).call
    assert last is not None
    assert last["claim_id"] == claim.claim_id


async def test_who_has_not_dialled_yet_does_not_read_the_calls_of_all(store: Store) -> None:
    await register(store, *numbers(10))
    await release(store)
    await on_duty(store, 1)
    for _ in range(9):
        claim = await taken(store, 1)
        await call(store, claim)
        await close(store, claim, Outcome.REFUSED)
    await taken(store, 1)
    told = "\n".join(await plans(store.read, agent_desk.of_agent, 1, NOW))
    assert "ix_callback_attempts_callback_id" in told
    assert "ix_callback_attempts_started_at" not in told


async def test_the_wards_of_a_district_are_read_from_an_index(store: Store) -> None:
    told = "\n".join(await plans(store.read, agent_desk.wards, "Trà Vinh", "Châu Thành", 60))
    assert "ix_addresses_place" in told
