"""What becomes of a PDU after the SMSC's answer: taken, tried again later, or over. Pure.

How often it was tried says little, since a throttled try is none. So age ends it: it is tried for
as long as the SMSC itself would try, and waits longer the older it is and the oftener it was tried.
"""

from datetime import datetime, timedelta

from sms.esme import listener
from sms.pdu.codes import Refusal, refusal
from store.outbox import Outgoing
from store.outcomes import Outcome, Refused, Sent, Unknown

TRY_FOR = timedelta(days=1)
"""Since it was posted: later nobody waits for it any more."""
_TRIES_FOR_THE_OLD = 8
"""As often at least a text is tried that waited a day for a link, or for its hours."""
_MOST_TRIES = 10_000
"""More than a day has room for, and less than its column has."""
_SHORTEST_SECONDS, _LONGEST_SECONDS = 2.0, 900.0
_MOST_DOUBLINGS = 10


def outcome_of(sent: Outgoing, told: listener.Outcome, now: datetime) -> Outcome:
    """Put what the session tells of a PDU into what the store keeps of it."""
    match told:
        case listener.Accepted(message_id=message_id):
            return Sent(sent.id, message_id, now)
        case listener.Refused(status=status):
            return Refused(sent.id, sent.tries, status, _again_at(sent, status, now), now)
        case _:
            return Unknown(sent.id, sent.tries, now)


def _again_at(sent: Outgoing, status: int, now: datetime) -> datetime | None:
    """When to try again; None: never."""
    meant = refusal(status)
    if meant is Refusal.PERMANENT or _is_over(sent, now):
        return None
    if meant is Refusal.THROTTLED:  # the bind itself pauses: the first in the queue goes first
        return now
    by_age = max(_SHORTEST_SECONDS, (now - sent.posted_at).total_seconds() / 2)
    by_tries = 2.0 ** min(sent.tries, _MOST_DOUBLINGS)
    return now + timedelta(seconds=min(by_age, by_tries, _LONGEST_SECONDS))


def _is_over(sent: Outgoing, now: datetime) -> bool:
    is_old = now - sent.posted_at >= TRY_FOR and sent.tries >= _TRIES_FOR_THE_OLD
    return is_old or sent.tries >= _MOST_TRIES
