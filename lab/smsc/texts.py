"""Letters and long texts as the subscribers' side knows them: GSM 03.38, UCS-2, joining. Pure."""

from collections.abc import Hashable, Iterator
from enum import StrEnum
from typing import NamedTuple

from lab.smsc.codec import TAG_SAR_NUMBER, TAG_SAR_REFERENCE, TAG_SAR_TOTAL, UDH, Message, Tlvs

# 3GPP TS 23.038, 6.2.1: the default alphabet, and after an escape its extension.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_LETTERS = {**dict.fromkeys(range(128, 256), "�"), **dict(enumerate(_BASIC))}
_CODES = {letter: bytes((code,)) for code, letter in enumerate(_BASIC) if code != 0x1B} | {
    letter: bytes((0x1B, code)) for code, letter in _EXTENSION.items()
}


class LongStyle(StrEnum):
    """How the parts of a long text say that they belong together."""

    UDH8 = "udh8"
    UDH16 = "udh16"
    SAR = "sar"


class Piece(NamedTuple):
    """One part of a long text, as it goes into a PDU."""

    payload: bytes
    esm_class: int
    tlvs: Tlvs


class Place(NamedTuple):
    """Which part of which long text a PDU is."""

    reference: int
    total: int
    number: int


def encode(text: str, data_coding: int | None) -> tuple[bytes, int]:
    """Octets and data_coding; with None, GSM 7-bit (unpacked) where it fits and else UCS-2.

    Raises UnicodeEncodeError or KeyError: the text does not fit the data_coding asked for.
    """
    if data_coding is None:
        data_coding = 0 if all(letter in _CODES for letter in text) else 8
    if data_coding == 0:
        return b"".join(_CODES[letter] for letter in text), 0
    return text.encode(_codec(data_coding)), data_coding


def decode(payload: bytes, data_coding: int) -> str:
    """The text; what cannot be read becomes U+FFFD."""
    if data_coding & 0xEF == 0 or data_coding & 0xFC == 0xF0:
        return _decode_gsm(payload)
    return payload.decode(_codec(data_coding), "replace")


def split(payload: bytes, size: int, style: LongStyle, reference: int) -> Iterator[Piece]:
    """Cuts octets into parts of `size` at most, as a phone or a gateway does."""
    bodies = [payload[at : at + size] for at in range(0, len(payload), size)]
    for number, body in enumerate(bodies, 1):
        place = Place(reference, len(bodies), number)
        if style is LongStyle.SAR:
            yield Piece(body, 0, _sar(place))
        else:
            yield Piece(_header(place, style) + body, UDH, {})


def place_of(message: Message) -> Place | None:
    """Which part a message is, by its user data header or its SAR parameters; None: it is whole."""
    if message.esm_class & UDH:
        return _place_in_header(message.payload)
    tlvs = message.tlvs
    if not tlvs or TAG_SAR_REFERENCE not in tlvs:
        return None
    reference, total, number = (
        int.from_bytes(tlvs.get(tag, b""), "big")
        for tag in (TAG_SAR_REFERENCE, TAG_SAR_TOTAL, TAG_SAR_NUMBER)
    )
    return Place(reference, total, number)


def body_of(message: Message) -> bytes:
    """The payload without its user data header."""
    if message.esm_class & UDH and message.payload:
        return message.payload[1 + message.payload[0] :]
    return message.payload


class Joiner:
    """Puts parts together; a part that comes twice counts once."""

    def __init__(self) -> None:
        self.open: dict[Hashable, dict[int, bytes]] = {}

    def add(self, key: Hashable, place: Place, body: bytes) -> bytes | None:
        """The octets of the whole text, once its last part is here."""
        whole = (key, place.reference, place.total)
        parts = self.open.setdefault(whole, {})
        parts.setdefault(place.number, body)
        if len(parts) < place.total:
            return None
        del self.open[whole]
        return b"".join(parts[number] for number in sorted(parts))


def _decode_gsm(payload: bytes) -> str:
    if 0x1B not in payload:
        return payload.decode("latin-1").translate(_LETTERS)
    first, *others = payload.split(b"\x1b")
    text = first.decode("latin-1").translate(_LETTERS)
    for after in others:
        letter = _EXTENSION.get(after[0], _LETTERS[after[0]]) if after else "�"
        text += letter + after[1:].decode("latin-1").translate(_LETTERS)
    return text


def _codec(data_coding: int) -> str:
    return {1: "ascii", 8: "utf-16-be"}.get(data_coding, "latin-1")


def _header(place: Place, style: LongStyle) -> bytes:
    if style is LongStyle.UDH8:
        return bytes((5, 0, 3, place.reference & 0xFF, place.total, place.number))
    return bytes((6, 8, 4, *(place.reference & 0xFFFF).to_bytes(2, "big"), *place[1:]))


def _sar(place: Place) -> Tlvs:
    return {
        TAG_SAR_REFERENCE: place.reference.to_bytes(2, "big"),
        TAG_SAR_TOTAL: bytes((place.total,)),
        TAG_SAR_NUMBER: bytes((place.number,)),
    }


def _place_in_header(payload: bytes) -> Place | None:
    """3GPP TS 23.040, 9.2.3.24: elements of identifier, length, value."""
    header = payload[1 : 1 + payload[0]] if payload else b""
    while len(header) >= 2:
        identifier, length = header[0], header[1]
        value = header[2 : 2 + length]
        if (identifier, len(value)) in {(0, 3), (8, 4)}:
            return Place(int.from_bytes(value[:-2], "big"), value[-2], value[-1])
        header = header[2 + length :]
    return None
