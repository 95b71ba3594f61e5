"""Call-backs for the tests of the agents' queue: promised, released, taken, closed. I/O."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from domain.addresses import Address, Scheme
from domain.calendar import Calendar, Window
from domain.callbacks import Outcome
from domain.states import CallbackState, Duty
from store import callback_queue, callback_results, callbacks, duty, registrations
from store.callback_queue import Taken
from store.callback_results import Result
from store.callback_schedule import make_ready, unscheduled
from store.engine import Store
from store.models import Callback
from tests.rows import BY_NINE, NOW, all_rows, asked, wants_advice

ALL_DAY = Calendar([Window.parse("00:00-24:00")], call_on_holidays=True)
HOURS = Calendar([Window.parse("07:00-21:00")], call_on_holidays=True)
LEASE = timedelta(minutes=2)
ADDRESS = Address(
    scheme=Scheme.VN_2021,
    contact_name="Nguyễn Thị Sáu",
    title="chị",
    house_number="12",
    hamlet="ấp 3",
    ward="Lương Hòa",
    district="Châu Thành",
    province="Trà Vinh",
)


async def register(store: Store, *msisdns: str, at: datetime = NOW) -> None:
    """A registration, and so a confirm call-back, for each number."""
    await store.write(registrations.register, [asked(one, at) for one in msisdns], BY_NINE)


async def advise(store: Store, *msisdns: str, at: datetime = NOW) -> None:
    """An advice call-back for each number."""
    wishes = [wants_advice(one, at) for one in msisdns]
    await store.write(callbacks.promise_advice, wishes, BY_NINE)


async def release(store: Store, hours: Calendar = ALL_DAY) -> None:
    """Make everything ready from the moment it was asked for, or the agents' next opening."""

    def work(connection: Connection) -> None:
        while rows := unscheduled(connection):
            make_ready(connection, [(row.id, hours.next_opening(row.requested_at)) for row in rows])

    await store.write(work)


async def on_duty(store: Store, *agents: int, at: datetime = NOW) -> None:
    """Agents who take call-backs."""

    def work(connection: Connection) -> None:
        for agent in agents:
            duty.set_duty(connection, agent, Duty.ON, at)

    await store.write(work)


async def take(
    store: Store, agent: int, now: datetime = NOW, hours: Calendar = ALL_DAY
) -> Taken | None:
    """The next call-back, if there is one."""
    return await store.write(callback_queue.take_next, agent, now, LEASE, hours)


async def taken(store: Store, agent: int, now: datetime = NOW) -> Taken:
    """The next call-back, which there must be."""
    found = await take(store, agent, now)
    assert found is not None
    return found


def result(outcome: Outcome, **more: Any) -> Result:
    """What an agent says; with an address, where it is confirmed."""
    if outcome is Outcome.CONFIRMED:
        more = {"address": ADDRESS, **more}
    return Result(outcome, **more)


async def close(
    store: Store, claim: Taken, outcome: Outcome, now: datetime = NOW, **more: Any
) -> CallbackState:
    """Record a result."""
    return await store.write(
        callback_results.close, claim.claim_id, result(outcome, **more), now, ALL_DAY
    )


async def callback_of(store: Store, msisdn: str) -> dict[str, Any]:
    """The only call-back of a number."""
    [row] = [row for row in await all_rows(store, Callback) if row["msisdn"] == msisdn]
    return row


async def numbers_taken(store: Store, agents: Sequence[int], now: datetime = NOW) -> list[str]:
    """The number that each of these agents gets, in turn."""
    return [(await taken(store, agent, now)).msisdn for agent in agents]
