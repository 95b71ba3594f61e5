"""What the agent's desk asks of the telephony: the port that runtime joins to Asterisk. Pure."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.dispositions import Disposition


class LineState(StrEnum):
    """Where an agent's call stands, in its order."""

    CALLING_AGENT = "calling_agent"
    AGENT_RINGING = "agent_ringing"
    DIALLING = "dialling"
    RINGING = "ringing"
    TALKING = "talking"
    AGENT_LEFT = "agent_left"
    SUBSCRIBER_LEFT = "subscriber_left"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Progress:
    """How a live call stands since `at`; `agent` and `subscriber`: how a leg ended unanswered."""

    call_id: UUID
    state: LineState
    at: datetime
    agent: Disposition | None = None
    subscriber: Disposition | None = None


class PhoneLine(Protocol):
    """Calls from an agent's phone to a subscriber. A call's row is committed before `place`.

    `node` is the Asterisk that makes them.
    """

    node: str

    async def place(self, call_id: UUID, phone: str, msisdn: str, started_at: datetime) -> bool:
        """Ring the agent's phone, then the subscriber. False: it can't ring, the row was closed."""

    async def hang_up(self, call_id: UUID) -> bool:
        """End both legs; False where the call is over."""

    def state(self, call_id: UUID) -> Progress | None:
        """How a live call stands; None once its row has the end."""

    def changes(self) -> AsyncIterator[Progress]:
        """Every change of every call, from now on."""
