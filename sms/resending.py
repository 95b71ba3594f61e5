"""What becomes of a PDU after the SMSC's answer: taken, tried again later, or over. Pure."""

from datetime import datetime, timedelta

from sms.esme import listener
from sms.pdu.codes import Refusal, refusal
from store.outbox import Outgoing
from store.outcomes import Outcome, Refused, Sent, Unknown

_MOST_TRIES = {Refusal.THROTTLED: 100, Refusal.QUEUE_FULL: 5, Refusal.TEMPORARY: 8}
"""Of a PDU, by what the SMSC says; a permanent error ends it at once."""
_LONGEST_SECONDS = 300.0


def outcome_of(sent: Outgoing, told: listener.Outcome, now: datetime) -> Outcome:
    """Put what the session tells of a PDU into what the store keeps of it."""
    match told:
        case listener.Accepted(message_id=message_id):
            return Sent(sent.id, message_id, now)
        case listener.Refused(status=status):
            return Refused(sent.id, sent.tries, status, _again_at(sent.tries, status, now), now)
        case _:
            return Unknown(sent.id, sent.tries, now)


def _again_at(tries: int, status: int, now: datetime) -> datetime | None:
    """When to try again; None: never."""
    meant = refusal(status)
    if tries >= _MOST_TRIES.get(meant, 0):
        return None
    if meant is Refusal.THROTTLED:  # the bind itself pauses: the first in the queue goes first
        return now
    return now + timedelta(seconds=min(_LONGEST_SECONDS, 2.0**tries))
