"""Joins the agents' telephony to the store: key 3's queue, and calls to subscribers. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain import states
from domain.clock import utc_now
from ivr.agent_call_setting import AgentCall, AgentCallSetting, CallEnd
from ivr.agent_calls import AgentCalls
from ivr.ari.client import AriClient
from ivr.driver import CallDriver
from ivr.queue_9090 import Duty, Member, Queue9090
from runtime.callback_wiring import agents_hours
from runtime.settings import Settings
from runtime.wiring import DIAL_FORMS, ami_connection
from store import callback_calls, duty
from store.engine import Store


@dataclass(frozen=True)
class DutyRoster:
    """The queue's members by the rows of duty: who is on duty, or pauses, and has a phone."""

    store: Store

    async def members(self) -> Sequence[Member]:
        """Raises StoreUnavailable."""
        rows = await self.store.read(duty.phones_on_duty)
        return [Member(row.agent_id, row.phone, row.duty is states.Duty.PAUSED) for row in rows]


@dataclass(frozen=True)
class CallRows:
    """The rows of agents' calls, for the calls of one Asterisk."""

    store: Store

    async def record(self, call_id: UUID, **times: datetime) -> None:
        """Raises StoreUnavailable."""
        await self.store.write(callback_calls.record, call_id, **times)

    async def finish(self, call_id: UUID, end: CallEnd) -> None:
        """Raises StoreUnavailable."""
        causes = (end.hangup_cause, end.tech_cause)
        await self.store.write(
            callback_calls.finish, call_id, end.ended_at, end.disposition, *causes
        )

    async def open_calls(self, node: str) -> Sequence[AgentCall]:
        """Raises StoreUnavailable."""
        rows = await self.store.read(callback_calls.open_calls, node)
        return [
            AgentCall(
                call_id=row.id,
                phone="",
                msisdn=row.msisdn,
                started_at=row.started_at,
                agent_answered_at=row.agent_answered_at,
                subscriber_dialled_at=row.subscriber_dialled_at,
                subscriber_answered_at=row.subscriber_answered_at,
            )
            for row in rows
        ]


def queue_9090(settings: Settings, duty: Duty) -> Queue9090:
    """The queue of this Asterisk. Raises ConfigError where the agents' hours can't be read."""
    on_trunk = settings.agents.hand_over == "trunk"
    is_open = agents_hours(settings).is_open
    return Queue9090(ami_connection(settings), duty, is_open, utc_now, only_hours=on_trunk)


def agent_calls(settings: Settings, driver: CallDriver, store: Store) -> AgentCalls | None:
    """The calls of the agents at this Asterisk's phones; they need ARI, AGI bridges no legs."""
    if not isinstance(driver, AriClient):
        return None
    setting = AgentCallSetting(
        node=settings.asterisk.node,
        trunk=settings.trunk.name,
        caller_id=settings.trunk.caller_id,
        dial_form=DIAL_FORMS[settings.trunk.number_format],
        agent_ring_seconds=settings.agents.ring_seconds,
        ring_timeout_seconds=settings.dialer.ring_timeout_seconds,
        max_talk_seconds=settings.agents.max_talk_seconds,
    )
    return AgentCalls(setting, driver, CallRows(store), utc_now)
