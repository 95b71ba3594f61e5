"""The simulated SMSC, killed and started again on its journal: what it took is kept. I/O."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.demo_containers import LastingControl
from lab.smsc.past import read_past
from lab.smsc.process import SmscProcess
from lab.smsc.subscribers import MO
from tests.scripted_esme import (
    BIND_TRX,
    BIND_TX,
    DATA,
    DELIVER,
    SUBMIT,
    Esme,
    Net,
    bind_body,
    submit_body,
)


@pytest.fixture
async def net() -> AsyncIterator[Net]:
    net = Net()
    yield net
    await net.close()


async def bound(net: Net, smsc: SmscProcess, kind: int = BIND_TRX) -> Esme:
    esme = Esme(*await asyncio.open_connection(smsc.host, smsc.port))
    net.esmes.append(esme)
    assert (await esme.ask(kind, bind_body())).status == 0
    return esme


async def test_what_was_taken_is_kept_and_what_is_open_comes_again(
    net: Net, tmp_path: Path
) -> None:
    with SmscProcess(tmp_path, resumes=True, faults={"receipt_seconds": 60.0}) as smsc:
        esme = await bound(net, smsc)
        smsc.control.send(MO("84901", text="TSTN"))
        esme.acknowledge(await esme.hear())
        smsc.control.until_idle()
        smsc.control.send(
            MO("84902", text="Đăng ký", tlvs=((0x1401, b"x"),)),
            MO("84903", text="HD", by_data_sm=True),
        )
        first = [await esme.hear() for _ in range(2)]
        answer = await esme.ask(SUBMIT, submit_body(b"one", registered=1))
        answered, taken = smsc.control.mos()[0], smsc.control.mts()
        smsc.kill()
        smsc.start()

        assert smsc.control.mos()[0].keys() == answered.keys()
        assert {**smsc.control.mos()[0], "acked_at": answered["acked_at"]} == answered
        assert smsc.control.mts() == taken
        esme = await bound(net, smsc)
        again = [await esme.hear() for _ in range(3)]
        assert [got.command for got in again] == [DELIVER, DATA, DELIVER]
        assert [got.body for got in again[:2]] == [got.body for got in first]
        assert answer.body.rstrip(b"\0") in again[2].body  # the receipt, which was not due yet
        for got in again:
            esme.acknowledge(got)
        smsc.control.until_idle()
        assert [(row["id"], row["status"], row["times"]) for row in smsc.control.mos()] == [
            *((1, 0, 1), (2, 0, 2), (3, 0, 2)),
        ]
        other = await esme.ask(SUBMIT, submit_body(b"two"))
        assert other.body != answer.body
        assert [row["text"] for row in smsc.control.texts()] == ["one", "two"]


async def test_nothing_is_answered_before_it_is_kept(net: Net, tmp_path: Path) -> None:
    """Killed at once after the answer, again and again."""
    with SmscProcess(tmp_path, resumes=True) as smsc:
        for number in range(4):
            esme = await bound(net, smsc, BIND_TX)
            await esme.ask(SUBMIT, submit_body(b"%d" % number))
            smsc.control.send(MO(f"8490{number}", text="TSTN"))
            smsc.kill()
            smsc.start()
        assert [row["text"] for row in smsc.control.texts()] == [str(n) for n in range(4)]
        assert [row["source"] for row in smsc.control.mos()] == [f"8490{n}" for n in range(4)]


def test_a_line_that_was_cut_off_is_taken_away(tmp_path: Path) -> None:
    file = tmp_path / "smsc.jsonl"
    assert read_past(file).mos == []
    whole = b'{"event":"link_end","at":1.0,"bind":1}\n'
    file.write_bytes(whole + b'{"event":"mo","id"')
    assert read_past(file).mos == []
    assert file.read_bytes() == whole


def test_who_lasts_asks_again_after_the_smsc_has_died(tmp_path: Path) -> None:
    with SmscProcess(tmp_path, resumes=True) as smsc:
        control = LastingControl(smsc.control_port)
        [first] = control.send(MO("84901", text="TSTN"))
        smsc.kill()
        with ThreadPoolExecutor() as other:
            waiting = other.submit(control.send, MO("84902", text="TSTN"))
            smsc.start()
            [second] = waiting.result(20)
        assert [row["id"] for row in control.mos()] == [first, second]
        control.close()
