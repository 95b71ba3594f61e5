"""PDUs of an SMSC put together by hand, octet by octet, legal or not. Pure."""

import struct

from sms.pdu.codes import DELIVER_SM

SEQUENCE = 7


def pdu(command: int, body: bytes = b"", status: int = 0, sequence: int = SEQUENCE) -> bytes:
    """A header with its right length, and the body."""
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def tlv(tag: int, value: bytes, length: int | None = None) -> bytes:
    """One optional parameter, with its own length unless told another."""
    return struct.pack(">HH", tag, len(value) if length is None else length) + value


def deliver_sm(
    text: bytes = b"TSTN",
    *tlvs: bytes,
    source: bytes = b"84901234567\0",
    destination: bytes = b"9231\0",
    esm_class: int = 0,
    data_coding: int = 0,
    sm_length: int | None = None,
) -> bytes:
    """A text from a subscriber; addresses with their NUL."""
    length = len(text) if sm_length is None else sm_length
    return pdu(
        DELIVER_SM,
        b"\0" + b"\x01\x01" + source + b"\x00\x00" + destination + bytes([esm_class, 0, 0])
        # schedule_delivery_time, validity_period, then four fields of one octet, and the length
        + b"\0" + b"\0" + bytes([0, 0, data_coding, 0, length])
        + text + b"".join(tlvs),
    )  # fmt: skip
