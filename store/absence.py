"""Agents who are on duty but not there: no living session, no call under way. I/O."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select

from domain.states import AttemptState, Duty
from store import audit, duty
from store.audit import Act
from store.callback_claims import LONGEST_CALL, in_a_call
from store.columns import UtcDateTime, fixed
from store.models import Agent, Attempt, CallbackAttempt, Session, User, table

_agent, _user, _session = table(Agent).c, table(User).c, table(Session).c
_call, _attempt = table(CallbackAttempt).c, table(Attempt).c
_IS_IN = (
    select(_session.id)
    .join(table(User), _user.id == _session.user_id)
    .where(
        _session.user_id == _agent.agent_id,
        _session.ended_at.is_(None),
        _session.last_seen_at > bindparam("idle_since", type_=UtcDateTime),
        _user.is_active,
    )
    .exists()
)
_CALLS_BACK = in_a_call(_call.agent_id == _agent.agent_id)
_TALKS_BY_KEY_3 = (
    select(_attempt.id)
    .where(
        _attempt.state != fixed(AttemptState.ENDED),
        _attempt.queue_agent_id == _agent.agent_id,
        _attempt.queue_left_at.is_(None),
    )
    .exists()
)
_ABSENT = (
    select(_agent.agent_id)
    .where(_agent.duty != fixed(Duty.OFF), ~_IS_IN, ~_CALLS_BACK, ~_TALKS_BY_KEY_3)
    .order_by(_agent.agent_id)
)
_THIS_ONE = _ABSENT.where(_agent.agent_id == bindparam("agent"))


def absent(connection: Connection, now: datetime, idle: timedelta) -> list[int]:
    """Who is on duty or pause without a session that was seen within `idle`, and in no call."""
    return list(connection.execute(_ABSENT, _moments(now, idle)).scalars())


def send_off(connection: Connection, agent_id: int, now: datetime, idle: timedelta) -> bool:
    """Put one of them off duty, as by the button; False where the agent is back, or off already."""
    duty.lock(connection, agent_id)  # a new look after it: somebody may just have logged in
    this = {"agent": agent_id, **_moments(now, idle)}
    if connection.execute(_THIS_ONE, this).first() is None:
        return False
    duty.set_duty(connection, agent_id, Duty.OFF, now)
    login = connection.execute(select(_user.login).where(_user.id == agent_id)).scalar_one_or_none()
    audit.add(connection, Act("duty_off", None, login, data={"reason": "session_over"}), now)
    return True


def _moments(now: datetime, idle: timedelta) -> dict[str, datetime]:
    return {"idle_since": now - idle, "forgotten_before": now - LONGEST_CALL}
