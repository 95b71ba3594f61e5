"""The simulated SMSC towards a scripted ESME: binds, MO until acknowledged, MT, its process."""

import asyncio
import json
import struct
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.child import LabError
from lab.smsc.garbage import Garbage
from lab.smsc.load import flood
from lab.smsc.process import SmscProcess
from lab.smsc.setting import Account
from lab.smsc.subscribers import MO, parts_of
from lab.smsc.texts import LongStyle
from tests.scripted_esme import (
    BIND_RX,
    BIND_TRX,
    BIND_TX,
    DATA,
    DELIVER,
    ENQUIRE,
    NACK,
    RESP,
    SUBMIT,
    UNBIND,
    Delivered,
    Esme,
    Got,
    Net,
    bind_body,
    delivered,
    packed,
    submit_body,
)

ONE = MO("84901234567", text="TSTN")


@pytest.fixture
async def net() -> AsyncIterator[Net]:
    net = Net()
    yield net
    await net.close()


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [("tstn", "wrong", 0x0E), ("nobody", "rehearse", 0x0F), ("x" * 16, "y", 0x02)],
)
async def test_a_bind_without_the_right_password_is_refused(
    net: Net, system_id: str, password: str, status: int
) -> None:
    smsc = await net.smsc()
    esme = await net.connect(smsc)
    assert (await esme.ask(BIND_TRX, bind_body(system_id, password))).status == status
    assert await esme.ended() == b""
    assert not any("rehearse" in str(event.row()) for event in smsc.journal.events)


async def test_binds_are_refused_as_long_as_asked_for(net: Net) -> None:
    smsc = await net.smsc()
    smsc.set_faults(refuse_binds=1, refuse_binds_status=0x0D)
    first = await net.connect(smsc)
    assert (await first.ask(BIND_TX, bind_body())).status == 0x0D
    await net.esme(smsc)
    assert smsc.counts()["bind_refused"] == 1


async def test_too_many_binds_of_an_account_are_refused(net: Net) -> None:
    smsc = await net.smsc(accounts=(Account("tstn", "rehearse", most_binds=1),))
    esme = await net.esme(smsc)
    second = await net.connect(smsc)
    assert (await second.ask(BIND_RX, bind_body())).status == 0x05
    assert (await esme.ask(BIND_TRX, bind_body())).status == 0x05
    assert (await esme.ask(ENQUIRE)).status == 0


async def test_a_bind_may_be_answered_late_or_never(net: Net) -> None:
    smsc = await net.smsc()
    smsc.set_faults(ignore_binds=True)
    esme = await net.connect(smsc)
    esme.say(BIND_TRX, bind_body())
    assert await esme.hears_nothing()
    smsc.set_faults(ignore_binds=False, bind_seconds=0.01)
    await smsc.send(ONE)
    assert (await esme.ask(BIND_TRX, bind_body())).status == 0
    assert (await esme.hear()).command == DELIVER


@pytest.mark.parametrize("kind", [None, BIND_RX])
async def test_a_submit_needs_a_bind_for_sending(net: Net, kind: int | None) -> None:
    smsc = await net.smsc()
    esme = await (net.connect(smsc) if kind is None else net.esme(smsc, kind))
    assert (await esme.ask(SUBMIT, submit_body())).status == 0x04
    assert smsc.counts()["violation"] == 1


async def test_what_is_unknown_is_nacked(net: Net) -> None:
    esme = await net.esme(await net.smsc())
    sequence = esme.say(0x1234)
    assert await esme.hear() == Got(NACK, 0x03, sequence, b"")


@pytest.mark.parametrize("length", [4, 15, 0x7FFFFFFF])
async def test_an_impossible_length_ends_the_link(net: Net, length: int) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    esme.writer.write(struct.pack(">4I", length, ENQUIRE, 0, 1))
    await esme.ended()
    assert str(length) in smsc.journal.events[-1].about["reason"]


async def test_unbind_goes_both_ways(net: Net) -> None:
    smsc = await net.smsc()
    first, second = await net.esme(smsc), await net.esme(smsc)
    await first.ask(UNBIND)
    assert await first.ended() == b""
    smsc.unbind()
    asked = await second.hear()
    assert asked.command == UNBIND
    second.writer.write(packed(UNBIND | RESP, asked.sequence))
    assert await second.ended() == b""
    await smsc.until(lambda: smsc.counts()["link_end"] == 2)
    about = [event.about for event in smsc.journal.events if event.event == "unbind"]
    assert [one["by"] for one in about] == ["esme", "smsc"]


async def test_an_unbind_that_is_not_answered_ends_too(net: Net) -> None:
    smsc = await net.smsc(unbind_seconds=0.05)
    esme = await net.esme(smsc)
    smsc.set_faults(unbind_after=2)
    await esme.ask(ENQUIRE)
    esme.say(ENQUIRE)
    assert len(await esme.ended()) == 32
    await smsc.until(lambda: not smsc.sessions)


async def test_an_esme_that_does_not_answer_enquire_link_is_cut_off(net: Net) -> None:
    smsc = await net.smsc(enquire_seconds=0.05)
    esme = await net.esme(smsc)
    asked = await esme.hear()
    assert asked.command == ENQUIRE
    esme.writer.write(packed(ENQUIRE | RESP, asked.sequence))
    assert (await esme.hear()).command == ENQUIRE
    await esme.ended()
    assert smsc.counts()["enquire_link_answered"] == 1


async def test_an_mo_arrives_as_it_was_sent_and_is_journaled(net: Net, tmp_path: Path) -> None:
    smsc = await net.smsc(journal=tmp_path / "smsc.jsonl")
    esme = await net.esme(smsc, BIND_RX)
    sent = await smsc.send(MO("84901234567", text="Đăng ký TSTN", tlvs=((0x1401, b"abc"),)))
    got = await esme.hear()
    assert got.command == DELIVER
    expected = Delivered(
        "84901234567", "9231", 0, 8, "Đăng ký TSTN".encode("utf-16-be"), {0x1401: b"abc"}
    )
    assert delivered(got.body) == expected
    assert sent.status is None
    esme.acknowledge(got)
    await smsc.until(lambda: sent.status == 0)
    assert (sent.times, sent.acks, smsc.open) == (1, 1, 0)
    assert sent.acked_at is not None
    assert sent.sent_at is not None
    assert sent.queued_at <= sent.sent_at <= sent.acked_at
    await smsc.close()
    lines = [json.loads(line) for line in (tmp_path / "smsc.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["bind", "mo", "deliver", "ack", "link_end"]
    assert lines[1]["text"] == "Đăng ký TSTN"
    assert (lines[3]["id"], lines[3]["status"]) == (sent.id, 0)


@pytest.mark.parametrize(
    ("mo", "octets", "data_coding"),
    [
        (MO("8490", text="@{€"), b"\x00\x1b\x28\x1b\x65", 0),
        (MO("8490", text="chào"), "ch\x7fo".encode("latin-1"), 0),
        (MO("8490", text="chào", data_coding=3), "chào".encode("latin-1"), 3),
        (MO("8490", text="TSTN", data_coding=8), "TSTN".encode("utf-16-be"), 8),
        (MO("8490", payload=b"\xff\x00", data_coding=4), b"\xff\x00", 4),
    ],
)
async def test_texts_are_encoded_as_asked(
    net: Net, mo: MO, octets: bytes, data_coding: int
) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    await smsc.send(mo)
    got = delivered((await esme.hear()).body)
    assert (got.payload, got.data_coding) == (octets, data_coding)


async def test_long_texts_come_in_parts_or_in_message_payload(net: Net, tmp_path: Path) -> None:
    smsc = await net.smsc(journal=tmp_path / "smsc.jsonl")
    esme = await net.esme(smsc)
    long = MO("8490", text="a" * 300)
    for style in (LongStyle.UDH8, LongStyle.UDH16, LongStyle.SAR):
        smsc.send_all(parts_of(long, style, 0x1234))
    await smsc.send(long)
    got = [delivered((await esme.hear()).body) for _ in range(7)]
    assert [one.payload[:7].rstrip(b"a") for one in got[:4]] == [
        *(b"\5\0\3\x34\2\1", b"\5\0\3\x34\2\2"),
        *(b"\6\x08\4\x12\x34\2\1", b"\6\x08\4\x12\x34\2\2"),
    ]
    assert [one.esm_class for one in got] == [0x40, 0x40, 0x40, 0x40, 0, 0, 0]
    assert got[5].tlvs == {0x20C: b"\x12\x34", 0x20E: b"\2", 0x20F: b"\2"}
    assert got[6].tlvs == {0x424: b"a" * 300}
    await smsc.close()
    lines = [json.loads(line) for line in (tmp_path / "smsc.jsonl").read_text().splitlines()]
    parts = [line["part"] for line in lines if line["event"] == "mo"]
    assert parts == [[r, 2, n] for r in (0x34, 0x1234, 0x1234) for n in (1, 2)] + [None]


async def test_an_mo_may_come_by_data_sm(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    sent = await smsc.send(MO("8490", text="TSTN", by_data_sm=True))
    got = await esme.hear()
    assert got.command == DATA
    assert got.body.endswith(b"\x04\x24\x00\x04TSTN")
    esme.acknowledge(got)
    await smsc.until(lambda: sent.status == 0)


async def test_the_window_bounds_what_is_unanswered(net: Net) -> None:
    smsc = await net.smsc(window=3)
    esme = await net.esme(smsc)
    smsc.send_all([ONE] * 5)
    first = [await esme.hear() for _ in range(3)]
    assert await esme.hears_nothing()
    esme.acknowledge(first[0])
    assert (await esme.hear()).command == DELIVER
    assert await esme.hears_nothing()
    smsc.set_window(4)
    assert (await esme.hear()).command == DELIVER


async def test_a_bind_for_sending_alone_gets_no_mo(net: Net) -> None:
    smsc = await net.smsc()
    sender = await net.esme(smsc, BIND_TX)
    await smsc.send(ONE)
    assert await sender.hears_nothing()
    receiver = await net.esme(smsc, BIND_RX)
    assert (await receiver.hear()).command == DELIVER


async def test_mo_are_spread_over_binds_and_kept_apart_by_account(net: Net) -> None:
    smsc = await net.smsc(
        window=1, accounts=(Account("tstn", "rehearse"), Account("other", "rehearse"))
    )
    esmes = [await net.esme(smsc), await net.esme(smsc), await net.esme(smsc, system_id="other")]
    smsc.send_all([ONE, ONE, MO("84911111111", text="x", account="other")])
    sources = [delivered((await esme.hear()).body).source for esme in esmes]
    assert sources == ["84901234567", "84901234567", "84911111111"]


async def test_an_mo_comes_again_after_its_link_ended(net: Net) -> None:
    smsc = await net.smsc()
    first = await net.esme(smsc)
    sent = smsc.send_all([MO(str(source), text="TSTN") for source in (1, 2, 3)])
    got = [await first.hear() for _ in range(3)]
    first.acknowledge(got[1])
    await smsc.until(lambda: sent[1].status == 0)
    first.close()
    second = await net.esme(smsc)
    again = [await second.hear() for _ in range(2)]
    assert [delivered(one.body).source for one in again] == ["1", "3"]
    for one in again:
        second.acknowledge(one)
    await smsc.until(lambda: smsc.open == 0)
    assert [one.times for one in sent] == [2, 1, 2]
    assert smsc.counts()["mo_sent_again"] == 2


async def test_an_mo_comes_again_when_its_answer_takes_too_long(net: Net) -> None:
    smsc = await net.smsc(response_seconds=0.05)
    esme = await net.esme(smsc)
    sent = await smsc.send(ONE)
    first, second = await esme.hear(), await esme.hear()
    assert first.body == second.body
    assert first.sequence != second.sequence
    esme.acknowledge(first)
    await smsc.until(lambda: smsc.counts().get("stray") == 1)
    assert sent.status is None


@pytest.mark.parametrize("status", [0x64, 0x14, 0x58, 0x08])
async def test_an_mo_comes_again_after_a_temporary_error(net: Net, status: int) -> None:
    smsc = await net.smsc(retry_seconds=0.05)
    esme = await net.esme(smsc)
    sent = await smsc.send(ONE)
    esme.acknowledge(await esme.hear(), status)
    esme.acknowledge(await esme.hear())
    await smsc.until(lambda: smsc.open == 0)
    assert (sent.times, sent.refusals, sent.status) == (2, 1, 0)


async def test_a_permanent_error_ends_an_mo(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    sent = await smsc.send(ONE)
    esme.acknowledge(await esme.hear(), 0x65)
    await smsc.until(lambda: smsc.open == 0)
    assert (sent.times, sent.status, smsc.counts()["mo_failed"]) == (1, 0x65, 1)


async def test_an_acknowledged_mo_may_come_once_more(net: Net) -> None:
    smsc = await net.smsc()
    smsc.set_faults(redeliver_every=2)
    esme = await net.esme(smsc)
    sent = smsc.send_all([MO(str(source), text="TSTN") for source in (1, 2)])
    for _ in range(3):
        esme.acknowledge(await esme.hear())
    await smsc.until(lambda: smsc.open == 0)
    assert [one.times for one in sent] == [1, 2]
    assert await esme.hears_nothing()


async def echo(esme: Esme) -> None:
    """Acknowledges and answers each MO, until the link ends."""
    try:
        while True:
            got = await esme.hear()
            if got.command == DELIVER:
                esme.acknowledge(got)
                esme.say(SUBMIT, submit_body(to=delivered(got.body).source.encode()))
    except (asyncio.IncompleteReadError, ConnectionResetError):
        pass


async def test_a_flood_reports_its_figures(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    answering = asyncio.create_task(echo(esme))
    report = await flood(smsc, 500, window=20, with_answers=True)
    assert (report.acked, report.answered, report.sent_again) == (500, 500, 0)
    assert sum(report.acked_per_second) == sum(report.answered_per_second) == 500
    assert report.ack_p50_ms <= report.ack_p99_ms
    assert report.rate > 0
    paced = await flood(smsc, 50, rate=200.0, first_source=84950000000, with_answers=True)
    assert paced.answered == 50
    assert paced.seconds >= 0.2
    smsc.cut()
    await answering


async def test_a_flood_that_nobody_answers_fails(net: Net) -> None:
    smsc = await net.smsc()
    await net.esme(smsc)
    with pytest.raises(LabError, match="not so within"):
        await flood(smsc, 1, seconds=0.05)


async def test_the_smsc_as_a_process(net: Net, tmp_path: Path) -> None:
    accounts = (Account("one", "rehearse"), Account("two", "rehearse"))
    with SmscProcess(tmp_path, accounts=accounts, window=5, faults={"id_form": "opaque"}) as smsc:
        esme = Esme(*await asyncio.open_connection(smsc.host, smsc.port))
        net.esmes.append(esme)
        assert (await esme.ask(BIND_TRX, bind_body("two"))).status == 0
        control = smsc.control
        ids = control.send(MO("8490", payload=b"T", tlvs=((0x1401, b"x"),), account="two"))
        got = await esme.hear()
        assert delivered(got.body).tlvs == {0x1401: b"x"}
        esme.acknowledge(got)
        assert (await esme.ask(SUBMIT, submit_body(registered=1))).body.startswith(b"smsc-a:")
        control.until(lambda counts: counts["mo_acked"] == 1)
        [row] = control.mos()
        assert (row["id"], row["status"], row["times"]) == (ids[0], 0, 1)
        esme.acknowledge(await esme.hear())
        control.until_idle()
        assert control.texts()[0]["text"] == "Xin chao"
        assert control.mts()[0]["message_id"] == control.receipts()[0]["receipt_for"]
        assert [row["event"] for row in control.events()] == ["bind"]
        assert control.binds()[0]["kind"] == "trx"
        control.send_many(3000, MO("", text="TSTN", account="two"))
        assert control.counts()["open"] == 3000
        control.forget()
        assert len(control.mos()) == 3000
        with pytest.raises(LabError, match="no fault is called"):
            control.set_faults(nonsense=1)
        with pytest.raises(LabError, match="no command"):
            control.ask("_smsc")
        for kind in Garbage:
            control.put_garbage(kind)
        control.cut()
        await esme.ended()
        smsc.kill()
        smsc.start()
        assert smsc.control.counts()["open"] == 0
    events = Counter(json.loads(line)["event"] for line in smsc.journal.read_text().splitlines())
    assert (events["mo"], events["mt"], events["text"], events["receipt"]) == (3001, 1, 1, 1)
    assert events["ack"] == 2


def test_an_smsc_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no fault is called"):
        SmscProcess(tmp_path, faults={"nonsense": 1}).start()
