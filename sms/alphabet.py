"""Octets to text by data_coding, and text to GSM 7-bit. Pure.

Never by guess: what a data_coding does not allow is `Undecodable`. In SMPP septets are unpacked,
one to an octet. Tables: 3GPP TS 23.038 §6.2.1; data_coding: SMPP 3.4 §5.2.19.
"""

import codecs
import re
from enum import StrEnum

from domain.errors import TstnError

_ESCAPE = "\x1b"
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    f"Δ_ΦΓΛΩΠΨΣΘΞ{_ESCAPE}ÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
"""The default alphabet: the character of code n stands at n."""
# fmt: off
_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\",
    0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}
# fmt: on
"""What the code after an escape means."""

_CODES = {character: bytes([code]) for code, character in enumerate(_BASIC)} | {
    character: bytes([0x1B, code]) for code, character in _EXTENSION.items()
}
del _CODES[_ESCAPE]

_ESCAPED = re.compile(f"{_ESCAPE}(.?)", re.DOTALL)
# An escape before an escape, or before nothing, shows as a space (23.038 §6.2.1.1, note 1).
_MEANS = {_BASIC[code]: character for code, character in _EXTENSION.items()} | {
    _ESCAPE: " ",
    "": " ",
}


class Undecodable(TstnError):
    """The octets are not text under their data_coding."""


class DefaultAlphabet(StrEnum):
    """What an SMSC means by data_coding 0, its default alphabet: a setting of the account."""

    GSM7 = "gsm7"
    LATIN1 = "latin1"
    ASCII = "ascii"


def decode(payload: bytes, data_coding: int, default: DefaultAlphabet) -> str:
    """Give the text of a payload without its UDH.

    What no store keeps, NUL and half a surrogate pair, becomes U+FFFD.

    Raises:
        Undecodable: data_coding is not one of text (0, 1, 3, 8, 0xF0–0xF3 and 0xF8–0xFB), or the
            octets are not of its alphabet.
    """
    try:
        text = _decode(payload, data_coding, default)
    except UnicodeDecodeError as error:
        raise Undecodable(f"data_coding 0x{data_coding:02x}: {error.reason}") from None
    return text.replace("\0", "\ufffd")


def encode_gsm7(text: str) -> bytes | None:
    """Give the unpacked septets, 2 octets for an extension character; None if it does not fit."""
    try:
        return b"".join([_CODES[character] for character in text])
    except KeyError:
        return None


def fits_gsm7(text: str) -> bool:
    """Whether every character is in the default alphabet or its extension."""
    return _CODES.keys() >= set(text)


def _decode(payload: bytes, data_coding: int, default: DefaultAlphabet) -> str:
    if data_coding == 8:
        return _decode_ucs2(payload)
    if data_coding == 3:
        return payload.decode("latin-1")
    if data_coding == 1:
        return payload.decode("ascii")
    # 0xF0 is the group of message classes: its bit 2 says data (1) or default alphabet (0).
    if data_coding != 0 and data_coding & 0xF4 != 0xF0:
        raise Undecodable(f"data_coding 0x{data_coding:02x} is not one of text")
    if default is DefaultAlphabet.GSM7:
        return _decode_gsm7(payload)
    return payload.decode(default.value)


def _decode_gsm7(payload: bytes) -> str:
    text, _ = codecs.charmap_decode(payload, "strict", _BASIC)
    if _ESCAPE not in text:
        return text
    return _ESCAPED.sub(lambda escaped: _MEANS.get(escaped[1], escaped[1]), text)


def _decode_ucs2(payload: bytes) -> str:
    if len(payload) % 2:
        raise Undecodable("data_coding 0x08: an odd number of octets")
    return payload.decode("utf-16-be", "replace")
