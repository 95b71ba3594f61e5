"""What one agent's page shows: the duty, the call-back in hand and its last call. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, select

from domain.states import CallbackState, ClaimEnd, Duty
from store import callback_queue
from store.callback_queue import Taken
from store.columns import fixed
from store.duty import AgentDuty
from store.models import Address, Agent, Callback, CallbackAttempt, CallbackClaim, Target, table

_agent, _callback, _claim = table(Agent).c, table(Callback).c, table(CallbackClaim).c
_call, _address, _target = table(CallbackAttempt).c, table(Address).c, table(Target).c


@dataclass(frozen=True, slots=True)
class Desk:
    """`duty` is None for who was never on duty; `call` is the latest one of the claim."""

    duty: AgentDuty | None
    taken: Taken | None
    call: RowMapping | None
    results_today: int

    @property
    def on(self) -> Duty:
        """What the agent does."""
        return Duty.OFF if self.duty is None else self.duty.duty


def of_agent(connection: Connection, agent_id: int, midnight: datetime) -> Desk:
    """The agent's desk; `midnight` is when the local day began."""
    taken = callback_queue.current(connection, agent_id)
    return Desk(
        _duty(connection, agent_id),
        taken,
        None if taken is None else _last_call(connection, taken),
        _results(connection, agent_id, midnight),
    )


@dataclass(frozen=True, slots=True)
class InHand:
    """Who holds what (agent, claim), and the calls under way (id and the times of its steps)."""

    claims: Sequence[tuple[Any, ...]]
    calls: Sequence[tuple[Any, ...]]


def in_hand(connection: Connection) -> InHand:
    """What all agents have in hand: small, and different once something has changed."""
    claims = connection.execute(
        select(_callback.claimed_by, _callback.claim_id)
        .where(_callback.state == fixed(CallbackState.CLAIMED))
        .order_by(_callback.claimed_by)
    )
    calls = connection.execute(
        select(
            *(_call.id, _call.agent_ringing_at, _call.subscriber_dialled_at),
            _call.subscriber_answered_at,
        )
        .where(_call.ended_at.is_(None))
        .order_by(_call.id)
    )
    return InHand([tuple(row) for row in claims], [tuple(row) for row in calls])


def number_of(connection: Connection, claim_id: UUID, agent_id: int) -> str | None:
    """The number of a claim that is, or was, this agent's; None for a claim of another."""
    chosen = (
        select(_callback.msisdn)
        .join(table(CallbackClaim), _claim.callback_id == _callback.id)
        .where(_claim.id == claim_id, _claim.agent_id == agent_id)
    )
    return connection.execute(chosen).scalar_one_or_none()


def open_call(connection: Connection, claim_id: UUID) -> UUID | None:
    """The call of a claim that is under way."""
    chosen = select(_call.id).where(_call.claim_id == claim_id, _call.ended_at.is_(None))
    return connection.execute(chosen).scalar_one_or_none()


def attributes(connection: Connection, msisdn: str) -> dict[str, Any]:
    """What the newest audience list says of a number beyond its columns."""
    chosen = (
        select(_target.attributes)
        .where(_target.msisdn == msisdn)
        .order_by(_target.id.desc())
        .limit(1)
    )
    return connection.execute(chosen).scalar_one_or_none() or {}


def wards(connection: Connection, province: str, district: str, most: int) -> Sequence[str]:
    """The wards that addresses confirmed in a district name, the most frequent first."""
    chosen = (
        select(_address.ward)
        .where(_address.province == province, _address.district == district)
        .group_by(_address.ward)
        .order_by(func.count().desc(), _address.ward)
        .limit(most)
    )
    return connection.execute(chosen).scalars().all()


def _duty(connection: Connection, agent_id: int) -> AgentDuty | None:
    row = connection.execute(select(table(Agent)).where(_agent.agent_id == agent_id)).one_or_none()
    if row is None:
        return None
    return AgentDuty(row.agent_id, Duty(row.duty), row.duty_since, row.pause_reason)


def _last_call(connection: Connection, taken: Taken) -> RowMapping | None:
    # The call-back has an index, the claim has none; one without a call would be sought to the end.
    chosen = (
        select(table(CallbackAttempt))
        .where(_call.callback_id == taken.callback_id, _call.claim_id == taken.claim_id)
        .order_by(_call.started_at.desc())
        .limit(1)
    )
    return connection.execute(chosen).mappings().one_or_none()


def _results(connection: Connection, agent_id: int, midnight: datetime) -> int:
    chosen = select(func.count()).where(
        _claim.agent_id == agent_id,
        _claim.ended_at >= midnight,
        _claim.ending == fixed(ClaimEnd.RESULT),
    )
    return int(connection.execute(chosen).scalar_one())
