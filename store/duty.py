"""The agents' duty: who takes call-backs and key 3 now, and since when. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, bindparam, select, update

from domain.states import CallbackState, ClaimEnd, Duty
from store.callback_claims import IN_A_CALL, LONGEST_CALL, free, freed
from store.columns import fixed
from store.messages import storable
from store.models import Agent, Callback, DutySpan, User, table
from store.statements import insert_new


@dataclass(frozen=True, slots=True)
class AgentDuty:
    """What one agent does, since when, and why not if not."""

    agent_id: int
    duty: Duty
    since: datetime
    pause_reason: str | None


@dataclass(frozen=True, slots=True)
class AgentPhone:
    """An agent's duty, and the phone to reach them on."""

    agent_id: int
    phone: str
    duty: Duty


_agent, _span, _callback = table(Agent).c, table(DutySpan).c, table(Callback).c
_user = table(User).c
_KNOW = insert_new(Agent)
_LOCK = select(table(Agent)).where(_agent.agent_id == bindparam("agent")).with_for_update()
_CLAIMS = (
    select(_callback.claim_id, _callback.id)
    .where(
        _callback.claimed_by == bindparam("agent"),
        _callback.state == fixed(CallbackState.CLAIMED),
        ~IN_A_CALL,
    )
    .with_for_update(of=table(Callback))
)


def set_duty(
    connection: Connection,
    agent_id: int,
    duty: Duty,
    now: datetime,
    pause_reason: str | None = None,
) -> None:
    """Put an agent on duty, on pause or off duty; what stands already is passed over.

    Going off gives the agent's claim back, except one whose call is still under way: that one
    ends with the result, or with its lease.
    """
    reason = storable(pause_reason) if duty is Duty.PAUSED and pause_reason else None
    new = {"agent_id": agent_id, "duty": Duty.OFF, "duty_since": now, "pause_reason": None}
    connection.execute(_KNOW[connection.dialect.name], new)
    row = lock(connection, agent_id).mappings().one()
    if (row["duty"], row["pause_reason"]) != (duty, reason):
        _change(connection, AgentDuty(agent_id, duty, now, reason))
    if duty is Duty.OFF:
        claims = connection.execute(
            _CLAIMS, {"agent": agent_id, "forgotten_before": now - LONGEST_CALL}
        ).all()
        free(connection, freed(claims), ClaimEnd.OFF_DUTY, now, None)


def lock(connection: Connection, agent_id: int) -> CursorResult[Any]:
    """The agent's row, nobody else's to change until the transaction ends."""
    return connection.execute(_LOCK, {"agent": agent_id})


def end(connection: Connection, agent_id: int, now: datetime) -> None:
    """Put an account off duty, if it has any."""
    if duty_of(connection, agent_id) is not Duty.OFF:
        set_duty(connection, agent_id, Duty.OFF, now)


def duty_of(connection: Connection, agent_id: int) -> Duty:
    """What the agent does; off, where nothing is known."""
    found = connection.execute(select(_agent.duty).where(_agent.agent_id == agent_id))
    return Duty(found.scalar_one_or_none() or Duty.OFF)


def on_duty(connection: Connection) -> Sequence[AgentDuty]:
    """The agents who are on duty or pause, in the order of their ids."""
    rows = connection.execute(
        select(table(Agent)).where(_agent.duty != Duty.OFF).order_by(_agent.agent_id)
    )
    return [
        AgentDuty(row.agent_id, Duty(row.duty), row.duty_since, row.pause_reason) for row in rows
    ]


def phones_on_duty(connection: Connection) -> Sequence[AgentPhone]:
    """The agents with a phone who are on duty or pause, in the order of their ids."""
    rows = connection.execute(
        select(_agent.agent_id, _user.phone, _agent.duty)
        .join(table(User), _user.id == _agent.agent_id)
        .where(_agent.duty != Duty.OFF, _user.phone.is_not(None), _user.is_active)
        .order_by(_agent.agent_id)
    )
    return [AgentPhone(row.agent_id, row.phone, Duty(row.duty)) for row in rows]


def _change(connection: Connection, new: AgentDuty) -> None:
    connection.execute(
        update(table(Agent))
        .where(_agent.agent_id == new.agent_id)
        .values(duty=new.duty, duty_since=new.since, pause_reason=new.pause_reason)
    )
    connection.execute(
        update(table(DutySpan))
        .where(_span.agent_id == new.agent_id, _span.until.is_(None))
        .values(until=new.since)
    )
    if new.duty is not Duty.OFF:
        connection.execute(
            table(DutySpan)
            .insert()
            .values(agent_id=new.agent_id, duty=new.duty, since=new.since, reason=new.pause_reason)
        )
