"""Outbound PDUs: octet for octet what smpplib makes, and what the parser reads back."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib import command

from sms.pdu import codes, make
from sms.pdu.make import BindKind, Submit
from sms.pdu.parse import parse
from sms.pdu.types import Address, Message, Request, Response

INVITATION = Submit(
    source=Address(5, 0, "VNSKY"),
    destination=Address(1, 1, "84901234567"),
    payload="Thay SIM tại nhà".encode("utf-16-be"),
    data_coding=8,
    esm_class=0,
    registered_delivery=1,
    validity_period="000001000000000R",
    tlvs=(),
)

octet = st.integers(0, 255)
sequences = st.integers(0, 0xFFFFFFFF)
latin_1 = st.characters(min_codepoint=1, max_codepoint=255)
printable = st.characters(min_codepoint=0x20, max_codepoint=255)
kinds = st.integers(0, 0x1F)
addresses = st.builds(Address, kinds, kinds, st.text(printable, max_size=20))
texts_20 = st.text(latin_1, max_size=20)
submits = st.builds(
    Submit,
    source=st.builds(Address, octet, octet, texts_20),
    destination=st.builds(Address, octet, octet, texts_20),
    payload=st.binary(max_size=254),
    data_coding=octet,
    esm_class=octet,
    registered_delivery=octet,
    validity_period=st.text(latin_1, max_size=16),
    tlvs=st.just(()),
)
tlvs = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=4).map(tuple)

INTEGER_TLVS = {  # smpplib's names, in its order
    "user_message_reference": (0x0204, 2),
    "destination_port": (0x020B, 2),
    "sar_msg_ref_num": (0x020C, 2),
    "sar_total_segments": (0x020E, 1),
    "sar_segment_seqnum": (0x020F, 1),
    "payload_type": (0x0019, 1),
}


class Numbered:
    """smpplib asks its client for the sequence number."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence

    def next_sequence(self) -> int:
        return self.sequence


def by_smpplib(name: str, sequence: int, **fields: Any) -> bytes:
    octets: bytes = command.factory(name, client=Numbered(sequence), **fields).generate()
    return octets


def submit_sm_by_smpplib(sequence: int, submit: Submit, **tlvs: Any) -> bytes:
    return by_smpplib(
        "submit_sm",
        sequence,
        source_addr_ton=submit.source.ton,
        source_addr_npi=submit.source.npi,
        source_addr=submit.source.digits,
        dest_addr_ton=submit.destination.ton,
        dest_addr_npi=submit.destination.npi,
        destination_addr=submit.destination.digits,
        esm_class=submit.esm_class,
        validity_period=submit.validity_period,
        registered_delivery=submit.registered_delivery,
        data_coding=submit.data_coding,
        short_message=submit.payload,
        **tlvs,
    )


@given(sequences, submits)
def test_submit_sm_is_smpplib_s(sequence: int, submit: Submit) -> None:
    assert make.submit_sm(sequence, submit) == submit_sm_by_smpplib(sequence, submit)


@given(submits, st.data())
def test_submit_sm_with_parameters_is_smpplib_s(submit: Submit, data: st.DataObject) -> None:
    values = {
        name: data.draw(st.integers(0, 256**size - 1))
        for name, (_, size) in INTEGER_TLVS.items()
        if data.draw(st.booleans())
    }
    ours = tuple(
        (INTEGER_TLVS[name][0], value.to_bytes(INTEGER_TLVS[name][1], "big"))
        for name, value in values.items()
    )
    expected = submit_sm_by_smpplib(1, submit, **values)
    assert make.submit_sm(1, replace(submit, tlvs=ours)) == expected


@given(st.binary(min_size=1, max_size=1000))
def test_submit_sm_with_message_payload_is_smpplib_s(text: bytes) -> None:
    submit = replace(INVITATION, payload=b"", tlvs=((codes.TLV_MESSAGE_PAYLOAD, text),))
    expected = submit_sm_by_smpplib(1, replace(submit, payload=b""), message_payload=text)
    assert make.submit_sm(1, submit) == expected


@given(sequences, st.integers(0, 0xFFFFFFFF))
def test_answers_are_smpplib_s(sequence: int, status: int) -> None:
    for name, made in (
        ("deliver_sm_resp", make.deliver_sm_resp(sequence, status)),
        ("data_sm_resp", make.data_sm_resp(sequence, status)),
        ("unbind_resp", make.unbind_resp(sequence, status)),
        ("unbind_resp", make.response(codes.UNBIND, sequence, status)),
        ("generic_nack", make.generic_nack(sequence, status)),
    ):
        assert made == by_smpplib(name, sequence, status=status)


@given(sequences)
def test_what_we_make_without_a_body_is_read_back(sequence: int) -> None:
    assert parse(make.enquire_link(sequence)) == Request(sequence, codes.ENQUIRE_LINK)
    assert parse(make.unbind(sequence)) == Request(sequence, codes.UNBIND)
    for made, answer, status in (
        (make.enquire_link_resp(sequence), codes.ENQUIRE_LINK_RESP, 0),
        (make.unbind_resp(sequence), codes.UNBIND_RESP, 0),
        (make.deliver_sm_resp(sequence, 0x64), codes.DELIVER_SM_RESP, 0x64),
        (make.data_sm_resp(sequence), codes.DATA_SM_RESP, 0),
        (make.generic_nack(sequence, 3), codes.GENERIC_NACK, 3),
        (make.response(codes.SUBMIT_SM, sequence, 4), codes.SUBMIT_SM_RESP, 4),
    ):
        assert parse(made) == Response(sequence, answer, status, "", {})


@given(
    sequences,
    submits,
    addresses,
    addresses,
    tlvs,
)
def test_a_submit_sm_read_as_deliver_sm_is_what_was_made(
    sequence: int,
    submit: Submit,
    source: Address,
    destination: Address,
    tlvs: tuple[tuple[int, bytes], ...],
) -> None:
    """The two have the same fields in the same places."""
    submit = replace(
        submit,
        source=source,
        destination=destination,
        payload=submit.payload or b"TSTN",
        tlvs=tlvs,
    )
    made = make.submit_sm(sequence, submit)
    frame = made[:4] + codes.DELIVER_SM.to_bytes(4, "big") + made[8:]
    assert parse(frame) == Message(
        sequence=sequence,
        command=codes.DELIVER_SM,
        source=source,
        destination=destination,
        esm_class=submit.esm_class,
        data_coding=submit.data_coding,
        payload=submit.payload,
        protocol_id=0,
        priority=0,
        registered_delivery=submit.registered_delivery,
        service_type="",
        tlvs=dict(tlvs),
        raw=frame,
    )


@pytest.mark.parametrize(
    "spoiled",
    [
        replace(INVITATION, payload=bytes(255)),
        replace(INVITATION, source=Address(5, 0, "V" * 21)),
        replace(INVITATION, destination=Address(1, 1, "8\09")),
        replace(INVITATION, source=Address(5, 0, "Viễn thông")),
        replace(INVITATION, validity_period="0" * 17),
    ],
)
def test_what_does_not_fit_is_refused_and_not_shortened(spoiled: Submit) -> None:
    with pytest.raises(ValueError, match=r"at most|Latin-1"):
        make.submit_sm(1, spoiled)


@pytest.mark.parametrize(
    ("kind", "name", "number"),
    [
        (BindKind.TRX, "bind_transceiver", codes.BIND_TRANSCEIVER),
        (BindKind.TX, "bind_transmitter", codes.BIND_TRANSMITTER),
        (BindKind.RX, "bind_receiver", codes.BIND_RECEIVER),
    ],
)
def test_a_bind_has_its_fields_in_their_places(kind: BindKind, name: str, number: int) -> None:
    made = make.bind(
        kind,
        3,
        system_id="i" * 15,
        password="p" * 8,
        system_type="t" * 12,
        address_range="^9231$",
        interface_version=0x33,
    )
    body = b"i" * 15 + b"\0" + b"p" * 8 + b"\0" + b"t" * 12 + b"\0\x33\0\0^9231$\0"
    header = [16 + len(body), number, 0, 3]
    assert made == b"".join(value.to_bytes(4, "big") for value in header) + body
    assert make.bind(kind, 3, system_id="i", password="p") == by_smpplib(
        name, 3, system_id="i", password="p"
    )


def test_a_long_password_goes_out_whole_where_it_is_allowed() -> None:
    made = make.bind(BindKind.TRX, 1, system_id="i", password="p" * 16, long_password=True)
    assert b"\0" + b"p" * 16 + b"\0" in made


@pytest.mark.parametrize(
    "fields",
    [
        {"system_id": "i" * 16},
        {"password": "secret-but-long"},
        {"password": "secret-but-far-too-long", "long_password": True},
        {"password": "secret\0"},
        {"password": "secrét ở"},
        {"system_type": "t" * 13},
        {"address_range": "9" * 41},
    ],
)
def test_a_bind_that_does_not_fit_is_refused_and_tells_no_password(fields: Any) -> None:
    with pytest.raises(ValueError, match=r"at most|Latin-1") as caught:
        make.bind(BindKind.TRX, 1, **{"system_id": "i", "password": "p", **fields})
    assert "secr" not in str(caught.value)
    assert caught.value.__cause__ is None
