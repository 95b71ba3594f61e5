"""The agents as their supervisor sees them: on what duty, with which call-back or call. I/O."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select

from domain.roles import Role
from domain.states import CallbackState, Duty
from store.columns import fixed
from store.models import Agent, Callback, CallbackAttempt, User, table


@dataclass(frozen=True, slots=True)
class Present:
    """One agent now. The moments are those of the duty, the claim, the call and the talk.

    `callback_id` is what the agent holds; `dialled_at` and `answered_at` belong to its open call.
    """

    agent_id: int
    name: str
    duty: Duty
    duty_since: datetime | None
    pause_reason: str | None
    callback_id: int | None
    claimed_at: datetime | None
    dialled_at: datetime | None
    answered_at: datetime | None


_user, _agent = table(User).c, table(Agent).c
_callback, _call = table(Callback).c, table(CallbackAttempt).c
_PRESENT = (
    select(
        _user.id,
        _user.name,
        _agent.duty,
        _agent.duty_since,
        _agent.pause_reason,
        _callback.id.label("callback_id"),
        _callback.claimed_at,
        _call.started_at,
        _call.subscriber_answered_at,
    )
    .outerjoin(table(Agent), _agent.agent_id == _user.id)
    .outerjoin(
        table(Callback),
        and_(_callback.claimed_by == _user.id, _callback.state == fixed(CallbackState.CLAIMED)),
    )
    .outerjoin(
        table(CallbackAttempt),
        and_(
            _call.callback_id == _callback.id,
            _call.agent_id == _user.id,
            _call.ended_at.is_(None),
        ),
    )
    .where(or_(_agent.duty != Duty.OFF, and_(_user.role == Role.AGENT, _user.is_active)))
    .order_by(_user.name, _user.id)
)


def present(connection: Connection) -> list[Present]:
    """All agents, in the order of their names; who is on duty is among them in any case."""
    return [
        Present(identity, name, Duty(duty or Duty.OFF), *rest)
        for identity, name, duty, *rest in connection.execute(_PRESENT)
    ]


def names(connection: Connection, ids: Collection[int]) -> dict[int, str]:
    """The names of some accounts, switched off or not."""
    found = connection.execute(select(_user.id, _user.name).where(_user.id.in_(list(ids))))
    return {row.id: row.name for row in found}
