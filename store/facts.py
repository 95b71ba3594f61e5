"""What a live call reports to the store, as plain values that survive a spool file. Pure.

Every fact may be applied twice, late, or after a later fact of its call: the result is the same.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, get_args
from uuid import UUID

import orjson

from domain.dispositions import Disposition
from domain.states import Channel, QueueOutcome


class Kept(StrEnum):
    """Where a fact stands durably."""

    COMMITTED = "committed"
    SPOOLED = "spooled"


@dataclass(frozen=True, slots=True)
class Answered:
    """The subscriber picked up."""

    attempt_id: UUID
    msisdn: str
    campaign_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The subscriber pressed a key while the script stood in `script_state`."""

    attempt_id: UUID
    msisdn: str
    key: str
    script_state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RegistrationAsked:
    """A subscriber asks for a visit; `at` is the first receipt and fixes day n.

    `source_id` names the evidence within its channel: an attempt, a text, a web request.
    """

    channel: Channel
    source_id: str
    msisdn: str
    campaign_id: int | None
    evidence: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class AdviceAsked:
    """A subscriber asked for an agent (key 3) and none could be reached."""

    channel: Channel
    source_id: str
    msisdn: str
    campaign_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class OptOutAsked:
    """A subscriber refuses; `at` is the receipt. `source_id` names the evidence: `sms:17`."""

    msisdn: str
    at: datetime
    source_id: str


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """The dial is over, with the causes as Asterisk gave them (Q.850 and SIP)."""

    attempt_id: UUID
    msisdn: str
    campaign_id: int
    disposition: Disposition
    hangup_cause: int | None
    tech_cause: int | None
    ringing_at: datetime | None
    answered_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Key 3: the subscriber waits for an agent now, and the call may last until `deadline_at`."""

    attempt_id: UUID
    at: datetime
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class AgentConnected:
    """An agent took the waiting subscriber; None where it is somebody else's agent."""

    attempt_id: UUID
    agent_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class LeftAgents:
    """The waiting, or the talk with the agent, is over; None: nobody saw how."""

    attempt_id: UUID
    outcome: QueueOutcome | None
    at: datetime


@dataclass(frozen=True, slots=True)
class TrialCallStood:
    """How far a call that tries a script out has come; `ended_at` None: it goes on.

    `keys` are all that were pressed, in order.
    """

    call_id: UUID
    answered_at: datetime | None
    keys: str
    disposition: Disposition | None
    hangup_cause: int | None
    ended_at: datetime | None


Fact = (
    Answered
    | KeyPressed
    | RegistrationAsked
    | AdviceAsked
    | OptOutAsked
    | HandedOver
    | AgentConnected
    | LeftAgents
    | AttemptEnded
    | TrialCallStood
)

_KINDS: dict[str, type[Fact]] = {kind.__name__: kind for kind in get_args(Fact)}
_READERS: dict[str, Any] = {
    "attempt_id": UUID,
    "call_id": UUID,
    "channel": Channel,
    "disposition": Disposition,
    "outcome": QueueOutcome,
    "deadline_at": datetime.fromisoformat,
    "at": datetime.fromisoformat,
    "ringing_at": datetime.fromisoformat,
    "answered_at": datetime.fromisoformat,
    "ended_at": datetime.fromisoformat,
}


def encode(fact: Fact) -> bytes:
    """A fact as JSON. Raises TypeError where its evidence is none."""
    values = {field.name: getattr(fact, field.name) for field in fields(fact)}
    return orjson.dumps({"fact": type(fact).__name__, **values}, default=_driver_uuid)


def _driver_uuid(value: object) -> str:
    """A UUID as asyncpg gives it: a subclass, which orjson does not know."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def decode(data: bytes) -> Fact:
    """The fact that `encode` wrote. Raises ValueError or KeyError for anything else."""
    values = orjson.loads(data)
    if not isinstance(values, dict):
        raise ValueError("not a fact")
    kind = _KINDS[str(values.pop("fact"))]
    if values.keys() != {field.name for field in fields(kind)}:
        raise ValueError(f"not the fields of a {kind.__name__}")
    return kind(
        **{
            name: _READERS[name](value) if value is not None and name in _READERS else value
            for name, value in values.items()
        }
    )
