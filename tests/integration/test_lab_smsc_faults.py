"""The simulated SMSC towards a scripted ESME: cut, frozen and odd links, TLS, IPv6."""

import asyncio
import ssl
import struct
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.smsc.garbage import Garbage
from lab.smsc.process import SmscProcess
from lab.smsc.subscribers import MO
from tests.scripted_esme import (
    BIND_TRX,
    DELIVER,
    ENQUIRE,
    OUTBIND,
    RESP,
    SUBMIT,
    UNBIND,
    Esme,
    Got,
    Net,
    bind_body,
    packed,
    submit_body,
)

ONE = MO("84901234567", text="TSTN")


@pytest.fixture
async def net() -> AsyncIterator[Net]:
    net = Net()
    yield net
    await net.close()


async def test_a_cut_takes_the_last_submit_and_does_not_see_the_last_ack(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    smsc.set_faults(cut_after=2)
    await esme.ask(SUBMIT, submit_body())
    esme.say(SUBMIT, submit_body())
    assert await esme.ended() == b""
    assert [mt.answered for mt in smsc.journal.mts] == [True, False]
    smsc.set_faults(cut_after=3)
    esme = await net.esme(smsc)
    sent = smsc.send_all([ONE, ONE])
    for _ in sent:
        esme.acknowledge(await esme.hear())
    await esme.ended()
    await smsc.until(lambda: not smsc.sessions)
    assert [one.status for one in sent] == [0, None]
    smsc.clear_faults()
    esme = await net.esme(smsc)
    assert (await esme.hear()).command == DELIVER


@pytest.mark.parametrize("by_reset", [False, True])
async def test_links_are_cut_at_once(net: Net, by_reset: bool) -> None:
    smsc = await net.smsc()
    esmes = [await net.esme(smsc) for _ in range(3)]
    smsc.set_faults(cut_by_reset=by_reset)
    smsc.cut(bind=2)
    await esmes[1].ended()
    assert (await esmes[0].ask(ENQUIRE)).status == 0
    smsc.cut()
    await esmes[0].ended()
    await esmes[2].ended()
    assert smsc.counts()["link_end"] == 3


async def test_a_frozen_smsc_says_nothing_until_it_thaws(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    smsc.set_faults(frozen=True)
    asked = esme.say(ENQUIRE)
    await smsc.send(ONE)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await esme.reader.read(1)
    smsc.set_faults(frozen=False)
    got = [await esme.hear(), await esme.hear()]
    assert Got(ENQUIRE | RESP, 0, asked, b"") in got
    assert {one.command for one in got} == {ENQUIRE | RESP, DELIVER}


async def test_pdus_come_in_pieces(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    smsc.set_faults(chunk_bytes=7, chunk_seconds=0.01)
    began = asyncio.get_running_loop().time()
    sent = smsc.send_all([ONE, ONE])
    for _ in sent:
        esme.acknowledge(await esme.hear())
    assert asyncio.get_running_loop().time() - began >= 0.1
    await smsc.until(lambda: smsc.open == 0)
    smsc.unbind()
    assert (await esme.hear()).command == UNBIND


async def test_pdus_of_the_esme_may_come_in_pieces(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    for octet in packed(SUBMIT, 9, submit_body()) + packed(ENQUIRE, 10):
        esme.writer.write(bytes((octet,)))
        await esme.writer.drain()
        await asyncio.sleep(0)
    assert [(await esme.hear()).sequence for _ in range(2)] == [9, 10]


async def test_garbage_comes_between_good_pdus(net: Net) -> None:
    smsc = await net.smsc(window=100)
    esme = await net.esme(smsc)
    kinds = list(Garbage.framed())
    smsc.set_faults(garbage_every=1)
    sent = smsc.send_all([ONE] * len(kinds))
    commands: Counter[int] = Counter()
    for _ in range(2 * len(kinds)):
        got = await esme.hear()
        commands[got.command] += 1
        if got.command == DELIVER:
            esme.acknowledge(got)
    assert commands[DELIVER] == len(kinds) + 4
    assert commands[OUTBIND] == commands[0x102] == commands[0x10200] == 1
    await smsc.until(lambda: smsc.open == 0)
    assert [one.times for one in sent] == [1] * len(kinds)
    assert smsc.counts()["stray"] == 4
    smsc.put_garbage(Garbage.HUGE_LENGTH)
    assert (await esme.reader.readexactly(16))[:4] == struct.pack(">I", 65536 * 512)


async def test_a_shut_port_refuses_until_it_opens(net: Net) -> None:
    smsc = await net.smsc()
    esme = await net.esme(smsc)
    await smsc.shut_port()
    with pytest.raises(OSError, match=r"refused|Connect"):
        await net.connect(smsc)
    assert (await esme.ask(ENQUIRE)).status == 0
    await smsc.open_port()
    await net.esme(smsc)


async def test_ipv6(net: Net) -> None:
    smsc = await net.smsc(host="::1")
    await net.esme(smsc)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for smsc.test, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    files = directory / "certificate.pem", directory / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=smsc.test", "-addext", "subjectAltName=DNS:smsc.test"]
    out = ["-out", files[0], "-keyout", files[1]]
    subprocess.run([*command.split(), *names, *out], check=True, capture_output=True)
    return files


async def test_tls(net: Net, certificate: tuple[Path, Path]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    smsc = await net.smsc(tls=context)
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    esme = await net.connect(smsc, ssl=trusting, server_hostname="smsc.test")
    assert (await esme.ask(BIND_TRX, bind_body())).status == 0
    smsc.send_all([ONE] * 3)
    for _ in range(3):
        esme.acknowledge(await esme.hear())
    await smsc.until(lambda: smsc.open == 0)
    smsc.cut()
    await esme.ended()


async def test_tls_and_a_reset_by_the_process(
    net: Net, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    with SmscProcess(tmp_path, tls=certificate, keeps_journal=False) as smsc:
        for by_reset in (False, True):
            smsc.control.set_faults(cut_by_reset=by_reset)
            options = {"ssl": trusting, "server_hostname": "smsc.test"}
            esme = Esme(*await asyncio.open_connection(smsc.host, smsc.port, **options))
            net.esmes.append(esme)
            assert (await esme.ask(BIND_TRX, bind_body())).status == 0
            smsc.control.cut()
            await esme.ended()
        assert not smsc.journal.exists()
