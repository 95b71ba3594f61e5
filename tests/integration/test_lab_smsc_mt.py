"""The simulated SMSC towards a scripted ESME: MT, their answers and receipts."""

import asyncio
import struct
from collections.abc import AsyncIterator

import pytest

from lab.smsc.subscribers import MO
from tests.scripted_esme import (
    BIND_RX,
    BIND_TRX,
    BIND_TX,
    DATA,
    DELIVER,
    RESP,
    SUBMIT,
    Net,
    delivered,
    submit_body,
)

ONE = MO("84901234567", text="TSTN")


@pytest.fixture
async def net() -> AsyncIterator[Net]:
    net = Net()
    yield net
    await net.close()


async def test_an_mt_is_journaled_with_all_its_fields(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    tlvs = b"\x14\x01\x00\x02hi"
    sent = submit_body("Chào".encode("utf-16-be"), registered=0, data_coding=8, tlvs=tlvs)
    got = await esme.ask(SUBMIT, sent)
    row = smsc.journal.mts[0].row()
    assert got.body == row["message_id"].encode() + b"\0"
    assert row["text"] == "Chào"
    assert (row["source"], row["destination"]) == ("9231", "84901234567")
    assert row["source_ton_npi"] == [0, 1]
    assert row["tlvs"] == {"0x1401": b"hi".hex()}
    assert (row["account"], row["bind"], row["sequence"]) == ("tstn", 1, 2)
    assert [text.text for text in smsc.journal.texts] == ["Chào"]


async def test_parts_of_a_long_mt_are_joined_in_any_order(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    parts = {number: b"\5\0\3\x07\3" + bytes((number,)) + b"%d." % number for number in (1, 2, 3)}
    for number in (3, 1, 1):
        await esme.ask(SUBMIT, submit_body(parts[number], esm_class=0x40))
    assert (smsc.journal.texts, smsc.journal.unjoined) == ([], 1)
    await esme.ask(SUBMIT, submit_body(parts[2], esm_class=0x40))
    for number in (2, 1):
        tlvs = b"\x02\x0c\0\2\0\x09\x02\x0e\0\1\2\x02\x0f\0\1" + bytes((number,))
        await esme.ask(SUBMIT, submit_body(b"%d" % number, tlvs=tlvs))
    await esme.ask(SUBMIT, submit_body(b"", tlvs=b"\x04\x24\0\5whole"))
    assert [text.text for text in smsc.journal.texts] == ["1.2.3.", "12", "whole"]
    assert smsc.journal.texts[0].mts == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 0x02),
        (b"\xff" * 30, 0x02),
        (submit_body()[:-2], 0x01),
        (submit_body(tlvs=b"\x00\x1e\x00\xff1"), 0xC0),
        (submit_body(to=b"8" * 21), 0x02),
    ],
)
async def test_a_malformed_submit_is_refused_and_the_link_lives(
    net: Net, body: bytes, status: int
) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    assert (await esme.ask(SUBMIT, body)).status == status
    assert (await esme.ask(SUBMIT, submit_body())).status == 0
    assert smsc.counts()["violation"] == 1


async def test_submits_are_throttled_as_long_as_asked_for(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    smsc.set_faults(refuse_submits=2)
    assert [(await esme.ask(SUBMIT, submit_body())).status for _ in range(3)] == [0x58, 0x58, 0]
    smsc.set_faults(refuse_submits=-1, refuse_submits_status=0x14, errors_with_body=True)
    assert (await esme.ask(SUBMIT, submit_body()))[1::2] == (0x14, b"\0")
    smsc.clear_faults()
    assert (await esme.ask(SUBMIT, submit_body())).status == 0
    assert (smsc.counts()["mt"], smsc.counts()["mt_refused"]) == (2, 3)


async def test_a_real_rate_throttles_what_is_above_it(net: Net) -> None:
    smsc = await net.smsc()
    smsc.set_faults(tps=1.0)
    esme = await net.esme(smsc)
    statuses = [(await esme.ask(SUBMIT, submit_body())).status for _ in range(5)]
    assert 0x58 in statuses[1:]


async def test_answers_come_late_not_at_all_or_shuffled(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    smsc.set_faults(unanswered_every=2)
    first = esme.say(SUBMIT, submit_body())
    esme.say(SUBMIT, submit_body())
    third = esme.say(SUBMIT, submit_body())
    assert [(await esme.hear()).sequence for _ in range(2)] == [first, third]
    assert [mt.answered for mt in smsc.journal.mts] == [True, False, True]
    smsc.set_faults(unanswered_every=0, latency_seconds=0.1)
    began = asyncio.get_running_loop().time()
    esme.say(SUBMIT, submit_body())
    assert await esme.hears_nothing()
    assert (await esme.hear()).command == SUBMIT | RESP
    assert asyncio.get_running_loop().time() - began >= 0.09
    smsc.set_faults(latency_seconds=0.0, answers_shuffled=True)
    asked = [esme.say(SUBMIT, submit_body()) for _ in range(50)]
    assert sorted([(await esme.hear()).sequence for _ in range(50)]) == asked
    assert smsc.counts()["most_in_flight"] > 1


async def test_a_receipt_follows_the_answer_and_names_its_id(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    message_id = (await esme.ask(SUBMIT, submit_body(registered=1))).body[:-1]
    got = await esme.hear()
    receipt = delivered(got.body)
    assert (receipt.source, receipt.destination) == ("84901234567", "9231")
    assert receipt.esm_class == 0x04
    assert receipt.payload.startswith(b"id:" + message_id + b" sub:001 dlvrd:001 submit date:")
    assert receipt.payload.endswith(b" stat:DELIVRD err:000 text:Xin chao")
    esme.acknowledge(got)
    await smsc.until(lambda: smsc.open == 0)
    assert smsc.journal.receipts[0].receipt_for == message_id.decode()
    assert smsc.counts()["receipt_acked"] == 1
    assert (await esme.ask(SUBMIT, submit_body(registered=0))).status == 0
    assert (await esme.ask(SUBMIT, submit_body(registered=2))).status == 0
    assert await esme.hears_nothing()


@pytest.mark.parametrize("kinds", [(BIND_TRX,), (BIND_TX, BIND_RX), (BIND_TRX, BIND_TRX)])
async def test_a_receipt_may_come_before_the_answer(net: Net, kinds: tuple[int, ...]) -> None:
    smsc = await net.smsc()
    esmes = [await net.esme(smsc, kind) for kind in kinds]
    smsc.set_faults(receipt_before_response=True, receipt_on_other_bind=True, latency_seconds=0.05)
    asked = esmes[0].say(SUBMIT, submit_body(registered=1))
    assert (await esmes[-1].hear()).command == DELIVER
    got = await esmes[0].hear()
    assert (got.command, got.sequence) == (SUBMIT | RESP, asked)


@pytest.mark.parametrize(
    ("form", "receipt_form", "pair"),
    [
        ("hex_upper", "decimal", ("A00F000001", "687446425601")),
        ("decimal", "hex_zeros", ("687446425601", "000000A00F000001")),
        ("hex_lower", "hex_upper", ("a00f000001", "A00F000001")),
        ("decimal_zeros", None, ("00000000687446425601", "00000000687446425601")),
        ("opaque", None, ("smsc-a:687446425601.w", "smsc-a:687446425601.w")),
    ],
)
async def test_ids_have_the_forms_asked_for(
    net: Net, form: str, receipt_form: str | None, pair: tuple[str, str]
) -> None:
    smsc = await net.smsc()
    smsc.set_faults(
        id_form=form,
        receipt_id_form=receipt_form,
        receipt_text=False,
        receipt_tlvs=True,
        receipt_states=["ACCEPTD", "UNDELIV"],
    )
    esme = await net.esme(smsc)
    assert (await esme.ask(SUBMIT, submit_body(registered=1))).body == pair[0].encode() + b"\0"
    for state in (6, 5):
        tlvs = delivered((await esme.hear()).body).tlvs
        assert tlvs == {0x1E: pair[1].encode() + b"\0", 0x427: bytes((state,))}


async def test_receipts_come_doubled_orphaned_on_another_bind_and_by_data_sm(net: Net) -> None:
    smsc = await net.smsc()
    first, second = await net.esme(smsc), await net.esme(smsc)
    smsc.set_faults(
        receipt_copies=2,
        receipt_orphans_every=1,
        receipt_on_other_bind=True,
        receipt_by_data_sm=True,
        receipt_12_digit_dates=True,
        receipt_tlvs=True,
        receipt_id_without_nul=True,
    )
    message_id = (await first.ask(SUBMIT, submit_body(registered=1))).body[:-1]
    got = [await second.hear() for _ in range(3)]
    assert {one.command for one in got} == {DATA}
    assert [b"id:" + message_id + b" " in one.body for one in got] == [True, True, False]
    assert [b"\x00\x1e" + struct.pack(">H", len(message_id)) in got[0].body] == [True]
    assert len(got[0].body.split(b"done date:")[1].split(b" ")[0]) == 12
