"""Octets to text and back: the tables of 3GPP TS 23.038, and what is refused. Pure."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.alphabet import DefaultAlphabet, Undecodable, decode, encode_gsm7, fits_gsm7

GSM7 = DefaultAlphabet.GSM7

# By the characters' Unicode names, column by column of the standard's own table.
NAMED = {
    0x00: "COMMERCIAL AT",
    0x01: "POUND SIGN",
    0x02: "DOLLAR SIGN",
    0x03: "YEN SIGN",
    0x04: "LATIN SMALL LETTER E WITH GRAVE",
    0x05: "LATIN SMALL LETTER E WITH ACUTE",
    0x06: "LATIN SMALL LETTER U WITH GRAVE",
    0x07: "LATIN SMALL LETTER I WITH GRAVE",
    0x08: "LATIN SMALL LETTER O WITH GRAVE",
    0x09: "LATIN CAPITAL LETTER C WITH CEDILLA",
    0x0B: "LATIN CAPITAL LETTER O WITH STROKE",
    0x0C: "LATIN SMALL LETTER O WITH STROKE",
    0x0E: "LATIN CAPITAL LETTER A WITH RING ABOVE",
    0x0F: "LATIN SMALL LETTER A WITH RING ABOVE",
    0x10: "GREEK CAPITAL LETTER DELTA",
    0x11: "LOW LINE",
    0x12: "GREEK CAPITAL LETTER PHI",
    0x13: "GREEK CAPITAL LETTER GAMMA",
    0x14: "GREEK CAPITAL LETTER LAMDA",
    0x15: "GREEK CAPITAL LETTER OMEGA",
    0x16: "GREEK CAPITAL LETTER PI",
    0x17: "GREEK CAPITAL LETTER PSI",
    0x18: "GREEK CAPITAL LETTER SIGMA",
    0x19: "GREEK CAPITAL LETTER THETA",
    0x1A: "GREEK CAPITAL LETTER XI",
    0x1C: "LATIN CAPITAL LETTER AE",
    0x1D: "LATIN SMALL LETTER AE",
    0x1E: "LATIN SMALL LETTER SHARP S",
    0x1F: "LATIN CAPITAL LETTER E WITH ACUTE",
    0x24: "CURRENCY SIGN",
    0x40: "INVERTED EXCLAMATION MARK",
    0x5B: "LATIN CAPITAL LETTER A WITH DIAERESIS",
    0x5C: "LATIN CAPITAL LETTER O WITH DIAERESIS",
    0x5D: "LATIN CAPITAL LETTER N WITH TILDE",
    0x5E: "LATIN CAPITAL LETTER U WITH DIAERESIS",
    0x5F: "SECTION SIGN",  # smpplib has a grave accent here
    0x60: "INVERTED QUESTION MARK",
    0x7B: "LATIN SMALL LETTER A WITH DIAERESIS",
    0x7C: "LATIN SMALL LETTER O WITH DIAERESIS",
    0x7D: "LATIN SMALL LETTER N WITH TILDE",
    0x7E: "LATIN SMALL LETTER U WITH DIAERESIS",
    0x7F: "LATIN SMALL LETTER A WITH GRAVE",
}
EXTENDED = {
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


def test_the_default_alphabet_code_by_code() -> None:
    for code in set(range(0x80)) - {0x1B}:
        expected = unicodedata.lookup(NAMED[code]) if code in NAMED else chr(code)
        assert decode(bytes([code]), 0, GSM7) == expected
        assert encode_gsm7(expected) == bytes([code])


@pytest.mark.parametrize("code", range(0x80))
def test_the_extension_code_by_code(code: int) -> None:
    pair = bytes([0x1B, code])
    if code in EXTENDED:
        assert decode(pair, 0, GSM7) == EXTENDED[code]
        assert encode_gsm7(EXTENDED[code]) == pair
    elif code == 0x1B:
        assert decode(pair, 0, GSM7) == " "  # kept for another table: shown as a space
    else:
        assert decode(pair, 0, GSM7) == decode(bytes([code]), 0, GSM7)


def test_an_escape_before_nothing_is_a_space() -> None:
    assert decode(b"TSTN\x1b", 0, GSM7) == "TSTN "


@pytest.mark.parametrize("character", ["`", "\x1b", "\t", "\0", "ç", "đ", "ă", "’", "😀"])
def test_what_gsm7_does_not_have(character: str) -> None:
    assert encode_gsm7(f"TSTN{character}") is None
    assert not fits_gsm7(f"TSTN{character}")


@pytest.mark.parametrize(
    ("payload", "data_coding", "default", "text"),
    [
        (b"\x00_\x11", 0, GSM7, "@§_"),
        (b"So\xe0n TSTN", 0, DefaultAlphabet.LATIN1, "Soàn TSTN"),
        (b"TSTN_@", 0, DefaultAlphabet.ASCII, "TSTN_@"),
        (b"TSTN_@", 1, GSM7, "TSTN_@"),
        (b"S\xe0i G\xf2n", 3, GSM7, "Sài Gòn"),
        ("Đăng ký 😀".encode("utf-16-be"), 8, GSM7, "Đăng ký 😀"),
        (b"\x00 \x11", 0xF0, GSM7, "@ _"),
        (b"TSTN@", 0xF1, DefaultAlphabet.ASCII, "TSTN@"),
        (b"", 8, GSM7, ""),
        (b"\x00T\xd8\x3d", 8, GSM7, "T\ufffd"),  # half a pair: its part never came
        (b"\x00T\x00\x00", 8, GSM7, "T\ufffd"),  # no store keeps NUL
    ],
)
def test_text_by_its_data_coding(
    payload: bytes, data_coding: int, default: DefaultAlphabet, text: str
) -> None:
    assert decode(payload, data_coding, default) == text


@pytest.mark.parametrize(
    ("payload", "data_coding", "default"),
    [
        (b"TSTN\xe9", 0, GSM7),
        (b"TSTN\xe9", 0, DefaultAlphabet.ASCII),
        (b"TSTN\xe9", 1, GSM7),
        (b"TSTN\xe9", 0xF0, GSM7),
        (b"\x00T\x00", 8, GSM7),
        (b"TSTN", 2, GSM7),
        (b"TSTN", 4, GSM7),
        (b"TSTN", 0xF4, GSM7),
        (b"TSTN", 0xF5, GSM7),
        (b"TSTN", 9, GSM7),
    ],
)
def test_what_is_not_text_is_refused(
    payload: bytes, data_coding: int, default: DefaultAlphabet
) -> None:
    with pytest.raises(Undecodable, match=f"data_coding 0x{data_coding:02x}"):
        decode(payload, data_coding, default)


@given(st.binary(), st.integers(0, 255), st.sampled_from(DefaultAlphabet))
def test_any_octets_are_text_for_a_store_or_refused(
    payload: bytes, data_coding: int, default: DefaultAlphabet
) -> None:
    try:
        text = decode(payload, data_coding, default)
    except Undecodable:
        return
    assert "\0" not in text
    text.encode()


@given(st.text())
def test_fitting_and_encoding_agree(text: str) -> None:
    octets = encode_gsm7(text)
    assert fits_gsm7(text) == (octets is not None)
    if octets is not None:
        assert decode(octets, 0, GSM7) == text
