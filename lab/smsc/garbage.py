"""PDUs that no SMSC should send, and some do. Pure."""

from collections.abc import Callable
from enum import StrEnum

from lab.smsc.codec import (
    DELIVER_SM,
    HEADER,
    HEADER_LENGTH,
    LONGEST_PDU,
    OUTBIND,
    RESPONSE,
    SUBMIT_SM,
    Address,
    Message,
    deliver_body,
    pdu,
)

_UNKNOWN_COMMAND = 0x00010200  # in the range reserved for vendors
_ALERT_NOTIFICATION = 0x00000102
_NEVER_SENT = 0x7FFF0000
_TEXT = deliver_body(Message(Address(1, 1, "84900000000"), Address(0, 1, "9231"), b"GARBAGE"))


class Garbage(StrEnum):
    """What is wrong with it; after the last two of them no PDU boundary can be found any more."""

    UNKNOWN_COMMAND = "unknown_command"
    EMPTY_BODY = "empty_body"  # a deliver_sm of a header alone
    UNTERMINATED = "unterminated"  # a deliver_sm whose first field has no end
    LONG_TEXT = "long_text"  # sm_length beyond the end of the PDU
    LONG_TLV = "long_tlv"  # a parameter that claims more octets than there are
    STRAY_RESPONSE = "stray_response"  # to a submit that never was
    OUTBIND = "outbind"
    ALERT = "alert"
    SHORT_LENGTH = "short_length"
    HUGE_LENGTH = "huge_length"

    @classmethod
    def framed(cls) -> "tuple[Garbage, ...]":
        """Those whose length is right: the good PDUs around them can be read."""
        return tuple(one for one in cls if one not in {cls.SHORT_LENGTH, cls.HUGE_LENGTH})


def make(kind: Garbage, sequence: int) -> bytes:
    """The octets of one such PDU."""
    return _MAKERS[kind](sequence)


def _bad_text(body: bytes, sequence: int) -> bytes:
    return pdu(DELIVER_SM, sequence, body)


_MAKERS: dict[Garbage, Callable[[int], bytes]] = {
    Garbage.UNKNOWN_COMMAND: lambda sequence: pdu(_UNKNOWN_COMMAND, sequence, b"\1\2\3"),
    Garbage.EMPTY_BODY: lambda sequence: _bad_text(b"", sequence),
    Garbage.UNTERMINATED: lambda sequence: _bad_text(b"\xff" * 40, sequence),
    Garbage.LONG_TEXT: lambda sequence: _bad_text(_TEXT[:-3], sequence),
    Garbage.LONG_TLV: lambda sequence: _bad_text(_TEXT + b"\x00\x1e\x7f\xff12", sequence),
    Garbage.STRAY_RESPONSE: lambda _: pdu(SUBMIT_SM | RESPONSE, _NEVER_SENT, b"stray\0"),
    Garbage.OUTBIND: lambda sequence: pdu(OUTBIND, sequence, b"smsc\0secret\0"),
    Garbage.ALERT: lambda sequence: pdu(_ALERT_NOTIFICATION, sequence, b"\1\x019\0\1\x019\0"),
    Garbage.SHORT_LENGTH: lambda sequence: HEADER.pack(HEADER_LENGTH - 8, DELIVER_SM, 0, sequence),
    Garbage.HUGE_LENGTH: lambda sequence: HEADER.pack(LONGEST_PDU * 512, DELIVER_SM, 0, sequence),
}
