"""Which part of a long text a PDU carries, and the text's octets from its parts. Pure.

Nothing here raises: a damaged header makes a text of its own, never an error.
3GPP TS 23.040 §9.2.3.24 (UDH), SMPP 3.4 §5.3.2.22–24 (SAR).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sms.segments import HAS_UDH, MOST_PARTS, SAR_NUMBER, SAR_REFERENCE, SAR_TOTAL

_BITS = {0x00: 8, 0x08: 16}
"""The reference's width, by the information element that concatenates."""


@dataclass(frozen=True, slots=True)
class PartOf:
    """Part `number` (from 1) of `total`. `bits`: width of the reference, 0 where SAR gives it."""

    reference: int
    bits: int
    total: int
    number: int
    body: bytes


def part_of(payload: bytes, esm_class: int, tlvs: Mapping[int, bytes]) -> PartOf | None:
    """Give the place of a PDU in a long text; None if it is a text of its own.

    A UDH goes before SAR, its last concatenation before others; "1 of 1" is a text of its own.
    """
    header, body = _cut(payload, esm_class)
    place = None
    for element, value in _elements(header):
        bits = _BITS.get(element)
        if bits is not None and len(value) == bits // 8 + 2:
            place = (int.from_bytes(value[:-2]), bits, value[-2], value[-1])
    reference, bits, total, number = place or _sar(tlvs)
    if not (2 <= total <= MOST_PARTS and 1 <= number <= total):
        return None
    return PartOf(reference, bits, total, number, body)


def body_of(payload: bytes, esm_class: int) -> bytes:
    """Give the payload without its UDH; all of it where the UDH claims more than there is."""
    return _cut(payload, esm_class)[1]


def join(bodies: Iterable[tuple[int, bytes]]) -> bytes:
    """Give the octets of (number, body) pairs in order; the first counts where one comes twice."""
    first: dict[int, bytes] = {}
    for number, body in bodies:
        first.setdefault(number, body)
    return b"".join(body for _, body in sorted(first.items()))


def _cut(payload: bytes, esm_class: int) -> tuple[bytes, bytes]:
    """The UDH without its length octet, and the rest."""
    if not esm_class & HAS_UDH or not payload or payload[0] >= len(payload):
        return b"", payload
    end = 1 + payload[0]
    return payload[1:end], payload[end:]


def _elements(header: bytes) -> list[tuple[int, bytes]]:
    """The information elements; none where one claims more than there is: nothing is sure then."""
    elements = []
    while header:
        end = 2 + header[1] if len(header) > 1 else 2
        if end > len(header):
            return []
        elements.append((header[0], header[2:end]))
        header = header[end:]
    return elements


def _sar(tlvs: Mapping[int, bytes]) -> tuple[int, int, int, int]:
    """The place by SAR TLVs; "0 of 0" where they are not all there."""
    if not tlvs.keys() >= {SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER}:
        return 0, 0, 0, 0
    reference, total, number = (
        int.from_bytes(tlvs[tag]) for tag in (SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER)
    )
    return reference & 0xFFFF, 0, total, number
