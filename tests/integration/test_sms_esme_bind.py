"""The keeper of a bind against a scripted SMSC: bind, refusal, loss, leave-taking. I/O."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from domain.errors import ConfigError
from sms.esme.bind import Bind, BindState
from sms.esme.errors import BindRefused, NoRoom
from sms.esme.group import Binds
from sms.esme.listener import Accepted, Lost
from sms.pdu.make import BindKind
from tests.fakes.smsc_peer import (
    BIND_RECEIVER,
    BIND_TRANSCEIVER,
    BIND_TRANSMITTER,
    DELIVER,
    ENQUIRE,
    NACK,
    RESP,
    SUBMIT,
    UNBIND,
    SmscPeer,
    accepted,
    deliver,
    pdu,
)
from tests.texting import SUBMIT as TEXT
from tests.texting import Hand, Notes, running, setting

ALREADY_BOUND, BIND_STATUS, SYSTEM_ERROR, WRONG_PASSWORD = 0x05, 0x04, 0x08, 0x0E
DO_AGAIN = 0x64  # ESME_RX_T_APPN


@pytest.fixture
async def smsc() -> AsyncIterator[SmscPeer]:
    async with SmscPeer() as peer:
        yield peer


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.mark.parametrize(
    ("kind", "command", "room"),
    [
        (BindKind.TRX, BIND_TRANSCEIVER, 7),
        (BindKind.TX, BIND_TRANSMITTER, 7),
        (BindKind.RX, BIND_RECEIVER, 0),
    ],
)
async def test_a_bind_of_each_kind(
    smsc: SmscPeer, notes: Notes, kind: BindKind, command: int, room: int
) -> None:
    bind = Bind(setting(smsc, kind=kind, window=7))
    assert bind.state is BindState.STOPPED
    async with running(bind, notes):
        link = await smsc.link()
        assert bind.state is BindState.CONNECTING
        assert bind.room == 0
        asked = await link.accept()
        await notes.next("opened")
        assert asked.command == command
        assert asked.sequence == 1
        assert asked.body.startswith(b"tstn\0sesame\0\0\x34")
        assert bind.state is BindState.BOUND
        assert bind.trouble is None
        assert bind.room == room
    assert bind.state is BindState.STOPPED
    await notes.next("closed")
    await link.end()


async def test_only_an_answer_with_our_number_and_of_our_kind_binds(
    smsc: SmscPeer, notes: Notes
) -> None:
    bind = Bind(setting(smsc))
    async with running(bind, notes):
        link = await smsc.link()
        asked = await link.expect(BIND_TRANSCEIVER)
        link.write(
            pdu(ENQUIRE, 0),
            pdu(BIND_TRANSCEIVER | RESP, asked.sequence + 1, 0, b"SMSC\0"),
            pdu(BIND_TRANSMITTER | RESP, asked.sequence, 0, b"SMSC\0"),
            accepted(asked.sequence),
            deliver(5),
        )
        assert (await link.expect(ENQUIRE | RESP)).sequence == 0
        too_early = await link.expect(DELIVER | RESP)
        assert (too_early.sequence, too_early.status) == (5, BIND_STATUS)
        assert bind.state is BindState.CONNECTING
        assert notes.silent
        link.write(pdu(BIND_TRANSCEIVER | RESP, asked.sequence, 0, b"SMSC\0"), deliver(6))
        await notes.next("opened")
        assert (await notes.next("received")).sequence == 6


@pytest.mark.parametrize("command", [BIND_TRANSCEIVER | RESP, NACK])
async def test_a_refused_bind_is_tried_again_slowly(
    smsc: SmscPeer, notes: Notes, command: int, caplog: pytest.LogCaptureFixture
) -> None:
    bind = Bind(setting(smsc, refused_retry_seconds=0.3))
    async with running(bind, notes):
        link = await smsc.link()
        asked = await link.next()
        link.write(pdu(command, asked.sequence, WRONG_PASSWORD))
        await link.end()
        refused_at = time.monotonic()
        link = await smsc.link()
        assert time.monotonic() - refused_at > 0.25
        assert bind.trouble is not None
        assert "ESME_RINVPASWD" in bind.trouble
        await link.accept()
        await notes.next("opened")
    assert "ESME_RINVPASWD" in caplog.text
    assert "sesame" not in caplog.text


async def test_a_refusal_that_may_pass_is_tried_again_soon(smsc: SmscPeer, notes: Notes) -> None:
    async with running(Bind(setting(smsc, refused_retry_seconds=60)), notes):
        await smsc.bound(SYSTEM_ERROR)
        await smsc.bound()
        await notes.next("opened")


async def test_a_nack_without_an_error_does_not_bind(smsc: SmscPeer, notes: Notes) -> None:
    bind = Bind(setting(smsc))
    async with running(bind, notes):
        link = await smsc.link()
        link.write(pdu(NACK, (await link.next()).sequence))
        await link.end()
        assert notes.silent


async def test_a_bind_without_an_answer_is_given_up(smsc: SmscPeer, notes: Notes) -> None:
    bind = Bind(setting(smsc, bind_timeout_seconds=0.1))
    async with running(bind, notes):
        link = await smsc.link()
        await link.end()
        await smsc.link()
        assert bind.trouble is not None
        assert bind.trouble.endswith("no answer to our bind in 0.1 s")


async def test_it_binds_once_there_is_an_smsc(smsc: SmscPeer, notes: Notes) -> None:
    await smsc.stop()
    bind = Bind(setting(smsc))
    async with running(bind, notes):
        while bind.state is not BindState.WAITING:
            await asyncio.sleep(0.001)
        assert bind.trouble == f"bind mt1 to 127.0.0.1:{smsc.port}: connection refused"
        await smsc.start()
        await smsc.bound()
        await notes.next("opened")


async def test_an_unknown_host_is_a_trouble_in_words(smsc: SmscPeer, notes: Notes) -> None:
    bind = Bind(setting(smsc, host="smsc.invalid"))
    async with running(bind, notes), asyncio.timeout(10):
        while bind.state is not BindState.WAITING:
            await asyncio.sleep(0.001)
        assert bind.trouble is not None
        assert bind.trouble.endswith("its host name is not known")


async def test_after_a_cut_the_bind_is_made_anew(smsc: SmscPeer, notes: Notes) -> None:
    bind = Bind(setting(smsc))
    async with running(bind, notes):
        link = await smsc.bound()
        await notes.next("opened")
        bind.send(1, TEXT)
        await link.expect(SUBMIT)
        link.cut()
        assert await notes.next("submitted") == (1, Lost())
        await notes.next("closed")
        with pytest.raises(NoRoom):
            bind.send(2, TEXT)
        link = await smsc.bound()
        await notes.next("opened")
        bind.send(2, TEXT)
        link.write(accepted((await link.expect(SUBMIT)).sequence))
        assert await notes.next("submitted") == (2, Accepted("id", {}))


async def test_an_smsc_that_drops_each_bind_is_not_stormed(smsc: SmscPeer, notes: Notes) -> None:
    """The clock stands still, so no session ever stands longer than the pause before it."""
    async with running(Bind(setting(smsc, retry_seconds=(0.05, 0.2)), now=Hand()), notes):
        at = []
        for _ in range(5):
            link = await smsc.bound()
            at.append(time.monotonic())
            link.cut()
    gaps = [later - earlier for earlier, later in pairwise(at)]
    least = [0.025, 0.05, 0.1, 0.1]
    assert all(gap >= pause * 0.9 for gap, pause in zip(gaps, least, strict=True)), gaps


async def test_the_smscs_unbind_is_answered_once_all_is(smsc: SmscPeer, notes: Notes) -> None:
    bind = Bind(setting(smsc))
    async with running(bind, notes):
        link = await smsc.bound()
        await notes.next("opened")
        bind.send(1, TEXT)
        submit = await link.expect(SUBMIT)
        link.write(deliver(8), pdu(UNBIND, 9))
        message = await notes.next("received")
        assert bind.room == 0
        link.write(accepted(submit.sequence))
        assert await notes.next("submitted") == (1, Accepted("id", {}))
        bind.acknowledge(message, 0)
        assert (await link.expect(DELIVER | RESP)).sequence == 8
        assert (await link.expect(UNBIND | RESP)).sequence == 9
        await link.end()
        await notes.next("closed")
        await smsc.bound()
        await notes.next("opened")


async def test_the_smscs_unbind_does_not_wait_for_ever(smsc: SmscPeer, notes: Notes) -> None:
    bind = Bind(setting(smsc, drain_seconds=0.05))
    async with running(bind, notes):
        link = await smsc.bound()
        await notes.next("opened")
        bind.send(1, TEXT)
        await link.expect(SUBMIT)
        link.write(pdu(UNBIND, 9))
        assert (await link.expect(UNBIND | RESP)).sequence == 9
        assert await notes.next("submitted") == (1, Lost())
        await notes.next("closed")


async def test_an_unbind_before_the_bind_is_answered(smsc: SmscPeer, notes: Notes) -> None:
    async with running(Bind(setting(smsc)), notes):
        link = await smsc.link()
        await link.expect(BIND_TRANSCEIVER)
        link.write(pdu(UNBIND, 3))
        assert (await link.expect(UNBIND | RESP)).sequence == 3
        await smsc.bound()
        await notes.next("opened")


async def test_our_unbind_waits_for_answers_then_takes_leave(smsc: SmscPeer, notes: Notes) -> None:
    bind = Bind(setting(smsc))
    async with running(bind, notes) as run:
        link = await smsc.bound()
        await notes.next("opened")
        bind.send(1, TEXT)
        submit = await link.expect(SUBMIT)
        leaving = asyncio.create_task(bind.unbind())
        await asyncio.sleep(0)
        assert bind.state is BindState.PARTING
        assert bind.room == 0
        link.write(accepted(submit.sequence))
        unbind = await link.expect(UNBIND)
        link.write(pdu(ENQUIRE, 77), pdu(UNBIND | RESP, unbind.sequence + 1))
        assert (await link.expect(ENQUIRE | RESP)).sequence == 77
        assert not leaving.done()
        link.write(pdu(UNBIND | RESP, unbind.sequence))
        await leaving
        await run
        await link.end()
        assert bind.state is BindState.STOPPED
        assert await notes.next("submitted") == (1, Accepted("id", {}))
        await notes.next("closed")


async def test_two_who_unbind_at_once_part_at_once(smsc: SmscPeer, notes: Notes) -> None:
    bind = Bind(setting(smsc))
    async with running(bind, notes):
        link = await smsc.bound()
        await notes.next("opened")
        leaving = asyncio.create_task(bind.unbind())
        await link.expect(UNBIND)
        link.write(pdu(UNBIND, 3))
        await link.expect(UNBIND | RESP)
        link.cut()
        await leaving


async def test_our_unbind_does_not_wait_for_ever(smsc: SmscPeer, notes: Notes) -> None:
    bind = Bind(setting(smsc, drain_seconds=0.05))
    async with running(bind, notes):
        link = await smsc.bound()
        await notes.next("opened")
        bind.send(1, TEXT)
        await link.expect(SUBMIT)
        async with asyncio.timeout(5):
            await bind.unbind()
        await link.expect(UNBIND)
        assert await notes.next("submitted") == (1, Lost())


@pytest.mark.parametrize("answered", [False, True])
async def test_unbind_ends_a_try_to_bind_or_the_pause_after_it(
    smsc: SmscPeer, notes: Notes, answered: bool
) -> None:
    bind = Bind(setting(smsc, retry_seconds=(60, 60)))
    async with running(bind, notes) as run, asyncio.timeout(5):
        link = await smsc.link()
        if answered:
            await link.accept(SYSTEM_ERROR)
            await link.end()
        await bind.unbind()
        await run


async def test_unbind_ends_a_connection_that_is_still_being_made(
    smsc: SmscPeer, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    connecting = asyncio.Event()

    async def never(*_: object, **__: object) -> None:
        connecting.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    bind = Bind(setting(smsc))
    async with running(bind, notes) as run, asyncio.timeout(5):
        await connecting.wait()
        await bind.unbind()
        await run


async def test_binds_keep_to_themselves(smsc: SmscPeer, notes: Notes) -> None:
    async with SmscPeer() as other, SmscPeer() as gone:
        await gone.stop()
        binds = Binds(
            [
                setting(gone, name="gone"),
                setting(smsc, name="tx", kind=BindKind.TX),
                setting(smsc, name="rx", kind=BindKind.RX),
                setting(other, name="other", account="viettel"),
            ],
            {"mobifone": 50.0},
        )
        assert [bind.name for bind in binds.of("mobifone")] == ["gone", "tx", "rx"]
        run = asyncio.create_task(binds.run(notes))
        for _ in range(2):
            await smsc.bound()
        link = await other.bound()
        for _ in range(3):
            await notes.next("opened")
        assert [bind.state for bind in binds.all[1:]] == [BindState.BOUND] * 3
        link.cut()
        await notes.next("closed")
        await other.bound()
        await notes.next("opened")
        await smsc.stop()
        for _ in range(2):
            await notes.next("closed")
        assert binds.all[3].room == 10
        other_link = asyncio.create_task(link.end())
        async with asyncio.timeout(10):
            await other.stop()
            await binds.unbind()
            await run
        await other_link


async def test_the_binds_of_an_account_share_its_rate(smsc: SmscPeer, notes: Notes) -> None:
    clock = Hand()
    binds = Binds(
        [setting(smsc, name=name, window=100) for name in ("a", "b")], {"mobifone": 50.0}, clock
    )
    run = asyncio.create_task(binds.run(notes))
    for _ in range(2):
        await smsc.bound()
        await notes.next("opened")
    a, b = binds.all
    assert (a.room, b.room) == (0, 0)
    clock.at += 0.1
    assert (a.room, b.room) == (5, 5)
    for ref in range(3):
        a.send(ref, TEXT)
    assert (a.room, b.room) == (2, 2)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_what_cannot_be_a_bind_is_refused_at_the_start(
    smsc: SmscPeer, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="bind mt1: password") as refused:
        Bind(setting(smsc, password="longer-than-8"))
    assert "longer-than-8" not in str(refused.value)
    Bind(setting(smsc, password="longer-than-8", long_password=True))
    with pytest.raises(ConfigError, match="certificates in"):
        Bind(setting(smsc, tls=True, tls_ca=tmp_path / "none.pem"))


async def test_the_password_is_told_to_nobody_else(
    smsc: SmscPeer, notes: Notes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bind = Bind(setting(smsc))
    assert "sesame" not in repr(bind.setting)
    async with running(bind, notes):
        await smsc.bound()
        await notes.next("opened")
    assert "sesame" not in caplog.text


async def test_an_attempt_binds_and_takes_leave(smsc: SmscPeer) -> None:
    """A text that comes meanwhile is to come again, to a bind that keeps it."""
    bind = Bind(setting(smsc))
    attempt = asyncio.create_task(bind.attempt())
    link = await smsc.link()
    asked = await link.expect(BIND_TRANSCEIVER)
    link.write(pdu(BIND_TRANSCEIVER | RESP, asked.sequence, 0, b"SMSC\0"), deliver(7))
    answer = await link.expect(DELIVER | RESP)
    assert (answer.sequence, answer.status) == (7, DO_AGAIN)
    leave = await link.expect(UNBIND)
    link.write(pdu(UNBIND | RESP, leave.sequence))
    await attempt
    await link.end()
    assert bind.state is BindState.STOPPED


async def test_an_attempt_says_why_there_is_no_bind(smsc: SmscPeer) -> None:
    bind = Bind(setting(smsc))
    attempt = asyncio.create_task(bind.attempt())
    link = await smsc.link()
    asked = await link.expect(BIND_TRANSCEIVER)
    link.write(pdu(BIND_TRANSCEIVER | RESP, asked.sequence, WRONG_PASSWORD))
    with pytest.raises(BindRefused, match="refuses our bind"):
        await attempt
    await link.end()
