"""Who has left goes off duty without pressing anything: session over, account switched off. I/O."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Connection, update

from dialer.attendance import Attendance
from domain.roles import Role
from domain.states import CallbackState, ClaimEnd, Duty
from store import absence, callback_calls, duty, sessions, staffing, users
from store.callback_calls import NewCall
from store.engine import Store
from store.models import Attempt, Audit, CallbackClaim, DutySpan, table
from store.users import NewUser
from store.workload import workload
from tests.answering_calls import callback_of, on_duty, register, release, taken
from tests.rows import NOW, all_rows, claim_some, make_campaign, numbers

IDLE, MINUTE = timedelta(minutes=30), timedelta(minutes=1)
ONE, TWO = numbers(2)


async def add(store: Store, login: str, *, seen_at: datetime = NOW) -> int:
    """An agent on duty with a session."""
    new = NewUser(login, login.title(), Role.AGENT, "x", phone=f"phone-{login}")
    agent = await store.write(users.add, new, NOW)
    await store.write(sessions.start, agent, f"cookie of {login}", "csrf", seen_at)
    await on_duty(store, agent)
    return agent


async def tick(store: Store, now: datetime) -> None:
    [(name, work, _)] = Attendance(store, IDLE, lambda: now).ticks()
    assert name == "attendance"
    await work()


async def duties(store: Store, *agents: int) -> list[Duty]:
    return [await store.read(duty.duty_of, agent) for agent in agents]


async def test_whose_session_is_over_is_neither_counted_nor_rung(store: Store) -> None:
    """One stays, one closed the browser half an hour ago, one is in anew."""
    stays, left, two = [await add(store, login) for login in ("stays", "left", "two")]
    later = NOW + IDLE
    for agent in (stays, two):
        await store.write(sessions.start, agent, f"new of {agent}", "csrf", later - MINUTE)
    await tick(store, later - MINUTE)
    assert await store.read(staffing.present) == 3
    await tick(store, later)
    await tick(store, later)
    assert await duties(store, stays, left, two) == [Duty.ON, Duty.OFF, Duty.ON]
    assert await store.read(staffing.present) == 2
    assert (await store.read(workload)).agents == 2
    assert [one.agent_id for one in await store.read(duty.phones_on_duty)] == [stays, two]
    [span] = [row for row in await all_rows(store, DutySpan) if row["until"]]
    assert (span["agent_id"], span["until"]) == (left, later)
    [row] = await all_rows(store, Audit)
    assert (row["action"], row["user_id"], row["subject"]) == ("duty_off", None, "left")


async def test_who_pauses_and_does_not_come_back_gives_the_call_back_back(store: Store) -> None:
    left = await add(store, "left")
    await register(store, ONE)
    await release(store)
    await taken(store, left)
    await store.write(duty.set_duty, left, Duty.PAUSED, NOW, "meal")
    await tick(store, NOW + IDLE)
    assert await duties(store, left) == [Duty.OFF]
    assert (await callback_of(store, ONE))["state"] == CallbackState.OPEN
    [claim] = await all_rows(store, CallbackClaim)
    assert claim["ending"] == ClaimEnd.OFF_DUTY


async def test_who_talks_stays_until_the_call_is_over(store: Store) -> None:
    """With the subscriber of a call-back, or of key 3."""
    calls, talks = [await add(store, login) for login in ("calls", "talks")]
    await register(store, ONE)
    await release(store)
    claim = await taken(store, calls)
    call = NewCall(uuid4(), claim.claim_id, "node1", NOW + MINUTE)
    await store.write(callback_calls.begin, call)
    campaign = await make_campaign(store, [TWO])
    [attempt] = await claim_some(store, campaign)
    of_attempt = update(table(Attempt)).where(table(Attempt).c.id == attempt.attempt_id)

    async def set_row(**values: object) -> None:
        await store.write(lambda connection: connection.execute(of_attempt.values(values)).rowcount)

    await set_row(queue_joined_at=NOW, queue_connected_at=NOW, queue_agent_id=talks)
    later = NOW + IDLE + MINUTE
    await tick(store, later)
    assert await duties(store, calls, talks) == [Duty.ON, Duty.ON]
    await set_row(queue_left_at=later)
    await tick(store, later)
    assert await duties(store, calls, talks) == [Duty.ON, Duty.OFF]
    await tick(store, NOW + timedelta(hours=2) + MINUTE)  # a call that nobody ended is forgotten
    assert await duties(store, calls, talks) == [Duty.OFF, Duty.OFF]


async def test_a_session_that_was_ended_is_over_at_once(store: Store) -> None:
    """By a new password, say; of two logins the other one counts."""
    reset, two = [await add(store, login) for login in ("reset", "two")]
    await store.write(users.set_password, reset, "y", NOW)
    other = await store.write(sessions.start, two, "other", "csrf", NOW)
    await store.write(sessions.end, other, NOW)
    await tick(store, NOW + MINUTE)
    assert await duties(store, reset, two) == [Duty.OFF, Duty.ON]


async def test_who_comes_back_just_in_time_stays(store: Store) -> None:
    """Between the look and the write somebody logs in."""
    agent = await add(store, "lan")
    later = NOW + IDLE
    assert await store.read(absence.absent, later, IDLE) == [agent]
    await store.write(sessions.start, agent, "new", "csrf", later)
    assert not await store.write(absence.send_off, agent, later, IDLE)
    assert await duties(store, agent) == [Duty.ON]


@pytest.mark.parametrize("was", [Duty.ON, Duty.PAUSED])
async def test_an_account_that_is_switched_off_is_off_duty_at_once(store: Store, was: Duty) -> None:
    lan, mai = [await add(store, login) for login in ("lan", "mai")]
    await register(store, ONE)
    await release(store)
    await taken(store, lan)
    await store.write(duty.set_duty, lan, was, NOW)

    def switch_off(connection: Connection) -> bool:
        return users.set_active(connection, lan, NOW + MINUTE, is_active=False)

    assert await store.write(switch_off)
    assert await duties(store, lan, mai) == [Duty.OFF, Duty.ON]
    assert (await callback_of(store, ONE))["state"] == CallbackState.OPEN
    assert await store.read(staffing.present) == 1
