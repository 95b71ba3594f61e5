"""Inbound PDUs as SMSCs really send them: what is read of each, and that nothing in them raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.pdu import codes
from sms.pdu.parse import parse
from sms.pdu.types import (
    Address,
    Message,
    Pdu,
    Request,
    Response,
    UnknownCommand,
    Unparsable,
)
from tests.pdus import SEQUENCE, deliver_sm, pdu, tlv

MESSAGE_ID = tlv(codes.TLV_RECEIPTED_MESSAGE_ID, b"0123456789\0")
STATE = tlv(codes.TLV_MESSAGE_STATE, b"\x02")
SUBSCRIBER = Address(1, 1, "84901234567")
SHORT_CODE = Address(0, 0, "9231")


def message(frame: bytes) -> Message:
    read = parse(frame)
    assert isinstance(read, Message), read
    assert read.raw == frame
    return read


def response(frame: bytes) -> Response:
    read = parse(frame)
    assert isinstance(read, Response), read
    return read


def data_sm(*tlvs: bytes, addresses: bytes = b"\x01\x0184901234567\0\0\x009231\0") -> bytes:
    return pdu(codes.DATA_SM, b"\0" + addresses + b"\x40\x01\x08" + b"".join(tlvs))


# Texts as they should be.


def test_a_text_is_read_in_full() -> None:
    body = (
        b"CMT\0\x01\x0184901234567\0\x02\x049231\0"
        b"\x43\x05\x02" + b"260105090000000+\0" + b"000001000000000R\0"
        b"\x11\x01\x08\x09\x04TSTN" + tlv(0x0204, b"\0\x01") + tlv(0x1555, b"vendor")
    )
    frame = pdu(codes.DELIVER_SM, body)
    assert parse(frame) == Message(
        sequence=SEQUENCE,
        command=codes.DELIVER_SM,
        source=SUBSCRIBER,
        destination=Address(2, 4, "9231"),
        esm_class=0x43,
        data_coding=8,
        payload=b"TSTN",
        protocol_id=5,
        priority=2,
        registered_delivery=0x11,
        service_type="CMT",
        tlvs={0x0204: b"\0\x01", 0x1555: b"vendor"},
        raw=frame,
    )


def test_a_text_by_data_sm_is_read_in_full() -> None:
    frame = data_sm(tlv(codes.TLV_MESSAGE_PAYLOAD, b"TSTN"))
    assert parse(frame) == Message(
        sequence=SEQUENCE,
        command=codes.DATA_SM,
        source=SUBSCRIBER,
        destination=SHORT_CODE,
        esm_class=0x40,
        data_coding=8,
        payload=b"TSTN",
        protocol_id=0,
        priority=0,
        registered_delivery=1,
        service_type="",
        tlvs={codes.TLV_MESSAGE_PAYLOAD: b"TSTN"},
        raw=frame,
    )


def test_a_receipt_by_data_sm_needs_no_payload() -> None:
    read = message(data_sm(MESSAGE_ID, STATE))
    assert (read.payload, read.receipted_message_id, read.message_state) == (b"", "0123456789", 2)


def test_a_long_text_comes_as_message_payload() -> None:
    text = "Đăng ký thay SIM tại nhà. ".encode("utf-16-be") * 40
    assert message(deliver_sm(b"", tlv(codes.TLV_MESSAGE_PAYLOAD, text))).payload == text


def test_the_short_message_is_the_text_where_both_are_there() -> None:
    frame = deliver_sm(b"TSTN", tlv(codes.TLV_MESSAGE_PAYLOAD, b"other"))
    assert message(frame).payload == b"TSTN"


def test_a_text_may_be_empty_and_may_hold_any_octets() -> None:
    assert message(deliver_sm(b"")).payload == b""
    assert message(deliver_sm(bytes(range(254)))).payload == bytes(range(254))


def test_the_header_s_sequence_is_taken_as_it_is_and_its_status_ignored() -> None:
    body = deliver_sm()[16:]
    for sequence in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
        read = parse(pdu(codes.DELIVER_SM, body, status=99, sequence=sequence))
        assert isinstance(read, Message)
        assert read.sequence == sequence


# Optional parameters: legal ones that smpplib refuses, and lengths by the wrong book.


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x0501, b"\x02"),  # ussd_service_op
        (0x000D, b"\x01"),  # source_addr_subunit
        (0x0303, b"\x00An"),  # callback_num_atag
        (0x130C, b""),  # alert_on_message_delivery
        (0x0000, b"reserved"),
        (0xFFFF, b"unknown"),
    ],
)
def test_any_optional_parameter_is_kept_and_harms_none_beside_it(tag: int, value: bytes) -> None:
    read = message(deliver_sm(b"TSTN", STATE, tlv(tag, value), MESSAGE_ID))
    assert read.tlvs[tag] == value
    assert (read.payload, read.message_state) == (b"TSTN", 2)
    assert read.receipted_message_id == "0123456789"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"0123456789\0", "0123456789"),
        (b"0123456789", "0123456789"),
        (b"0123456789\0\0\0", "0123456789"),
        (b"\xe9", "é"),
        (b"\0", None),
        (b"", None),
    ],
)
def test_a_receipted_message_id_needs_no_nul(value: bytes, expected: str | None) -> None:
    read = message(deliver_sm(b"", tlv(codes.TLV_RECEIPTED_MESSAGE_ID, value), STATE))
    assert read.receipted_message_id == expected
    assert read.message_state == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b"\x02", 2), (b"\0\x02", 2), (b"\0\0\0\x08", 8), (b"", None), (b"\0\0\0\0\x02", None)],
)
def test_a_message_state_may_have_any_length(value: bytes, expected: int | None) -> None:
    read = message(deliver_sm(b"", tlv(codes.TLV_MESSAGE_STATE, value), MESSAGE_ID))
    assert read.message_state == expected
    assert read.receipted_message_id == "0123456789"


def test_what_is_not_there_is_none() -> None:
    read = message(deliver_sm())
    assert (read.receipted_message_id, read.message_state) == (None, None)


def test_of_two_with_one_tag_the_last_holds() -> None:
    assert message(deliver_sm(b"", STATE, tlv(codes.TLV_MESSAGE_STATE, b"\x05"))).message_state == 5


@given(st.binary(max_size=8), st.integers(0, 12))
def test_what_stands_before_a_truncated_parameter_is_kept(value: bytes, kept: int) -> None:
    last = tlv(0x1555, value)
    read = message(deliver_sm(b"TSTN", MESSAGE_ID, STATE, last[: min(kept, len(last) - 1)]))
    assert (read.payload, read.message_state) == (b"TSTN", 2)
    assert read.receipted_message_id == "0123456789"
    assert set(read.tlvs) == {codes.TLV_RECEIPTED_MESSAGE_ID, codes.TLV_MESSAGE_STATE}


@given(st.binary(max_size=60))
def test_garbage_after_the_text_loses_no_text(garbage: bytes) -> None:
    read = message(deliver_sm(b"TSTN", garbage))
    assert (read.source, read.destination, read.payload) == (SUBSCRIBER, SHORT_CODE, b"TSTN")


def test_a_truncated_message_payload_gives_the_text_that_is_there() -> None:
    assert message(deliver_sm(b"", tlv(codes.TLV_MESSAGE_PAYLOAD, b"TSTN", 9))).payload == b"TSTN"


# Bodies that break the rules.


def test_an_sm_length_beyond_the_pdu_gives_the_text_that_is_there() -> None:
    read = message(deliver_sm(b"TSTN", sm_length=200))
    assert (read.payload, read.tlvs) == (b"TSTN", {})


def test_addresses_and_times_longer_than_allowed_are_read() -> None:
    assert message(deliver_sm(source=b"8" * 64 + b"\0")).source.digits == "8" * 64
    long_time = deliver_sm().replace(b"9231\0\0\0\0", b"9231\0\0\0\0" + b"2" * 30)
    assert message(long_time).payload == b"TSTN"


def test_letters_in_an_address_are_latin_1() -> None:
    assert message(deliver_sm(source="Công ty\0".encode("latin-1"))).source.digits == "Công ty"


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (pdu(codes.DELIVER_SM), "the source address has no end"),
        (pdu(codes.DELIVER_SM, b"\0\x01\x0184901234567"), "the source address has no end"),
        (deliver_sm(source=b"849\x01\x04"), "the source address has no end"),
        (deliver_sm(source=b"849"), "the destination address has no end"),
        (deliver_sm(source=b"8" * 65 + b"\0"), "the source address has no end"),
        (deliver_sm(destination=b"9231", esm_class=4), "the destination address has no end"),
        (deliver_sm(b"")[:-1], "it ends before its payload"),
        (deliver_sm(b"", sm_length=4), "it ends before its payload"),
        (data_sm(addresses=b"\x01\x01849\0\x01\x019231"), "the destination address has no end"),
        (data_sm()[:-1], "it ends before its payload"),
    ],
)
def test_a_text_without_source_destination_or_payload_is_unparsable(
    frame: bytes, reason: str
) -> None:
    command = int.from_bytes(frame[4:8], "big")
    assert parse(frame) == Unparsable(SEQUENCE, command, 0, reason, frame)


# esm_class.


@pytest.mark.parametrize(
    ("esm_class", "is_receipt_class", "has_udh"),
    [
        (0x00, False, False),
        (0x03, False, False),
        (0x40, False, True),
        (0xC0, False, True),
        (0x80, False, False),
        (0x04, True, False),
        (0x08, True, False),
        (0x10, True, False),
        (0x20, True, False),
        (0x44, True, True),
    ],
)
def test_esm_class_tells_receipts_and_headers(
    esm_class: int, is_receipt_class: bool, has_udh: bool
) -> None:
    read = message(deliver_sm(esm_class=esm_class))
    assert (read.is_receipt_class, read.has_udh) == (is_receipt_class, has_udh)


def test_a_text_that_carries_a_receipted_message_id_is_a_text() -> None:
    """Kannel's drive_smpp sends exactly that."""
    read = message(deliver_sm(b"TSTN", MESSAGE_ID))
    assert not read.is_receipt_class


# Answers and other requests.


def test_a_submit_sm_resp_has_the_id() -> None:
    expected = Response(SEQUENCE, codes.SUBMIT_SM_RESP, 0, "0123456789", {})
    assert parse(pdu(codes.SUBMIT_SM_RESP, b"0123456789\0")) == expected
    assert parse(pdu(codes.SUBMIT_SM_RESP, b"0123456789")) == expected


@pytest.mark.parametrize("status", [0, codes.ESME_RTHROTTLED, 0x410])
@pytest.mark.parametrize("body", [b"", b"\0"])
def test_an_answer_needs_no_body(status: int, body: bytes) -> None:
    read = response(pdu(codes.SUBMIT_SM_RESP, body, status))
    assert (read.status, read.message_id, read.tlvs) == (status, "", {})


def test_a_refusal_may_say_why() -> None:
    tlvs = tlv(0x001D, b"too fast\0") + tlv(0x0425, b"\x01")
    read = response(pdu(codes.SUBMIT_SM_RESP, b"\0" + tlvs, codes.ESME_RTHROTTLED))
    assert (read.message_id, read.tlvs) == ("", {0x001D: b"too fast\0", 0x0425: b"\x01"})


def test_a_bind_resp_has_the_system_id() -> None:
    body = b"SMSC\0" + tlv(0x0210, b"\x34")
    read = response(pdu(codes.BIND_TRANSCEIVER_RESP, body))
    assert (read.message_id, read.tlvs) == ("SMSC", {0x0210: b"\x34"})


def test_a_generic_nack_is_an_answer() -> None:
    read = response(pdu(codes.GENERIC_NACK, status=codes.ESME_RINVCMDID))
    assert (read.command, read.status) == (codes.GENERIC_NACK, codes.ESME_RINVCMDID)


def test_an_answer_to_no_known_request_is_an_answer_still() -> None:
    """A generic_nack to it would be an answer to an answer."""
    assert response(pdu(0x80010203)).command == 0x80010203


@pytest.mark.parametrize("command", sorted(codes.REQUESTS - {codes.DELIVER_SM, codes.DATA_SM}))
@pytest.mark.parametrize("body", [b"", b"\xff" * 5])
def test_other_requests_are_told_by_their_command_alone(command: int, body: bytes) -> None:
    assert parse(pdu(command, body)) == Request(SEQUENCE, command)


@pytest.mark.parametrize("command", [0, 0x0A, 0x16, 0x111, 0x00010200, 0x7FFFFFFF])
def test_a_command_that_smpp_does_not_know(command: int) -> None:
    frame = pdu(command, b"?")
    assert parse(frame) == UnknownCommand(SEQUENCE, command, frame)


# Any octets at all.

commands = st.sampled_from(
    [
        *codes.REQUESTS,
        codes.GENERIC_NACK,
        codes.SUBMIT_SM_RESP,
        codes.DATA_SM_RESP,
        codes.BIND_TRANSCEIVER_RESP,
    ]
)
bodies = st.binary(max_size=120) | st.lists(
    st.sampled_from(
        [b"\0", b"\x01\x01", b"849\0", b"\x04\x24\0\x04", b"TSTN", b"\0\0\0\0", b"\xff"]
    )
).map(b"".join)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A good text of which a stretch is replaced by anything."""
    good = deliver_sm(b"TSTN", MESSAGE_ID, tlv(codes.TLV_MESSAGE_PAYLOAD, b"TSTN"), STATE)
    begin = draw(st.integers(16, len(good)))
    end = draw(st.integers(begin, len(good)))
    return good[:begin] + draw(st.binary(max_size=6)) + good[end:]


@given(st.binary(min_size=16) | st.builds(pdu, commands, bodies) | spoiled())
def test_no_bytes_raise(frame: bytes) -> None:
    read = parse(frame)
    assert isinstance(read, Pdu)
    assert read.sequence == int.from_bytes(frame[12:16], "big")
    assert read.command == int.from_bytes(frame[4:8], "big")
    if isinstance(read, Message):
        assert read.payload in frame
        assert all(value in frame for value in read.tlvs.values())
        assert read.message_state is None or read.message_state >= 0
        assert read.receipted_message_id != ""
