"""Parts read from a UDH or SAR TLVs, whole, damaged and odd. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.joining import PartOf, body_of, join, part_of

NO_TLVS: dict[int, bytes] = {}


@pytest.mark.parametrize(
    ("elements", "place"),
    [
        (b"\0\3\x2a\2\1", (0x2A, 8, 2, 1)),
        (b"\x08\4\1\2\3\2", (0x0102, 16, 3, 2)),
        (b"\5\4\0\1\0\2\0\3\7\2\2\x24\1\1", (7, 8, 2, 2)),  # ports before, language after
        (b"\0\3\1\2\1\x08\4\0\2\2\2", (2, 16, 2, 2)),  # the last one counts
    ],
)
@pytest.mark.parametrize("body", [b"TSTN", b""])
def test_a_part_by_its_udh(elements: bytes, place: tuple[int, int, int, int], body: bytes) -> None:
    payload = bytes([len(elements)]) + elements + body
    assert part_of(payload, 0x40, NO_TLVS) == PartOf(*place, body)
    assert body_of(payload, 0x40) == body


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (b"\5\0\3\x2a\0\0TSTN", b"TSTN"),  # 0 of 0
        (b"\5\0\3\x2a\2\3TSTN", b"TSTN"),  # 3 of 2
        (b"\5\0\3\x2a\2\0TSTN", b"TSTN"),  # 0 of 2
        (b"\5\0\3\x2a\1\1TSTN", b"TSTN"),  # 1 of 1 is whole
        (b"\5\0\4\x2a\2\1TSTN", b"TSTN"),  # claims more than the header
        (b"\6\0\3\x2a\2\1\0TSTN", b"TSTN"),  # half an element at the end
        (b"\5\0\2\x2a\2\0TSTN", b"TSTN"),  # too short to say a place
        (b"\4\x24\1\1\0TSTN", b"TSTN"),
        (b"\0TSTN", b"TSTN"),
        (b"\x50TSTN", b"\x50TSTN"),  # longer than all there is
        (b"", b""),
    ],
)
def test_a_damaged_udh_makes_a_text_of_its_own(payload: bytes, body: bytes) -> None:
    assert part_of(payload, 0x40, NO_TLVS) is None
    assert body_of(payload, 0x40) == body


def test_without_the_bit_there_is_no_udh() -> None:
    assert part_of(b"\5\0\3\x2a\2\1TSTN", 0, NO_TLVS) is None
    assert body_of(b"\5\0\3\x2a\2\1TSTN", 0x04) == b"\5\0\3\x2a\2\1TSTN"


@pytest.mark.parametrize(
    ("reference", "total", "number", "part"),
    [
        (b"\1\2", b"\3", b"\2", PartOf(0x0102, 0, 3, 2, b"TSTN")),
        (b"\7", b"\0\3", b"\0\2", PartOf(7, 0, 3, 2, b"TSTN")),
        (b"\1\2", b"", b"\2", None),
        (b"\1\2", b"\3", b"\4", None),
        (b"\1\2", b"\1\3", b"\4", None),
        (b"\1\2", b"\1", b"\1", None),
    ],
)
def test_a_part_by_sar(reference: bytes, total: bytes, number: bytes, part: PartOf | None) -> None:
    assert part_of(b"TSTN", 0, {0x020C: reference, 0x020E: total, 0x020F: number}) == part


def test_sar_says_nothing_unless_it_is_whole() -> None:
    assert part_of(b"TSTN", 0, {0x020E: b"\2", 0x020F: b"\1"}) is None


def test_a_udh_goes_before_sar() -> None:
    tlvs = {0x020C: b"\0\1", 0x020E: b"\3", 0x020F: b"\3"}
    assert part_of(b"\5\0\3\x2a\2\1TSTN", 0x40, tlvs) == PartOf(0x2A, 8, 2, 1, b"TSTN")
    assert part_of(b"\3\x24\1\1TSTN", 0x40, tlvs) == PartOf(1, 0, 3, 3, b"TSTN")


def test_joined_in_order_each_once_without_those_that_never_came() -> None:
    assert join([(4, b"N"), (1, b"T"), (2, b"S"), (1, b"x")]) == b"TSN"


@given(
    st.binary(max_size=40),
    st.integers(0, 255),
    st.dictionaries(st.integers(0x020A, 0x0210), st.binary(max_size=5)),
)
def test_nothing_raises_for_any_octets(
    payload: bytes, esm_class: int, tlvs: dict[int, bytes]
) -> None:
    part = part_of(payload, esm_class, tlvs)
    assert part is None or (1 <= part.number <= part.total <= 255 and part.reference <= 0xFFFF)
    assert payload.endswith(body_of(payload, esm_class))
