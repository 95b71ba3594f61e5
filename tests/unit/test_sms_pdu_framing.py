"""A stream of octets cut into PDUs: the same ones however the octets arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.pdu.codes import DELIVER_SM
from sms.pdu.framing import Framer, FramingError
from tests.pdus import deliver_sm, pdu

frames = st.lists(st.binary(max_size=40).map(lambda body: pdu(DELIVER_SM, body)), max_size=8)
wrong_lengths = st.integers(0, 15) | st.integers(65537, 2**32 - 1)


def fed(framer: Framer, stream: bytes, data: st.DataObject) -> list[bytes]:
    """Feed a stream in pieces of any sizes, until it is over or out of step."""
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12).map(sorted))
    found: list[bytes] = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        if framer.fault is None:
            found += framer.feed(stream[begin:end])
    return found


@given(frames, st.data())
def test_any_chunking_gives_the_same_frames(frames: list[bytes], data: st.DataObject) -> None:
    framer = Framer()
    assert fed(framer, b"".join(frames), data) == frames
    assert framer.fault is None


@given(frames, wrong_lengths, st.binary(), st.data())
def test_frames_before_a_wrong_length_are_kept_and_none_after_it(
    frames: list[bytes], length: int, rest: bytes, data: st.DataObject
) -> None:
    framer = Framer()
    stream = b"".join(frames) + length.to_bytes(4, "big") + rest
    assert fed(framer, stream, data) == frames
    assert framer.fault == f"a PDU of {length} octets, not 16 to 65536"
    with pytest.raises(FramingError, match=framer.fault):
        framer.feed(b"")


@given(st.lists(st.binary(max_size=64), max_size=20))
def test_no_bytes_raise_anything_else(chunks: list[bytes]) -> None:
    framer = Framer()
    for chunk in chunks:
        if framer.fault is None:
            assert all(len(frame) >= 16 for frame in framer.feed(chunk))


def test_one_octet_at_a_time() -> None:
    framer, frame = Framer(), deliver_sm()
    assert [framer.feed(bytes([octet])) for octet in frame] == [[]] * (len(frame) - 1) + [[frame]]


def test_the_longest_and_the_shortest_are_within_bounds() -> None:
    shortest, longest = pdu(DELIVER_SM), pdu(DELIVER_SM, bytes(84))
    framer = Framer(max_length=100)
    assert framer.feed(shortest + longest) == [shortest, longest]
    assert framer.feed(pdu(DELIVER_SM, bytes(85))) == []
    assert framer.fault == "a PDU of 101 octets, not 16 to 100"


def test_a_wrong_length_is_told_before_its_octets_come() -> None:
    framer = Framer()
    assert framer.feed(b"\x7f\xff\xff\xff") == []
    assert framer.fault is not None
