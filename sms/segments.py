"""A text as the parts that carry it: alphabet, sizes and concatenation. Pure.

A part is 140 octets on air, its UDH included: 160 septets or 70 UCS-2 units alone, fewer in a long
text. No part splits a surrogate pair, a letter and its marks, or a GSM escape and its code.
3GPP TS 23.040 §9.2.3.24 (UDH), SMPP 3.4 §5.3.2 (TLVs).
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sms.alphabet import encode_gsm7

SAR_REFERENCE = 0x020C
SAR_TOTAL = 0x020E
SAR_NUMBER = 0x020F
MESSAGE_PAYLOAD = 0x0424
HAS_UDH = 0x40
"""The bit of esm_class that says a UDH stands before the text."""
MOST_PARTS = 255

_PART_OCTETS = 140
_SEPTETS = re.compile(rb"\x1b?.", re.DOTALL)
"""A character of the default alphabet, its escape included."""


class Alphabet(StrEnum):
    """What a text goes out in."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class LongStyle(StrEnum):
    """How an SMSC wants long texts: a UDH of 8 or 16 bits, SAR TLVs, or whole as one TLV."""

    UDH8 = "udh8"
    UDH16 = "udh16"
    SAR = "sar"
    PAYLOAD = "payload"


_HEADER_OCTETS = {
    LongStyle.UDH8: 6,
    LongStyle.UDH16: 7,
    LongStyle.SAR: 7,  # the SMSC writes the header, and the reference has 16 bits
    LongStyle.PAYLOAD: 6,
}
_DATA_CODING = {Alphabet.GSM7: 0, Alphabet.UCS2: 8}


@dataclass(frozen=True, slots=True)
class Part:
    """What one submit_sm carries: short_message (UDH first), its coding, and TLVs by tag."""

    payload: bytes
    data_coding: int
    esm_class: int = 0
    tlvs: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """A text's size on air. `units`: septets (an extension character has 2) or UCS-2 units."""

    parts: int
    alphabet: Alphabet
    units: int


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A text's octets, and those of each part of it."""

    alphabet: Alphabet
    octets: bytes
    bodies: list[bytes]


def split(text: str, *, reference: int, style: LongStyle) -> list[Part]:
    """Give the PDUs' contents for a text, in order; NFC and the smaller alphabet are chosen here.

    `reference` names the parts of one long text to one subscriber; UDH8 takes its low 8 bits. Half
    a surrogate pair goes out as a question mark.

    Raises:
        ValueError: more than 255 parts, or `reference` is not within 0..65535.
    """
    if not 0 <= reference <= 0xFFFF:
        raise ValueError(f"reference {reference} has more than 16 bits")
    encoded = _encode(text, style)
    data_coding = _DATA_CODING[encoded.alphabet]
    total = len(encoded.bodies)
    if total > MOST_PARTS:
        raise ValueError(f"the text needs {total} parts, {MOST_PARTS} are allowed")
    if total == 1:
        return [Part(encoded.octets, data_coding)]
    if style is LongStyle.PAYLOAD:
        return [Part(b"", data_coding, tlvs=((MESSAGE_PAYLOAD, encoded.octets),))]
    return [
        _part(body, data_coding, reference, total, number, style)
        for number, body in enumerate(encoded.bodies, start=1)
    ]


def count(text: str, style: LongStyle = LongStyle.UDH8) -> Count:
    """Give what a text costs: its parts on air, also where the SMSC is left to make them."""
    encoded = _encode(text, style)
    unit_octets = 1 if encoded.alphabet is Alphabet.GSM7 else 2
    return Count(len(encoded.bodies), encoded.alphabet, len(encoded.octets) // unit_octets)


def _part(
    body: bytes, data_coding: int, reference: int, total: int, number: int, style: LongStyle
) -> Part:
    place = bytes([total, number])
    if style is LongStyle.UDH8:
        return Part(b"\5\0\3" + bytes([reference & 0xFF]) + place + body, data_coding, HAS_UDH)
    if style is LongStyle.UDH16:
        return Part(b"\6\x08\4" + reference.to_bytes(2) + place + body, data_coding, HAS_UDH)
    tlvs = (
        (SAR_REFERENCE, reference.to_bytes(2)),
        (SAR_TOTAL, bytes([total])),
        (SAR_NUMBER, bytes([number])),
    )
    return Part(body, data_coding, tlvs=tlvs)


def _encode(text: str, style: LongStyle) -> _Encoded:
    text = unicodedata.normalize("NFC", text)
    octets = encode_gsm7(text)
    pieces: Iterable[bytes]
    if octets is not None:
        room, alone = _septets(_HEADER_OCTETS[style]), _septets(0)
        alphabet, pieces = Alphabet.GSM7, _SEPTETS.findall(octets)
    else:
        octets = _ucs2(text)
        room, alone = (_PART_OCTETS - _HEADER_OCTETS[style]) // 2 * 2, _PART_OCTETS
        alphabet, pieces = Alphabet.UCS2, _letters(text, room)
    bodies = [octets] if len(octets) <= alone else _filled(pieces, room)
    return _Encoded(alphabet, octets, bodies)


def _septets(header_octets: int) -> int:
    return (_PART_OCTETS - header_octets) * 8 // 7


def _ucs2(text: str) -> bytes:
    return text.encode("utf-16-be", "replace")


def _letters(text: str, room: int) -> Iterable[bytes]:
    """The octets of each letter with its marks; more marks than a part has room for are cut off."""
    letter = b""
    for character in text:
        octets = _ucs2(character)
        is_mark = unicodedata.category(character).startswith("M")
        if letter and (not is_mark or len(letter) + len(octets) > room):
            yield letter
            letter = b""
        letter += octets
    yield letter


def _filled(pieces: Iterable[bytes], room: int) -> list[bytes]:
    """Pieces together in as few bodies of at most `room` octets as their order allows."""
    bodies = [b""]
    for piece in pieces:
        if len(bodies[-1]) + len(piece) > room:
            bodies.append(b"")
        bodies[-1] += piece
    return bodies
