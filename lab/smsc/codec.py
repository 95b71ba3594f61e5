"""SMPP 3.4 as this SMSC reads and writes it: PDUs packed by hand, for speed. Pure.

Section numbers are those of the "Short Message Peer to Peer Protocol Specification v3.4".
"""

from dataclasses import dataclass
from struct import Struct, error
from typing import Final, NamedTuple

from domain.errors import TstnError

HEADER: Final = Struct(">4I")
"""command_length, command_id, command_status, sequence_number (3.2)."""
_TLV: Final = Struct(">2H")
_AFTER_ADDRESSES: Final = Struct(">3B")
_BEFORE_TEXT: Final = Struct(">5B")

HEADER_LENGTH: Final = 16
LONGEST_PDU: Final = 65536
LONGEST_SHORT_MESSAGE: Final = 254
LAST_SEQUENCE: Final = 0x7FFFFFFF

RESPONSE: Final = 0x80000000
GENERIC_NACK: Final = 0x80000000
BIND_RECEIVER: Final = 0x00000001
BIND_TRANSMITTER: Final = 0x00000002
SUBMIT_SM: Final = 0x00000004
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
BIND_TRANSCEIVER: Final = 0x00000009
OUTBIND: Final = 0x0000000B
ENQUIRE_LINK: Final = 0x00000015
DATA_SM: Final = 0x00000103

ROK: Final = 0x00
RINVMSGLEN: Final = 0x01
RINVCMDLEN: Final = 0x02
RINVCMDID: Final = 0x03
RINVBNDSTS: Final = 0x04
RALYBND: Final = 0x05
RSYSERR: Final = 0x08
RINVSRCADR: Final = 0x0A
RINVDSTADR: Final = 0x0B
RBINDFAIL: Final = 0x0D
RINVPASWD: Final = 0x0E
RINVSYSID: Final = 0x0F
RMSGQFUL: Final = 0x14
RTHROTTLED: Final = 0x58
RINVEXPIRY: Final = 0x62
RX_T_APPN: Final = 0x64
RINVOPTPARSTREAM: Final = 0xC0
TEMPORARY: Final = frozenset({RSYSERR, RMSGQFUL, RTHROTTLED, RX_T_APPN})
"""With these an ESME asks for the same MO again (5.1.3)."""

TAG_RECEIPTED_ID: Final = 0x001E
TAG_SAR_REFERENCE: Final = 0x020C
TAG_SAR_TOTAL: Final = 0x020E
TAG_SAR_NUMBER: Final = 0x020F
TAG_INTERFACE_VERSION: Final = 0x0210
TAG_PAYLOAD: Final = 0x0424
TAG_STATE: Final = 0x0427

UDH: Final = 0x40
"""The bit of esm_class that says: the payload begins with a user data header."""

Tlvs = dict[int, bytes]


class Malformed(TstnError):
    """A body that is not what the specification says; `status` is the answer to it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Address(NamedTuple):
    """Type of number, numbering plan, and the digits as text (5.2.5, 5.2.6)."""

    ton: int
    npi: int
    digits: str


@dataclass(slots=True)
class Message:
    """The body of submit_sm, deliver_sm (4.4.1, 4.6.1) or data_sm (4.7.1).

    `payload` is the short message, or else the message_payload TLV, which `tlvs` then lacks.
    """

    source: Address
    destination: Address
    payload: bytes = b""
    data_coding: int = 0
    esm_class: int = 0
    registered_delivery: int = 0
    validity_period: str = ""
    service_type: str = ""
    protocol_id: int = 0
    priority: int = 0
    tlvs: Tlvs | None = None
    payload_in_tlv: bool = False


@dataclass(slots=True)
class BindRequest:
    """The body of a bind (4.1.1)."""

    system_id: str
    password: str
    system_type: str
    interface_version: int
    address_range: str


def pdu(command: int, sequence: int, body: bytes = b"", status: int = ROK) -> bytes:
    """A whole PDU."""
    return HEADER.pack(HEADER_LENGTH + len(body), command, status, sequence) + body


def text_field(value: str) -> bytes:
    """A C-octet string."""
    return value.encode("latin-1") + b"\0"


def read_bind(body: bytes) -> BindRequest:
    """Raises Malformed."""
    try:
        system_id, at = _text(body, 0, 15)
        password, at = _text(body, at, 64)  # 8 by the letter; operators give longer ones
        system_type, at = _text(body, at, 12)
        version = body[at]
        address_range, _ = _text(body, at + 3, 40)
    except (ValueError, IndexError) as fault:
        raise Malformed(RINVCMDLEN, f"bind: {fault}") from None
    return BindRequest(system_id, password, system_type, version, address_range)


def read_submit(body: bytes) -> Message:
    """Raises Malformed."""
    try:
        service_type, at = _text(body, 0, 5)
        source, at = _address(body, at)
        destination, at = _address(body, at)
        esm_class, protocol_id, priority = _AFTER_ADDRESSES.unpack_from(body, at)
        _, at = _text(body, at + 3, 16)
        validity_period, at = _text(body, at, 16)
        registered, _, data_coding, _, length = _BEFORE_TEXT.unpack_from(body, at)
    except (ValueError, IndexError, error) as fault:
        raise Malformed(RINVCMDLEN, f"submit_sm: {fault}") from None
    at += 5
    payload = body[at : at + length]
    if len(payload) < length or length > LONGEST_SHORT_MESSAGE:
        raise Malformed(RINVMSGLEN, f"submit_sm: sm_length {length}, {len(payload)} octets there")
    tlvs = read_tlvs(body, at + length)
    in_tlv = TAG_PAYLOAD in tlvs
    if in_tlv:
        if payload:
            raise Malformed(RINVMSGLEN, "submit_sm: both short_message and message_payload")
        payload = tlvs.pop(TAG_PAYLOAD)
    return Message(
        *(source, destination, payload, data_coding, esm_class, registered, validity_period),
        *(service_type, protocol_id, priority, tlvs, in_tlv),
    )


def read_data_sm(body: bytes) -> Message:
    """Raises Malformed."""
    try:
        service_type, at = _text(body, 0, 5)
        source, at = _address(body, at, 64)
        destination, at = _address(body, at, 64)
        esm_class, registered, data_coding = _AFTER_ADDRESSES.unpack_from(body, at)
    except (ValueError, IndexError, error) as fault:
        raise Malformed(RINVCMDLEN, f"data_sm: {fault}") from None
    tlvs = read_tlvs(body, at + 3)
    payload = tlvs.pop(TAG_PAYLOAD, b"")
    return Message(
        *(source, destination, payload, data_coding, esm_class, registered, "", service_type),
        tlvs=tlvs,
        payload_in_tlv=True,
    )


def read_tlvs(body: bytes, at: int) -> Tlvs:
    """The optional parameters from `at` to the end; the last of one tag wins. Raises Malformed."""
    tlvs: Tlvs = {}
    end = len(body)
    while at < end:
        if end - at < 4:
            raise Malformed(RINVOPTPARSTREAM, "octets after the last optional parameter")
        tag, length = _TLV.unpack_from(body, at)
        at += 4 + length
        if at > end:
            raise Malformed(RINVOPTPARSTREAM, f"parameter 0x{tag:04x} is longer than the PDU")
        tlvs[tag] = body[at - length : at]
    return tlvs


def deliver_body(message: Message) -> bytes:
    """The body of a deliver_sm (4.6.1); a payload that is too long for it goes into a TLV."""
    in_tlv = message.payload_in_tlv or len(message.payload) > LONGEST_SHORT_MESSAGE
    short = b"" if in_tlv else message.payload
    tlvs = dict(message.tlvs or {})
    if in_tlv:
        tlvs[TAG_PAYLOAD] = message.payload
    return b"".join(
        (
            text_field(message.service_type),
            address(message.source),
            address(message.destination),
            _AFTER_ADDRESSES.pack(message.esm_class, message.protocol_id, message.priority),
            b"\0\0",  # schedule_delivery_time and validity_period, always empty in a deliver_sm
            _BEFORE_TEXT.pack(message.registered_delivery, 0, message.data_coding, 0, len(short)),
            short,
            write_tlvs(tlvs),
        )
    )


def data_body(message: Message) -> bytes:
    """The body of a data_sm (4.7.1)."""
    tlvs = {TAG_PAYLOAD: message.payload, **(message.tlvs or {})}
    return b"".join(
        (
            text_field(message.service_type),
            address(message.source),
            address(message.destination),
            _AFTER_ADDRESSES.pack(
                message.esm_class, message.registered_delivery, message.data_coding
            ),
            write_tlvs(tlvs),
        )
    )


def command_and_body(message: Message, *, by_data_sm: bool) -> tuple[int, bytes]:
    """The PDU that delivers a message, but for its header."""
    if by_data_sm:
        return DATA_SM, data_body(message)
    return DELIVER_SM, deliver_body(message)


def address(value: Address) -> bytes:
    """Three fields: type of number, numbering plan, digits."""
    return bytes((value.ton, value.npi)) + value.digits.encode("latin-1") + b"\0"


def write_tlvs(tlvs: Tlvs) -> bytes:
    """Optional parameters, in the order given."""
    return b"".join(_TLV.pack(tag, len(value)) + value for tag, value in tlvs.items())


def _address(body: bytes, at: int, longest: int = 20) -> tuple[Address, int]:
    end = body.index(0, at + 2)
    if end - at - 2 > longest:
        raise ValueError(f"an address of {end - at - 2} octets")
    return Address(body[at], body[at + 1], body[at + 2 : end].decode("latin-1")), end + 1


def _text(body: bytes, at: int, longest: int) -> tuple[str, int]:
    end = body.index(0, at)
    if end - at > longest:
        raise ValueError(f"a field of {end - at} octets where {longest} are allowed")
    return body[at:end].decode("latin-1"), end + 1
