"""What an SMSC sends us, well-formed or not, over real sockets. I/O."""

import asyncio
import logging
import random
import socket
from collections.abc import AsyncIterator

import pytest

from sms.esme.bind import Bind
from sms.esme.link import Link
from sms.pdu.types import Message, Unparsable
from tests.fakes.smsc_peer import (
    BIND_TRANSCEIVER,
    DATA,
    DELIVER,
    ENQUIRE,
    NACK,
    RESP,
    SUBMIT,
    UNBIND,
    PeerLink,
    SmscPeer,
    data,
    deliver,
    pdu,
)
from tests.texting import Notes, running, setting

OUTBIND, ALERT, QUERY = 0x0B, 0x102, 0x03
INVALID_LENGTH, INVALID_COMMAND, TRY_AGAIN = 0x02, 0x03, 0x64


@pytest.fixture
async def smsc() -> AsyncIterator[SmscPeer]:
    async with SmscPeer() as peer:
        yield peer


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def bind(smsc: SmscPeer) -> Bind:
    return Bind(setting(smsc, drain_seconds=0.2))


@pytest.fixture
async def link(smsc: SmscPeer, bind: Bind, notes: Notes) -> AsyncIterator[PeerLink]:
    """A bind that stands."""
    async with running(bind, notes):
        link = await smsc.bound()
        await notes.next("opened")
        yield link


async def alive(link: PeerLink, number: int = 999) -> None:
    """The next that comes from it is the answer to this: the session stands, and sent no more."""
    link.write(pdu(ENQUIRE, number))
    assert (await link.expect(ENQUIRE | RESP)).sequence == number


async def test_messages_are_answered_when_told_and_by_their_kind(
    bind: Bind, link: PeerLink, notes: Notes
) -> None:
    link.write(deliver(0, b"first"), data(0, b"second"), deliver(0x7FFFFFFF, b"third"))
    messages: list[Message] = [await notes.next("received") for _ in range(3)]
    assert [message.payload for message in messages] == [b"first", b"second", b"third"]
    await alive(link)
    for message in reversed(messages):
        bind.acknowledge(message, 0)
    got = [await link.next() for _ in range(3)]
    assert [(pdu.command, pdu.sequence) for pdu in got] == [
        (DELIVER | RESP, 0x7FFFFFFF),
        (DATA | RESP, 0),
        (DELIVER | RESP, 0),
    ]
    assert {(pdu.status, pdu.body) for pdu in got} == {(0, b"\0")}


async def test_a_message_is_answered_once(bind: Bind, link: PeerLink, notes: Notes) -> None:
    link.write(deliver(4))
    message = await notes.next("received")
    bind.acknowledge(message, TRY_AGAIN)
    bind.acknowledge(message, 0)
    assert (await link.expect(DELIVER | RESP)).status == TRY_AGAIN
    await alive(link)


async def test_an_answer_does_not_outlive_its_session(
    smsc: SmscPeer, bind: Bind, link: PeerLink, notes: Notes
) -> None:
    link.write(deliver(4))
    old = await notes.next("received")
    link.cut()
    await notes.next("closed")
    bind.acknowledge(old, 0)
    link = await smsc.bound()
    await notes.next("opened")
    link.write(deliver(4))
    new = await notes.next("received")
    bind.acknowledge(old, TRY_AGAIN)
    bind.acknowledge(new, 0)
    answer = await link.expect(DELIVER | RESP)
    assert (answer.sequence, answer.status) == (4, 0)
    await alive(link)


async def test_pdus_that_come_byte_by_byte(bind: Bind, link: PeerLink, notes: Notes) -> None:
    notes.acknowledging = True
    await link.trickle(deliver(1, b"slow"), pdu(ENQUIRE, 2), deliver(3, b"slower"))
    assert (await notes.next("received")).payload == b"slow"
    assert (await notes.next("received")).payload == b"slower"
    got = [(await link.next()).sequence for _ in range(3)]
    assert got == [1, 2, 3]


async def test_many_pdus_in_one_piece(bind: Bind, link: PeerLink, notes: Notes) -> None:
    notes.acknowledging = True
    link.write(*(deliver(number) for number in range(1, 2001)))
    assert [(await link.next()).sequence for _ in range(2000)] == list(range(1, 2001))


async def test_a_listener_that_fails_gets_the_message_again(
    bind: Bind, link: PeerLink, notes: Notes, caplog: pytest.LogCaptureFixture
) -> None:
    notes.faults = {"received", "unparsable"}
    link.write(deliver(1), pdu(DELIVER, 2, 0, b"\0"))
    answers = [await link.expect(DELIVER | RESP) for _ in range(2)]
    assert [(answer.sequence, answer.status) for answer in answers] == [
        (1, TRY_AGAIN),
        (2, TRY_AGAIN),
    ]
    assert "a fault in received" in caplog.text
    notes.faults = set()
    await alive(link)


async def test_a_message_that_makes_no_sense_goes_to_the_listener(
    bind: Bind, link: PeerLink, notes: Notes
) -> None:
    link.write(deliver(1), pdu(DELIVER, 2, 0, b"\xff" * 40), pdu(DATA, 3, 0, b""), deliver(4))
    await notes.next("received")
    broken: list[Unparsable] = [await notes.next("unparsable") for _ in range(2)]
    assert (await notes.next("received")).sequence == 4
    assert broken[0].raw.endswith(b"\xff" * 40)
    for message in broken:
        bind.acknowledge(message, 0)
    assert (await link.expect(DELIVER | RESP)).sequence == 2
    assert (await link.expect(DATA | RESP)).sequence == 3


async def test_commands_that_are_not_for_us(link: PeerLink, notes: Notes) -> None:
    """Requests are refused; what has no answer, and answers to nothing, are passed over."""
    refused = [0x777, QUERY, SUBMIT, BIND_TRANSCEIVER]
    link.write(*(pdu(command, 40 + place) for place, command in enumerate(refused)))
    for place in range(len(refused)):
        nack = await link.expect(NACK)
        assert (nack.sequence, nack.status) == (40 + place, INVALID_COMMAND)
    silent = [OUTBIND, ALERT, RESP | 0x777, RESP | QUERY, NACK, DELIVER | RESP, UNBIND | RESP]
    link.write(*(pdu(command, 60, 0) for command in silent))
    link.write(*(pdu(command, 0, INVALID_COMMAND) for command in silent))
    await alive(link)
    assert notes.silent


@pytest.mark.parametrize("seed", range(5))
async def test_no_pdu_ends_the_session_by_being_odd(
    bind: Bind, link: PeerLink, notes: Notes, seed: int
) -> None:
    """Any command, number and body but the commands that are meant to end it."""
    chance = random.Random(seed)
    known = [DELIVER, DATA, SUBMIT, ENQUIRE, QUERY, BIND_TRANSCEIVER, OUTBIND, ALERT, 0, 0x777]
    for _ in range(400):
        command = chance.choice(known) | chance.choice((0, RESP))
        number = chance.choice((0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFF))
        body = chance.randbytes(chance.choice((0, 1, 20, 60)))
        link.write(pdu(command, number, chance.choice((0, 0x58, 0xFFFFFFFF)), body))
    link.write(deliver(4242, b"whole"), pdu(ENQUIRE, 999))
    while (await link.next()).sequence != 999:
        pass
    told = [notes.told.get_nowait() for _ in range(notes.told.qsize())]
    assert {event for _, event, *_ in told} <= {"received", "unparsable"}
    assert told[-1][2].payload == b"whole"


@pytest.mark.parametrize("length", [0, 15, 65537, 0x7FFFFFFF, 0xFFFFFFFF])
async def test_a_length_that_cannot_be_rebuilds_the_link(
    smsc: SmscPeer, bind: Bind, link: PeerLink, notes: Notes, length: int
) -> None:
    link.write(deliver(1), length.to_bytes(4, "big") + deliver(2)[4:], deliver(3))
    message = await notes.next("received")
    assert message.sequence == 1
    link.write(deliver(4))
    bind.acknowledge(message, 0)
    assert (await link.expect(DELIVER | RESP)).sequence == 1
    nack = await link.expect(NACK)
    assert (nack.sequence, nack.status) == (0, INVALID_LENGTH)
    await link.end()
    await notes.next("closed")
    link = await smsc.bound()
    await notes.next("opened")
    link.write(deliver(2))
    assert (await notes.next("received")).sequence == 2


async def test_a_length_that_cannot_be_before_the_bind(
    smsc: SmscPeer, bind: Bind, notes: Notes
) -> None:
    async with running(bind, notes):
        link = await smsc.link()
        link.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await link.expect(BIND_TRANSCEIVER)
        await link.expect(NACK)
        await link.end()
        await smsc.bound()
        await notes.next("opened")


async def test_the_longest_pdu_that_may_be(bind: Bind, link: PeerLink, notes: Notes) -> None:
    long = data(1, b"x" * (65536 - 16 - 26 - 4))
    padding = 65536 - len(long)
    link.write(data(1, b"x" * (65536 - 16 - 26 - 4 + padding)))
    assert len((await notes.next("received")).raw) == 65536


async def test_too_many_unanswered_messages_stop_the_reading(smsc: SmscPeer, notes: Notes) -> None:
    bind = Bind(setting(smsc, most_unacknowledged=10))
    async with running(bind, notes):
        link = await smsc.bound()
        await notes.next("opened")
        link.write(*(deliver(number) for number in range(1, 11)))
        messages = [await notes.next("received") for _ in range(10)]
        link.write(pdu(ENQUIRE, 50), deliver(51))
        for message in messages[:4]:
            bind.acknowledge(message, 0)
        assert [(await link.next()).sequence for _ in range(4)] == [1, 2, 3, 4]
        assert notes.silent
        bind.acknowledge(messages[4], 0)
        assert (await link.next()).sequence == 5
        assert (await link.expect(ENQUIRE | RESP)).sequence == 50
        assert (await notes.next("received")).sequence == 51


async def test_small_packets_leave_at_once_and_dead_hosts_are_found(
    smsc: SmscPeer, bind: Bind, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[asyncio.BaseTransport] = []
    plain = Link.connection_made

    def spy(self: Link, transport: asyncio.BaseTransport) -> None:
        plain(self, transport)
        made.append(transport)

    monkeypatch.setattr(Link, "connection_made", spy)
    async with running(bind, notes):
        await smsc.bound()
        used = made[0].get_extra_info("socket")
        assert used.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert used.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_a_listener_that_fails_at_open_and_close_changes_nothing(
    smsc: SmscPeer, notes: Notes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    notes.faults = {"opened", "closed"}
    async with running(Bind(setting(smsc)), notes):
        link = await smsc.bound()
        await notes.next("opened")
        link.cut()
        await notes.next("closed")
        await smsc.bound()
        await notes.next("opened")
    assert "a fault in opened" in caplog.text
    assert "a fault in closed" in caplog.text
