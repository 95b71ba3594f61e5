"""What an inbound PDU is to the rest of TSTN: plain frozen values, no bytes left to read. Pure.

Field names and sizes: SMPP 3.4, sections 4 and 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sms.pdu.codes import TLV_MESSAGE_STATE, TLV_RECEIPTED_MESSAGE_ID

_UDH_INDICATOR = 0x40
_MESSAGE_TYPE = 0x3C
_STATE_OCTETS = range(1, 5)


class Address(NamedTuple):
    """Who sent, or is to get, a text: type of number, numbering plan, and the digits as sent.

    `digits` may be letters too (ton 5).
    """

    ton: int
    npi: int
    digits: str


class Message(NamedTuple):
    """A deliver_sm or data_sm: a subscriber's text, or a receipt for one of ours.

    Attributes:
        payload: short_message, or the message_payload TLV where that is empty; a user data header
            (UDH) still stands in front of it.
        tlvs: optional parameters by tag, values as sent; of two with one tag the last.
        raw: the whole PDU.
    """

    sequence: int
    command: int
    source: Address
    destination: Address
    esm_class: int
    data_coding: int
    payload: bytes
    protocol_id: int
    priority: int
    registered_delivery: int
    service_type: str
    tlvs: Mapping[int, bytes]
    raw: bytes

    @property
    def has_udh(self) -> bool:
        """Whether the payload begins with a user data header."""
        return bool(self.esm_class & _UDH_INDICATOR)

    @property
    def is_receipt_class(self) -> bool:
        """Whether esm_class (bits 2-5) says receipt or acknowledgement, not a text."""
        return bool(self.esm_class & _MESSAGE_TYPE)

    @property
    def receipted_message_id(self) -> str | None:
        """The id of the text this is a receipt for. Some SMSCs leave its final NUL out."""
        value = self.tlvs.get(TLV_RECEIPTED_MESSAGE_ID, b"")
        return value.partition(b"\0")[0].decode("latin-1") or None

    @property
    def message_state(self) -> int | None:
        """The state this receipt reports (5.2.28). One octet by the book; some SMSCs send more."""
        value = self.tlvs.get(TLV_MESSAGE_STATE, b"")
        return int.from_bytes(value, "big") if len(value) in _STATE_OCTETS else None


@dataclass(frozen=True, slots=True)
class Request:
    """Any other request of SMPP 3.4, such as enquire_link or unbind; its body is of no use here."""

    sequence: int
    command: int


class Response(NamedTuple):
    """An answer; `command` has the response bit set.

    Attributes:
        message_id: of bind_*_resp the system_id; "" where there is no body.
    """

    sequence: int
    command: int
    status: int
    message_id: str
    tlvs: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Unparsable:
    """A deliver_sm or data_sm in which source, destination or payload cannot be found."""

    sequence: int
    command: int
    status: int
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class UnknownCommand:
    """A request that SMPP 3.4 does not know; a generic_nack with ESME_RINVCMDID is due."""

    sequence: int
    command: int
    raw: bytes


Pdu = Message | Request | Response | Unparsable | UnknownCommand
