"""What a live call reports to the store, as facts. Pure."""

from datetime import datetime
from uuid import UUID

from domain.dispositions import Disposition
from domain.states import Channel, QueueOutcome
from store.claims import Claimed
from store.facts import (
    AdviceAsked,
    Answered,
    AttemptEnded,
    HandedOver,
    KeyPressed,
    LeftAgents,
    OptOutAsked,
    RegistrationAsked,
)


def answered(attempt: Claimed, at: datetime) -> Answered:
    """The subscriber picked up."""
    return Answered(attempt.attempt_id, attempt.msisdn, attempt.campaign_id, at)


def key_pressed(attempt: Claimed, key: str, script_state: str, at: datetime) -> KeyPressed:
    """A key, with where the script stood when it came."""
    return KeyPressed(attempt.attempt_id, attempt.msisdn, key, script_state, at)


def registration(attempt: Claimed, pressed_at: datetime) -> RegistrationAsked:
    """Key 1: the attempt is the evidence, and the moment of the key fixes day n."""
    return RegistrationAsked(
        channel=Channel.IVR,
        source_id=str(attempt.attempt_id),
        msisdn=attempt.msisdn,
        campaign_id=attempt.campaign_id,
        evidence={"key": "1", "script_version": attempt.script_version},
        at=pressed_at,
    )


def refusal(attempt: Claimed, pressed_at: datetime) -> OptOutAsked:
    """Key 9: the attempt is the evidence."""
    return OptOutAsked(attempt.msisdn, pressed_at, source_of_refusal(attempt.attempt_id))


def source_of_refusal(attempt_id: UUID) -> str:
    """By which a refusal of key 9 is known."""
    return f"{Channel.IVR}:{attempt_id}"


def advice(attempt: Claimed, at: datetime) -> AdviceAsked:
    """Key 3 that reached no agent."""
    return AdviceAsked(
        channel=Channel.IVR,
        source_id=str(attempt.attempt_id),
        msisdn=attempt.msisdn,
        campaign_id=attempt.campaign_id,
        at=at,
    )


def handed_over(attempt: Claimed, at: datetime, deadline_at: datetime) -> HandedOver:
    """Key 3: the subscriber waits for an agent."""
    return HandedOver(attempt.attempt_id, at, deadline_at)


def left_agents(attempt: Claimed, outcome: QueueOutcome | None, at: datetime) -> LeftAgents:
    """The waiting, or the talk with an agent, is over."""
    return LeftAgents(attempt.attempt_id, outcome, at)


def ended(
    attempt: Claimed,
    disposition: Disposition,
    cause: int | None,
    tech_cause: int | None,
    ringing_at: datetime | None,
    answered_at: datetime | None,
    at: datetime,
) -> AttemptEnded:
    """The dial is over; causes as Asterisk gave them (Q.850 and SIP)."""
    return AttemptEnded(
        attempt_id=attempt.attempt_id,
        msisdn=attempt.msisdn,
        campaign_id=attempt.campaign_id,
        disposition=disposition,
        hangup_cause=cause,
        tech_cause=tech_cause,
        ringing_at=ringing_at,
        answered_at=answered_at,
        at=at,
    )
