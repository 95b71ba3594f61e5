"""The status words of the shared rows. Values are stored: add to them, never rename. Pure."""

from enum import StrEnum


class Purpose(StrEnum):
    """Why a campaign contacts people; decides which law applies (Decree 91/2020)."""

    ADVERTISING = "advertising"
    CUSTOMER_CARE = "customer_care"
    TRANSACTIONAL = "transactional"


class CampaignKind(StrEnum):
    """How a campaign reaches people."""

    CALL = "call"
    TEXT = "text"


class CampaignState(StrEnum):
    """`draft → running ⇄ paused → stopped`; a running campaign with nothing left is `finished`."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"


class ImportState(StrEnum):
    """A file of numbers: `loading → done → undone`; what was cut off stays `loading`."""

    LOADING = "loading"
    DONE = "done"
    UNDONE = "undone"


class BrakeCause(StrEnum):
    """Why the dialler slows by itself."""

    PROMISE = "promise"  # call-backs would come later than promised
    QUEUE = "queue"  # key 3 would wait too long for an agent
    CONGESTION = "congestion"  # a trunk refuses calls


class Stand(StrEnum):
    """How one number of a campaign stands."""

    NOT_HERE = "not_here"  # the campaign does not have it
    DONE = "done"
    IN_THE_AIR = "in_the_air"
    HELD = "held"  # the gate sends it away
    LATER = "later"  # its next dial is not due
    CLOSED = "closed"  # the whole campaign waits
    FREE = "free"  # dialled as soon as a channel is free


class ContactScope(StrEnum):
    """The ways of contact that a do-not-call list closes."""

    ALL = "all"
    SMS = "sms"
    VOICE = "voice"


class TargetState(StrEnum):
    """A number in a campaign: `ready ⇄ claimed → done`."""

    READY = "ready"
    CLAIMED = "claimed"
    DONE = "done"


class AttemptState(StrEnum):
    """One dial: `dialling → answered → ended`, or `dialling → ended`."""

    DIALLING = "dialling"
    ANSWERED = "answered"
    ENDED = "ended"


class TrialState(StrEnum):
    """A call that tries a script out: `asked → dialling → answered → ended`, or straight to it."""

    ASKED = "asked"
    DIALLING = "dialling"
    ANSWERED = "answered"
    ENDED = "ended"


class QueueOutcome(StrEnum):
    """What came of waiting for a 9090 agent (key 3).

    `no_agent`: none was free to be waited for; `closed`: it was outside the agents' hours.
    """

    CONNECTED = "connected"
    ABANDONED = "abandoned"
    TIMED_OUT = "timed_out"
    NO_AGENT = "no_agent"
    CLOSED = "closed"


class RegistrationState(StrEnum):
    """A subscriber's request for a visit: `open → cancelled | completed`."""

    OPEN = "open"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class Channel(StrEnum):
    """The way a registration came in."""

    IVR = "ivr"
    SMS = "sms"
    WEB = "web"
    AGENT = "agent"


class CallbackKind(StrEnum):
    """`confirm` the address of a registration, or give the `advice` that key 3 asked for."""

    CONFIRM = "confirm"
    ADVICE = "advice"


class CallbackState(StrEnum):
    """A 9090 agent's call to a subscriber; `domain.callbacks` has the legal moves.

    OPEN waits for `ready_at` or an agent, CLAIMED is an agent's, the others are final.
    """

    OPEN = "open"
    CLAIMED = "claimed"
    DONE = "done"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"


class ClaimEnd(StrEnum):
    """How an agent's claim of a call-back ended."""

    RESULT = "result"
    GIVEN_BACK = "given_back"
    OFF_DUTY = "off_duty"
    EXPIRED = "expired"
    RELEASED = "released"  # by a supervisor
    CANCELLED = "cancelled"  # the subscriber wants no call any more


class Duty(StrEnum):
    """What an agent does: takes call-backs and key 3, pauses, or is not there."""

    OFF = "off"
    ON = "on"
    PAUSED = "paused"


class MessageInState(StrEnum):
    """A text from a subscriber: `received → read`; a part of a long one `waiting → read`."""

    RECEIVED = "received"
    WAITING = "waiting"
    READ = "read"


class MessageOutState(StrEnum):
    """One PDU to a subscriber: `queued → sending → accepted → delivered | undelivered | expired`.

    Or `sending → queued` (the SMSC is busy), `→ failed` (refused for good), `→ unknown` (no
    answer: it may or may not have gone out; a late acceptance still counts).
    """

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    FAILED = "failed"
    UNKNOWN = "unknown"


FINAL: frozenset[MessageOutState] = frozenset(
    {
        MessageOutState.DELIVERED,
        MessageOutState.UNDELIVERED,
        MessageOutState.EXPIRED,
        MessageOutState.FAILED,
    }
)
"""What a text to a subscriber never leaves again."""


class TextOutcome(StrEnum):
    """What an invitation by text came to, for its target.

    SENT: the SMSC has taken it. UNKNOWN: nobody can say, and it is not sent again. STOPPED: it was
    not sent, as its campaign was stopped; what the gate refuses has the gate's own word.
    """

    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    STOPPED = "campaign_stopped"


class PostKind(StrEnum):
    """Why a text is sent; what stands first here is sent first."""

    REPLY = "reply"
    MANUAL = "manual"
    INVITATION = "invitation"


class ReceiptState(StrEnum):
    """What a delivery receipt says (SMPP 3.4, 5.2.28 and appendix B); `unknown` is to be loud."""

    DELIVERED = "delivered"
    EXPIRED = "expired"
    DELETED = "deleted"
    UNDELIVERABLE = "undeliverable"
    ACCEPTED = "accepted"
    ENROUTE = "enroute"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class ReceiptMatch(StrEnum):
    """A receipt is `matched` to a text, or an `orphan` until its text is found or `given_up`."""

    MATCHED = "matched"
    ORPHAN = "orphan"
    GIVEN_UP = "given_up"


MAY_BECOME: dict[CampaignState, frozenset[CampaignState]] = {
    CampaignState.DRAFT: frozenset({CampaignState.RUNNING, CampaignState.STOPPED}),
    CampaignState.RUNNING: frozenset(
        {CampaignState.PAUSED, CampaignState.STOPPED, CampaignState.FINISHED}
    ),
    CampaignState.PAUSED: frozenset({CampaignState.RUNNING, CampaignState.STOPPED}),
    CampaignState.STOPPED: frozenset(),
    CampaignState.FINISHED: frozenset({CampaignState.RUNNING}),
}
"""The legal moves of a campaign. `finished → running`: more numbers were imported."""
