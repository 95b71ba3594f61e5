"""The ticks of the call-backs: each a transaction of its own, harmless when run twice. I/O.

A process that dies within a tick leaves the rows as they were; the next tick, of any node, does
the same work. What is due stands in rows, never in the scheduler.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from dialer.callback_rules import RedialRules, next_call
from dialer.forecast import Forecast, Pending, Staff, forecast
from domain.calendar import Calendar
from domain.sla import sla_bounds
from store import callback_calls, callback_queue, callback_schedule, outbox
from store.callback_schedule import AT_ONCE, Raised, Unscheduled
from store.locks import may_tick
from store.outbox import Post
from store.workload import Workload

Notice = Callable[[str], Post | None]
"""Makes the text that tells a number that it was not reached; None where no text can be sent."""


@dataclass(frozen=True, slots=True)
class CallbackSetting:
    """What an operator sets for call-backs; `at_risk` is how long before n+1 one is raised."""

    hours: Calendar
    redial: RedialRules
    at_risk: timedelta
    notice: Notice


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What one step of scheduling did; `has_more` asks for another one at once."""

    ready: int
    given_up: int
    has_more: bool


def schedule(connection: Connection, now: datetime, setting: CallbackSetting) -> Scheduled:
    """Say when each new or unreached call-back is ready; give up where the attempts are used up."""
    if not may_tick(connection, "callbacks-schedule"):
        return Scheduled(0, 0, False)
    waiting = callback_schedule.unscheduled(connection)
    moments = {row.id: _ready_at(row, setting) for row in waiting}
    ready = [(identity, at) for identity, at in moments.items() if at is not None]
    lost = [row for row in waiting if moments[row.id] is None]
    callback_schedule.make_ready(connection, ready)
    callback_schedule.give_up(connection, [row.id for row in lost], now)
    outbox.post(connection, _notices(lost, setting.notice), now)
    return Scheduled(len(ready), len(lost), len(waiting) == AT_ONCE)


def return_expired(connection: Connection, now: datetime) -> int:
    """End forgotten calls, and give back the claims that nobody renews; tell how many."""
    callback_calls.forget(connection, now)
    return callback_queue.expire(connection, now)


def raise_deadlines(connection: Connection, now: datetime, setting: CallbackSetting) -> Raised:
    """Raise some of what is newly at risk, late or broken; tell how many of each."""
    if not may_tick(connection, "callbacks-deadlines"):
        return Raised({}, has_more=False)
    return callback_schedule.raise_deadlines(connection, sla_bounds(now, setting.at_risk))


def _ready_at(row: Unscheduled, setting: CallbackSetting) -> datetime | None:
    if row.outcome is None or row.outcome_at is None:
        return setting.hours.next_opening(row.requested_at)
    return next_call(
        setting.redial,
        row.outcome,
        at=row.outcome_at,
        attempts_made=row.attempts_made,
        promise_at=row.promise_at,
        hours=setting.hours,
    )


def _notices(lost: list[Unscheduled], notice: Notice) -> list[Post]:
    """One text for each, whatever is repeated: the call-back's id is the key."""
    drafts = [(row.id, notice(row.msisdn)) for row in lost]
    return [
        replace(post, once=f"unreachable:{identity}")
        for identity, post in drafts
        if post is not None
    ]


def forecast_of(load: Workload, now: datetime, setting: CallbackSetting) -> Forecast:
    """What becomes of a workload if the agents who are on duty stay, inside their hours.

    Thousands of call-backs take a while: on a server, in a thread.
    """
    return forecast(backlog_of(load, now), staff_of(load, setting), setting.hours, now)


def staff_of(load: Workload, setting: CallbackSetting) -> Staff:
    """The agents of a workload at their measured pace."""
    return Staff(
        agents=load.agents,
        handling_seconds=load.handling_seconds,
        reach_rate=load.reach_rate,
        max_attempts=setting.redial.max_attempts,
    )


def backlog_of(load: Workload, now: datetime) -> list[Pending]:
    """The call-backs of a workload; what the scheduler has not seen yet is ready now."""
    return [
        Pending(one.id, one.ready_at or now, one.target_at, one.promise_at, one.attempts_made)
        for one in load.waiting
    ]
