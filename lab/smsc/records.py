"""What the SMSC remembers of each text, in both directions. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, NamedTuple

from domain.clock import utc_now
from lab.smsc.codec import DATA_SM, ROK, Message
from lab.smsc.texts import body_of, decode, place_of

_EPOCH = utc_now().timestamp() - monotonic()


def now() -> float:
    """Epoch seconds, from a clock that never goes back."""
    return monotonic() + _EPOCH


@dataclass(slots=True, eq=False)
class Delivery:
    """An MO or a receipt on its way to an ESME, until a final answer to it came."""

    id: int
    account: str
    message: Message
    command: int  # DELIVER_SM or DATA_SM
    body: bytes  # ready to be sent after a header
    queued_at: float
    receipt_for: str | None = None  # the message id; None: an MO
    times: int = 0  # how often it was sent
    acks: int = 0  # how often it was answered with status 0
    refusals: int = 0  # how often with a temporary error
    sent_at: float | None = None  # the first time
    acked_at: float | None = None  # the final answer, the first one
    status: int | None = None  # that answer's command_status
    on_sent: Callable[[], None] | None = field(default=None, repr=False)  # called once, then gone

    def row(self) -> dict[str, Any]:
        """All of it, for JSON."""
        names = ("times", "acks", "refusals", "queued_at", "sent_at", "acked_at", "status")
        return {
            "id": self.id,
            "account": self.account,
            "receipt_for": self.receipt_for,
            "by_data_sm": self.command == DATA_SM,
            **_message_row(self.message),
            **{name: getattr(self, name) for name in names},
        }


@dataclass(slots=True, eq=False)
class Mt:
    """A submit_sm or data_sm that an ESME sent; `sequence` is its own."""

    id: int
    at: float
    account: str
    bind: int
    sequence: int
    message: Message
    status: int
    number: int  # what its message id is made of; 0 where it was refused
    message_id: str  # as the answer says it; empty where it was refused
    answered: bool  # False: a fault keeps the answer back; True does not prove that it arrived

    def row(self) -> dict[str, Any]:
        """All of it, for JSON."""
        names = ("id", "at", "account", "bind", "sequence", "status", "message_id", "answered")
        return {**{name: getattr(self, name) for name in names}, **_message_row(self.message)}


class Text(NamedTuple):
    """What a subscriber reads: one MT, or the joined parts of a long one."""

    at: float  # of the last part
    account: str
    source: str
    destination: str
    text: str
    mts: tuple[int, ...]  # ids, in the order of arrival


class Event(NamedTuple):
    """A bind, an end of a link, or anything that is not the common run of texts."""

    event: str  # bind | unbind | link_end | violation | stray | enquire_link | ...
    at: float
    bind: int
    about: dict[str, Any]

    def row(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {"event": self.event, "at": self.at, "bind": self.bind, **self.about}


def is_accepted(mt: Mt) -> bool:
    """Whether the SMSC took it, whatever the ESME has heard of that."""
    return mt.status == ROK


def _message_row(message: Message) -> dict[str, Any]:
    place = place_of(message)
    return {
        "source": message.source.digits,
        "source_ton_npi": [message.source.ton, message.source.npi],
        "destination": message.destination.digits,
        "destination_ton_npi": [message.destination.ton, message.destination.npi],
        "text": decode(body_of(message), message.data_coding),
        "part": list(place) if place else None,  # orjson takes no named tuple
        "payload": message.payload.hex(),
        "data_coding": message.data_coding,
        "esm_class": message.esm_class,
        "registered_delivery": message.registered_delivery,
        "validity_period": message.validity_period,
        "service_type": message.service_type,
        "protocol_id": message.protocol_id,
        "priority": message.priority,
        "in_tlv": message.payload_in_tlv,
        "tlvs": {f"0x{tag:04x}": value.hex() for tag, value in (message.tlvs or {}).items()},
    }
