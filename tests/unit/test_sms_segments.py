"""Encode, split, join, decode: any text comes back, and no part breaks a character. Pure."""

import unicodedata
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sms import segments
from sms.alphabet import DefaultAlphabet, decode
from sms.joining import body_of, join, part_of
from sms.segments import Alphabet, LongStyle, Part, count, split

VIETNAMESE = "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựvxyỳỷỹýỵ"
LETTERS = [
    *VIETNAMESE,
    *VIETNAMESE.upper(),
    *"@_£{}[]^~|\\€\f\n 0123456789.,",
    "😀",
    "👨\u200d👩",
    "e\u0301\u0323",
]
GSM = "TSTN gui 9231 [1] {2} ~^|\\ € @ _\n"

texts = st.one_of(
    st.lists(st.sampled_from(LETTERS), max_size=500).map("".join),
    st.text(st.sampled_from(GSM), max_size=500),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300),
).flatmap(lambda text: st.sampled_from([text, unicodedata.normalize("NFD", text), text * 5]))
styles = st.sampled_from(LongStyle)
references = st.integers(0, 0xFFFF)


def received(part: Part) -> bytes:
    """What the other side reads as the text of the PDU, UDH in front."""
    return part.payload or dict(part.tlvs).get(segments.MESSAGE_PAYLOAD, b"")


@given(texts, styles, references, st.randoms(use_true_random=False))
@example("ệ" * 71, LongStyle.UDH16, 0xFFFF, Random(1))
@example("[" * 161, LongStyle.UDH8, 256, Random(1))
@example("a" * 152 + "[b" * 9, LongStyle.UDH8, 0, Random(1))
@example("a" + "😀" * 70, LongStyle.SAR, 7, Random(1))
@example("x" + "\u0301" * 300, LongStyle.UDH8, 7, Random(1))
def test_every_text_comes_back(text: str, style: LongStyle, reference: int, order: Random) -> None:
    parts = split(text, reference=reference, style=style)
    sent = list(parts)
    order.shuffle(sent)
    if len(sent) == 1:
        assert part_of(received(sent[0]), sent[0].esm_class, dict(sent[0].tlvs)) is None
        octets = body_of(received(sent[0]), sent[0].esm_class)
    else:
        places = [part_of(part.payload, part.esm_class, dict(part.tlvs)) for part in sent]
        assert {(p.reference, p.total) for p in places if p} == {
            (reference & 0xFF if style is LongStyle.UDH8 else reference, len(parts))
        }
        octets = join((place.number, place.body) for place in places if place)
    codings = {part.data_coding for part in parts}
    assert len(codings) == 1
    assert decode(octets, codings.pop(), DefaultAlphabet.GSM7) == unicodedata.normalize("NFC", text)


@given(texts, st.sampled_from([LongStyle.UDH8, LongStyle.UDH16, LongStyle.SAR]))
def test_no_part_is_too_long_or_breaks_a_character(text: str, style: LongStyle) -> None:
    parts = split(text, reference=1, style=style)
    assert len(parts) == count(text, style).parts
    header_octets = {LongStyle.UDH8: 6, LongStyle.UDH16: 7, LongStyle.SAR: 7}[style]
    for number, part in enumerate(parts, start=1):
        body = body_of(part.payload, part.esm_class)
        header = header_octets if len(parts) > 1 else 0
        is_ucs2 = part.data_coding == 8
        octets_on_air = len(body) if is_ucs2 else -(-len(body) * 7 // 8)
        assert header + octets_on_air <= 140
        shown = decode(body, part.data_coding, DefaultAlphabet.GSM7)
        assert "\ufffd" not in shown or "\ufffd" in text
        if is_ucs2 and number > 1 and not has_letter_too_long(text):
            assert not unicodedata.category(shown[0]).startswith("M")
        if not is_ucs2:
            assert not body.endswith(b"\x1b")


def has_letter_too_long(text: str) -> bool:
    """Whether one letter has more marks than a part has room for."""
    run = 0
    for character in unicodedata.normalize("NFC", text):
        run = run + 1 if unicodedata.category(character).startswith("M") else 1
        if run > 30:
            return True
    return False


@pytest.mark.parametrize(
    ("text", "style", "parts", "units"),
    [
        ("", LongStyle.UDH8, 1, 0),
        ("a" * 160, LongStyle.UDH8, 1, 160),
        ("a" * 161, LongStyle.UDH8, 2, 161),
        ("a" * 306, LongStyle.UDH8, 2, 306),
        ("a" * 307, LongStyle.UDH8, 3, 307),
        ("a" * 304, LongStyle.UDH16, 2, 304),
        ("a" * 305, LongStyle.UDH16, 3, 305),
        ("€" * 80, LongStyle.UDH8, 1, 160),
        ("€" * 81, LongStyle.UDH8, 2, 162),
        ("ệ" * 70, LongStyle.UDH8, 1, 70),
        ("ệ" * 71, LongStyle.UDH8, 2, 71),
        ("ệ" * 134, LongStyle.UDH8, 2, 134),
        ("ệ" * 135, LongStyle.UDH8, 3, 135),
        ("ệ" * 132, LongStyle.UDH16, 2, 132),
        ("ệ" * 133, LongStyle.UDH16, 3, 133),
        ("ệ" * 135, LongStyle.PAYLOAD, 3, 135),
        (unicodedata.normalize("NFD", "ệ" * 70), LongStyle.UDH8, 1, 70),
    ],
)
def test_what_a_text_costs(text: str, style: LongStyle, parts: int, units: int) -> None:
    alphabet = Alphabet.UCS2 if "ệ" in unicodedata.normalize("NFC", text) else Alphabet.GSM7
    assert count(text, style) == segments.Count(parts, alphabet, units)


def test_the_octets_of_each_style() -> None:
    first = {style: split("a" * 200, reference=0x0102, style=style)[0] for style in LongStyle}
    assert first[LongStyle.UDH8] == Part(b"\5\0\3\2\2\1" + b"a" * 153, 0, 0x40)
    assert first[LongStyle.UDH16] == Part(b"\6\x08\4\1\2\2\1" + b"a" * 152, 0, 0x40)
    assert first[LongStyle.SAR] == Part(
        b"a" * 152, 0, 0, ((0x020C, b"\1\2"), (0x020E, b"\2"), (0x020F, b"\1"))
    )
    assert first[LongStyle.PAYLOAD] == Part(b"", 0, 0, ((0x0424, b"a" * 200),))


@pytest.mark.parametrize("style", LongStyle)
def test_more_parts_than_can_be_numbered(style: LongStyle) -> None:
    assert split("a" * 152 * 255, reference=0, style=style)
    with pytest.raises(ValueError, match="parts"):
        split("a" * (153 * 255 + 1), reference=0, style=style)


@pytest.mark.parametrize("reference", [-1, 0x10000])
def test_a_reference_of_more_than_16_bits(reference: int) -> None:
    with pytest.raises(ValueError, match="16 bits"):
        split("TSTN", reference=reference, style=LongStyle.UDH8)


@given(st.text(st.characters(), max_size=200), styles)
def test_nothing_raises_for_any_text(text: str, style: LongStyle) -> None:
    assert split(text + "\ud800", reference=0, style=style)
