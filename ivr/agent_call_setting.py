"""What an agent's call needs around it: its row, Asterisk's verbs, what an operator sets. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.dispositions import Disposition
from ivr.agent_call_script import State


@dataclass(frozen=True, slots=True)
class AgentCall:
    """A call whose row is committed: `phone` rings first, then `msisdn` is dialled.

    The times are those that the row knows, when a process takes the call over; it rings no phone
    again, so `phone` may be empty then.
    """

    call_id: UUID
    phone: str
    msisdn: str
    started_at: datetime
    agent_answered_at: datetime | None = None
    subscriber_dialled_at: datetime | None = None
    subscriber_answered_at: datetime | None = None

    @property
    def agent_channel(self) -> str:
        """The channel of the agent's leg."""
        return f"{AGENT_PREFIX}{self.call_id}"

    @property
    def subscriber_channel(self) -> str:
        """The channel of the subscriber's leg."""
        return str(self.call_id)

    @property
    def bridge(self) -> str:
        """The room where the two hear each other."""
        return f"{BRIDGE_PREFIX}{self.call_id}"


AGENT_PREFIX, BRIDGE_PREFIX = "agent-", "bridge-"
"""Before the id, not after it: Asterisk takes an id that is the beginning of another for the same
("already in use", 22.10.1)."""


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How the call ended. `not_dialled`: the subscriber's phone was not called at all.

    The causes (Q.850 and SIP) are then those of the agent's leg, else of the subscriber's.
    """

    disposition: Disposition
    hangup_cause: int | None
    tech_cause: int | None
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How a live call stands. `agent`: how a leg that never answered ended; `subscriber` likewise.

    The page of the agent shows this; once the call is over its row says the same.
    """

    call_id: UUID
    state: State
    at: datetime
    agent: Disposition | None = None
    subscriber: Disposition | None = None


class CallLog(Protocol):
    """The rows of agents' calls. Every verb raises StoreUnavailable, and may be repeated.

    Before a call is placed its row is committed by whoever places it.
    """

    async def record(self, call_id: UUID, **times: datetime) -> None:
        """Set times by name (agent_ringing_at, subscriber_answered_at …); the first one stays."""

    async def finish(self, call_id: UUID, end: CallEnd) -> None:
        """Close the row. A known end stays; `unknown` gives way to it."""

    async def open_calls(self, node: str) -> Sequence[AgentCall]:
        """The calls on this Asterisk whose rows are open."""


@dataclass(frozen=True)
class AgentCallSetting:
    """What an operator sets for the agents' calls of a node."""

    node: str
    trunk: str
    caller_id: str
    dial_form: Callable[[str], str]
    agent_ring_seconds: int
    ring_timeout_seconds: int
    max_talk_seconds: int

    @property
    def longest_seconds(self) -> int:
        """From the first ring to the end of the longest talk."""
        return self.agent_ring_seconds + self.ring_timeout_seconds + self.max_talk_seconds
