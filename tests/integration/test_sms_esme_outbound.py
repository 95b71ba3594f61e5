"""Submits over real sockets: each gets one outcome, whatever the SMSC answers, and when. I/O.

Time is a hand's where a time-out is at stake: nothing is late until the hand moves. One move stays
below the second from which on the process counts as having stood still.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from sms.esme.bind import Bind
from sms.esme.errors import NoRoom
from sms.esme.listener import Accepted, Lost, Refused, Unanswered
from tests.fakes.smsc_peer import (
    DELIVER,
    ENQUIRE,
    NACK,
    RESP,
    SUBMIT,
    PeerLink,
    SmscPeer,
    accepted,
    deliver,
    pdu,
)
from tests.texting import SUBMIT as TEXT
from tests.texting import Hand, Notes, running, setting

THROTTLED, QUEUE_FULL, INVALID_DESTINATION, UNKNOWN_ERROR = 0x58, 0x14, 0x0B, 0xFF


@pytest.fixture
async def smsc() -> AsyncIterator[SmscPeer]:
    async with SmscPeer() as peer:
        yield peer


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def bind(smsc: SmscPeer, clock: Hand) -> Bind:
    """Answers are late after 0.5 s, silence is long after 0.3 s, and too long 0.2 s later."""
    plain = setting(
        smsc,
        window=4,
        response_timeout_seconds=0.5,
        enquire_after_seconds=0.3,
        enquire_timeout_seconds=0.2,
    )
    return Bind(plain, now=clock)


@pytest.fixture
async def link(smsc: SmscPeer, bind: Bind, notes: Notes) -> AsyncIterator[PeerLink]:
    """A bind that stands."""
    async with running(bind, notes):
        link = await smsc.bound()
        await notes.next("opened")
        yield link


async def some(link: PeerLink, command: int, count: int) -> list[int]:
    """The sequence numbers of the next PDUs, which must be of that kind."""
    return [(await link.expect(command)).sequence for _ in range(count)]


async def talk(link: PeerLink) -> None:
    """Both have read all that was sent up to now."""
    link.write(pdu(ENQUIRE, 999))
    await link.expect(ENQUIRE | RESP)


async def test_answers_in_any_order_find_their_submit(
    bind: Bind, link: PeerLink, notes: Notes
) -> None:
    for ref in (100, 101, 102):
        bind.send(ref, TEXT)
    first, second, third = await some(link, SUBMIT, 3)
    assert len({first, second, third}) == 3
    tlv = b"\x14\x01\0\x02hi"
    link.write(
        pdu(SUBMIT | RESP, third, 0, b"\0"),
        pdu(SUBMIT | RESP, first, INVALID_DESTINATION),
        pdu(SUBMIT | RESP, second, 0, b"00ff" + b"\0" + tlv),
    )
    assert [await notes.next("submitted") for _ in range(3)] == [
        (102, Accepted("", {})),
        (100, Refused(INVALID_DESTINATION)),
        (101, Accepted("00ff", {0x1401: b"hi"})),
    ]


async def test_a_nack_is_a_refusal(bind: Bind, link: PeerLink, notes: Notes) -> None:
    bind.send(1, TEXT)
    bind.send(2, TEXT)
    first, second = await some(link, SUBMIT, 2)
    link.write(pdu(NACK, first, 0x02), pdu(NACK, second, 0), pdu(NACK, 0, 0x03))
    assert await notes.next("submitted") == (1, Refused(0x02))
    assert await notes.next("submitted") == (2, Refused(UNKNOWN_ERROR))
    await talk(link)
    assert notes.silent


async def test_the_window_is_kept_and_waited_for(bind: Bind, link: PeerLink, notes: Notes) -> None:
    assert bind.room == 4
    await bind.wait_room()
    for ref in range(4):
        bind.send(ref, TEXT)
    assert bind.room == 0
    with pytest.raises(NoRoom):
        bind.send(4, TEXT)
    sequences = await some(link, SUBMIT, 4)
    waiting = asyncio.create_task(bind.wait_room())
    await talk(link)
    assert not waiting.done()
    link.write(accepted(sequences[2]), accepted(sequences[0]))
    await waiting
    assert bind.room == 2


async def test_waiting_for_room_outlives_a_session(
    smsc: SmscPeer, bind: Bind, link: PeerLink, notes: Notes
) -> None:
    for ref in range(4):
        bind.send(ref, TEXT)
    await some(link, SUBMIT, 4)
    waiting = asyncio.create_task(bind.wait_room())
    link.cut()
    assert [await notes.next("submitted") for _ in range(4)] == [(n, Lost()) for n in range(4)]
    await notes.next("closed")
    assert not waiting.done()
    await smsc.bound()
    async with asyncio.timeout(10):
        await waiting
    assert bind.room == 4


async def test_a_submit_that_has_no_form_changes_nothing(
    bind: Bind, link: PeerLink, notes: Notes
) -> None:
    with pytest.raises(ValueError, match="payload"):
        bind.send(1, replace(TEXT, payload=b"x" * 255))
    assert bind.room == 4
    await talk(link)
    bind.send(1, TEXT)
    link.write(accepted((await link.expect(SUBMIT)).sequence))
    assert await notes.next("submitted") == (1, Accepted("id", {}))


async def test_a_submit_may_be_sent_while_told_of_another(
    bind: Bind, link: PeerLink, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = notes.submitted

    def again(of: Bind, ref: int, outcome: Accepted) -> None:
        plain(of, ref, outcome)
        if ref < 20:
            of.send(ref + 1, TEXT)

    monkeypatch.setattr(notes, "submitted", again)
    bind.send(1, TEXT)
    for ref in range(1, 21):
        link.write(accepted((await link.expect(SUBMIT)).sequence))
        assert (await notes.next("submitted"))[0] == ref


async def test_a_listener_that_fails_at_an_outcome_gets_the_others(
    bind: Bind, link: PeerLink, notes: Notes
) -> None:
    notes.faults = {"submitted"}
    for ref in (1, 2):
        bind.send(ref, TEXT)
    link.write(*(accepted(sequence) for sequence in await some(link, SUBMIT, 2)))
    assert [(await notes.next("submitted"))[0] for _ in range(2)] == [1, 2]


async def pass_time_out(link: PeerLink, clock: Hand) -> None:
    """More than 0.5 s; that the SMSC lives meanwhile makes its answer no less late."""
    for _ in range(2):
        clock.at += 0.26
        await talk(link)


async def test_a_submit_that_is_taken_late_is_told_once_more(
    bind: Bind, link: PeerLink, notes: Notes, clock: Hand, caplog: pytest.LogCaptureFixture
) -> None:
    bind.send(1, TEXT)
    (late,) = await some(link, SUBMIT, 1)
    await pass_time_out(link, clock)
    assert await notes.next("submitted") == (1, Unanswered())
    bind.send(1, TEXT)  # once more
    (again,) = await some(link, SUBMIT, 1)
    assert again != late
    link.write(accepted(late, b"one"), accepted(late, b"one"), accepted(again, b"two"))
    assert await notes.next("accepted_late") == (1, Accepted("one", {}))
    assert await notes.next("submitted") == (1, Accepted("two", {}))
    link.write(accepted(again))
    await talk(link)
    assert notes.silent
    assert caplog.text.count("later than in 0.5 s") == 1
    assert caplog.text.count("stray answer") == 1


@pytest.mark.parametrize("command", [SUBMIT | RESP, NACK])
async def test_a_late_refusal_belongs_to_nobody(
    bind: Bind, link: PeerLink, notes: Notes, clock: Hand, command: int
) -> None:
    bind.send(1, TEXT)
    (late,) = await some(link, SUBMIT, 1)
    await pass_time_out(link, clock)
    assert await notes.next("submitted") == (1, Unanswered())
    link.write(pdu(command, late, 0x08), accepted(late))
    await talk(link)
    assert notes.silent


async def test_a_listener_that_fails_at_a_late_answer_gets_the_next(
    bind: Bind, link: PeerLink, notes: Notes, clock: Hand
) -> None:
    notes.faults = {"accepted_late"}
    for ref in (1, 2):
        bind.send(ref, TEXT)
    late = await some(link, SUBMIT, 2)
    await pass_time_out(link, clock)
    assert [(await notes.next("submitted"))[0] for _ in range(2)] == [1, 2]
    link.write(*map(accepted, late))
    assert [(await notes.next("accepted_late"))[0] for _ in range(2)] == [1, 2]


async def test_an_smsc_that_leaves_submits_unanswered_gets_fewer(
    bind: Bind, link: PeerLink, notes: Notes, clock: Hand
) -> None:
    for ref in range(4):
        bind.send(ref, TEXT)
    await some(link, SUBMIT, 4)
    await pass_time_out(link, clock)
    assert [await notes.next("submitted") for _ in range(4)] == [
        (ref, Unanswered()) for ref in range(4)
    ]
    assert bind.room == 2
    assert bind.trouble == "the SMSC is busy: window 2 of 4"


async def test_any_traffic_proves_life(
    bind: Bind, link: PeerLink, notes: Notes, clock: Hand
) -> None:
    clock.at += 0.35
    await link.expect(ENQUIRE)
    clock.at += 0.15
    link.write(deliver(5))  # in place of the answer
    await notes.next("received")
    clock.at += 0.15
    await talk(link)
    clock.at += 0.35
    asked = await link.expect(ENQUIRE)
    clock.at += 0.15
    link.write(pdu(NACK, asked.sequence, 0x03))
    clock.at += 0.1
    await talk(link)
    assert notes.silent


async def test_a_silent_peer_is_left(
    smsc: SmscPeer, bind: Bind, link: PeerLink, notes: Notes, clock: Hand
) -> None:
    """Half open: its host is there and takes what we write, but nobody answers."""
    bind.send(1, TEXT)
    await link.expect(SUBMIT)
    clock.at += 0.31
    await link.expect(ENQUIRE)
    clock.at += 0.21
    told = {type((await notes.next("submitted"))[1])}
    assert told <= {Lost, Unanswered}
    await notes.next("closed")
    await link.end()
    await smsc.bound()
    await notes.next("opened")


async def test_time_in_which_we_did_not_read_does_not_count(
    smsc: SmscPeer, notes: Notes, clock: Hand
) -> None:
    plain = setting(
        smsc,
        most_unacknowledged=1,
        response_timeout_seconds=0.1,
        enquire_after_seconds=0.1,
        enquire_timeout_seconds=0.1,
    )
    bind = Bind(plain, now=clock)
    async with running(bind, notes):
        link = await smsc.bound()
        await notes.next("opened")
        bind.send(1, TEXT)
        (sequence,) = await some(link, SUBMIT, 1)
        link.write(deliver(5))
        message = await notes.next("received")
        link.write(accepted(sequence))  # stands unread
        for _ in range(20):
            clock.at += 0.09
            await clock.until_seen()  # all that ticks might do is wrong
        assert notes.silent
        bind.acknowledge(message, 0)
        assert await notes.next("submitted") == (1, Accepted("id", {}))
        await link.expect(DELIVER | RESP)


async def test_a_process_that_stood_still_does_not_blame_the_peer(
    bind: Bind, link: PeerLink, notes: Notes, clock: Hand
) -> None:
    bind.send(1, TEXT)
    (sequence,) = await some(link, SUBMIT, 1)
    clock.at += 60
    await clock.until_seen()
    assert notes.silent
    link.write(accepted(sequence))
    assert await notes.next("submitted") == (1, Accepted("id", {}))


async def test_a_peer_that_does_not_read_gets_no_more_and_is_left(
    smsc: SmscPeer, notes: Notes, clock: Hand
) -> None:
    plain = setting(smsc, window=100_000, response_timeout_seconds=0.5)
    bind = Bind(plain, now=clock)
    async with running(bind, notes):
        await smsc.bound()
        await notes.next("opened")
        sent = 0
        while await has_room(bind, within_seconds=0.2):  # the kernel may take more a moment later
            for _ in range(min(bind.room, 500)):
                bind.send(sent, replace(TEXT, payload=b"x" * 254))
                sent += 1
        assert sent < 100_000
        clock.at += 0.6
        assert [await notes.next("submitted") for _ in range(sent)] == [
            (ref, Lost()) for ref in range(sent)
        ]
        await notes.next("closed")


async def has_room(bind: Bind, within_seconds: float) -> bool:
    try:
        async with asyncio.timeout(within_seconds):
            await bind.wait_room()
    except TimeoutError:
        return False
    return True


async def test_a_throttled_bind_pauses(
    bind: Bind, link: PeerLink, notes: Notes, clock: Hand, caplog: pytest.LogCaptureFixture
) -> None:
    bind.send(1, TEXT)
    bind.send(2, TEXT)
    first, second = await some(link, SUBMIT, 2)
    link.write(pdu(SUBMIT | RESP, first, THROTTLED), pdu(SUBMIT | RESP, second, THROTTLED))
    assert await notes.next("submitted") == (1, Refused(THROTTLED))
    assert await notes.next("submitted") == (2, Refused(THROTTLED))
    assert bind.room == 0
    assert bind.trouble == "the SMSC throttles us: paused for 1.0 s"
    assert caplog.text.count("throttles us") == 1
    clock.at += 0.99
    assert bind.room == 0
    clock.at += 0.02
    assert bind.trouble == "the SMSC throttled us: 1.0 a second, slowly more"
    assert bind.room == 0  # from the slowest speed on
    clock.at += 1.0
    assert bind.room == 1


async def test_a_full_queue_halves_the_window(bind: Bind, link: PeerLink, notes: Notes) -> None:
    bind.send(1, TEXT)
    (sequence,) = await some(link, SUBMIT, 1)
    link.write(pdu(SUBMIT | RESP, sequence, QUEUE_FULL))
    assert await notes.next("submitted") == (1, Refused(QUEUE_FULL))
    assert bind.room == 2


async def test_what_the_smsc_asked_for_ends_with_its_connection(
    smsc: SmscPeer, bind: Bind, link: PeerLink, notes: Notes
) -> None:
    bind.send(1, TEXT)
    (sequence,) = await some(link, SUBMIT, 1)
    link.write(pdu(SUBMIT | RESP, sequence, THROTTLED))
    await notes.next("submitted")
    link.cut()
    await notes.next("closed")
    await smsc.bound()
    await notes.next("opened")
    assert bind.room == 4


async def test_a_rate_is_waited_for(smsc: SmscPeer, notes: Notes) -> None:
    bind = Bind(setting(smsc, tps=100.0))
    async with running(bind, notes), asyncio.timeout(10):
        link = await smsc.bound()
        began = asyncio.get_running_loop().time()
        for ref in range(10):
            await bind.wait_room()
            bind.send(ref, TEXT)
        assert asyncio.get_running_loop().time() - began > 0.09
        await some(link, SUBMIT, 10)
