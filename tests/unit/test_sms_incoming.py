"""A deliver_sm as a row: a text, a part of one, or a receipt."""

from typing import Any

import pytest

from domain.states import ReceiptState
from sms.incoming import incoming, of_unparsable
from sms.pdu.parse import parse
from sms.pdu.types import Address, Message, Unparsable
from store.messages import NewText
from store.receipts import NewReceipt
from tests.pdus import deliver_sm
from tests.rows import NOW


def message(**other: Any) -> Message:
    values: dict[str, Any] = {
        "sequence": 1,
        "command": 5,
        "source": Address(1, 1, "84901234567"),
        "destination": Address(3, 0, "9231"),
        "esm_class": 0,
        "data_coding": 0,
        "payload": b"TSTN",
        "protocol_id": 0,
        "priority": 0,
        "registered_delivery": 0,
        "service_type": "",
        "tlvs": {},
        "raw": b"raw",
    }
    return Message(**(values | other))


def text_of(**other: Any) -> NewText:
    row = incoming("acc", "bind", message(**other), NOW)
    assert isinstance(row, NewText)
    return row


def receipt_of(**other: Any) -> NewReceipt:
    row = incoming("acc", "bind", message(**({"esm_class": 4} | other)), NOW)
    assert isinstance(row, NewReceipt)
    return row


def test_a_text() -> None:
    row = text_of()
    assert (row.msisdn, row.source, row.destination) == ("+84901234567", "84901234567", "9231")
    assert (row.body, row.part, row.raw, row.received_at) == (b"TSTN", None, b"raw", NOW)


@pytest.mark.parametrize(
    "source", [Address(3, 0, "9090"), Address(5, 0, "MobiFone"), Address(1, 1, "6591234567")]
)
def test_a_sender_that_is_no_subscriber(source: Address) -> None:
    assert text_of(source=source).msisdn is None


def test_a_part_without_its_header() -> None:
    row = text_of(esm_class=0x40, payload=b"\x05\x00\x03\x2a\x02\x01TSTN")
    assert (row.part, row.body) == ((0x2A, 8, 2, 1), b"TSTN")


def test_a_header_of_something_else_is_cut_off() -> None:
    row = text_of(esm_class=0x40, payload=b"\x04\x24\x02\x00\x00TSTN")
    assert (row.part, row.body) == (None, b"TSTN")


def test_a_receipt_by_its_text() -> None:
    row = receipt_of(payload=b"id:00FF sub:001 stat:DELIVRD err:000")
    assert (row.message_id, row.state, row.error) == ("00FF", ReceiptState.DELIVERED, "000")
    assert "255" in row.forms
    assert row.msisdn == "+84901234567"


def test_a_receipt_by_its_tlvs() -> None:
    row = receipt_of(payload=b"", tlvs={0x001E: b"77\0", 0x0427: b"\x05"})
    assert (row.message_id, row.state) == ("77", ReceiptState.UNDELIVERABLE)


def test_a_receipt_that_says_nothing_is_kept_as_unknown() -> None:
    row = receipt_of(payload=b"???")
    assert (row.message_id, row.state, row.forms) == (None, ReceiptState.UNKNOWN, ())


def test_a_text_with_an_id_is_a_text() -> None:
    assert text_of(tlvs={0x001E: b"77\0"}).body == b"TSTN"


@pytest.mark.parametrize(
    "other",
    [
        {"payload": b"id:5 sub:001 dlvrd:001 stat:DELIVRD err:000 text:TSTN"},
        {"payload": b"", "tlvs": {0x001E: b"5\0", 0x0427: b"\x02"}},
    ],
    ids=["text", "tlvs"],
)
def test_a_receipt_that_calls_itself_a_text_is_a_receipt(other: dict[str, Any]) -> None:
    """Else its sender would be told how to spell TSTN, and another receipt would come of that."""
    row = receipt_of(esm_class=0, **other)
    assert (row.message_id, row.state) == ("5", ReceiptState.DELIVERED)


@pytest.mark.parametrize("said", [b"TSTN id:5", b"stat:DELIVRD", b"TSTN id:5 stat:HI", b"id stat"])
def test_what_a_subscriber_may_write_is_a_text(said: bytes) -> None:
    assert text_of(payload=said).body == said


def test_octets_that_make_no_sense_are_kept() -> None:
    pdu = parse(deliver_sm()[:20])
    assert isinstance(pdu, Unparsable)
    row = of_unparsable("acc", "bind", pdu, NOW)
    assert (row.raw, row.msisdn) == (pdu.raw, None)
