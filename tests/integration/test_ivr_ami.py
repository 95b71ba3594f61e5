"""AMI through pyst2, with a peer that misbehaves: what is lost, refused, tried again. I/O."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from ivr.ami.client import AmiClient
from ivr.ami.errors import AmiError, AmiUnavailable
from ivr.ami.wire import LONGEST_LINE, MOST_LINES, Headers
from tests.ami_peer import AmiPeer, ami_peer, message

WANTED = frozenset({"AgentConnect"})


class Listener:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.events: list[Headers] = []
        self.log: list[str] = []

    async def connected(self) -> None:
        self.log.append("connected")

    def receive(self, event: Headers) -> None:
        self.events.append(event)

    def disconnected(self) -> None:
        self.log.append("disconnected")

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.01)


@pytest.fixture
async def peer() -> AsyncIterator[AmiPeer]:
    async with ami_peer() as made:
        yield made


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def ami(peer: AmiPeer, listener: Listener) -> AsyncIterator[AmiClient]:
    client = AmiClient(
        ("127.0.0.1", peer.port),
        *("tstn", "secret", WANTED),
        timeout_seconds=2,
        ping_seconds=0.5,
        retry_seconds=(0.01, 0.05),
    )
    run = asyncio.create_task(client.run(listener))
    await listener.until(lambda: "connected" in listener.log)
    yield client
    run.cancel()
    with suppress(asyncio.CancelledError):
        await run


async def test_events_come_in_order_and_only_those_wanted(
    ami: AmiClient, peer: AmiPeer, listener: Listener
) -> None:
    peer.send(b"Event: AgentConnect\r\nUniq")
    await asyncio.sleep(0)
    peer.send(b"ueid: 1\r\n\r\n" + message(Event="RTCPSent", Uniqueid="2"))
    for number in range(3, 2000):
        peer.send(message(Event="RTCPSent", Uniqueid=str(number)))
    peer.send(message(Event="AgentConnect", Uniqueid="3", Caller="Nguyễn"))
    await listener.until(lambda: len(listener.events) == 2)
    assert [event["Uniqueid"] for event in listener.events] == ["1", "3"]
    assert listener.events[1]["Caller"] == "Nguyễn"


async def test_a_list_is_answered_with_its_rows_whatever_comes_between(
    ami: AmiClient, peer: AmiPeer, listener: Listener
) -> None:
    def answer(action: Headers) -> bytes:
        same = {"ActionID": action["ActionID"]}
        return (
            message(Response="Success", EventList="start", **same)
            + message(Event="QueueMember", Name="agent-1", **same)
            + message(Event="AgentConnect", Uniqueid="7")
            + message(Event="QueueMember", Name="agent-2", **same)
            + message(Event="QueueStatusComplete", EventList="Complete", **same)
        )

    peer.answers["QueueStatus"] = answer
    rows = await ami.action("QueueStatus", Queue="9090")
    assert [row["Name"] for row in rows if row["Event"] == "QueueMember"] == ["agent-1", "agent-2"]
    assert [event["Uniqueid"] for event in listener.events] == ["7"]


async def test_answers_find_who_asked(ami: AmiClient, peer: AmiPeer) -> None:
    held: list[bytes] = []

    def hold(action: Headers) -> bytes | None:
        held.append(
            message(Response="Error", ActionID=action["ActionID"], Message=action["Interface"])
        )
        return b"".join(reversed(held)) if len(held) == 2 else None

    peer.answers["QueueAdd"] = hold
    asked = (ami.action("QueueAdd", Interface=phone) for phone in ("PJSIP/a", "PJSIP/b"))
    first, second = await asyncio.gather(*asked, return_exceptions=True)
    assert "PJSIP/a" in str(first)
    assert "PJSIP/b" in str(second)
    assert isinstance(first, AmiError)


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\nb", "a\rb", "a\0b"])
async def test_a_value_brings_no_header_of_its_own(
    ami: AmiClient, peer: AmiPeer, value: str
) -> None:
    before = len(peer.actions)
    with pytest.raises(ValueError, match="MemberName"):
        await ami.action("QueueAdd", MemberName=value)
    assert "Originate" not in peer.names()
    assert set(peer.names()[before:]) <= {"Ping"}


async def test_no_answer_ends_the_link_and_another_is_made(
    ami: AmiClient, peer: AmiPeer, listener: Listener
) -> None:
    peer.answers["QueueSummary"] = lambda _: None
    with pytest.raises(AmiUnavailable, match="no answer"):
        await ami.action("QueueSummary", Queue="9090")
    await listener.until(lambda: listener.log == ["connected", "disconnected", "connected"])


async def test_a_silent_peer_is_noticed_by_a_ping(
    ami: AmiClient, peer: AmiPeer, listener: Listener
) -> None:
    peer.answers["Ping"] = lambda _: None
    await listener.until(lambda: listener.log.count("connected") >= 2)


@pytest.mark.parametrize(
    "flood",
    [b"x" * (LONGEST_LINE + 1), b"a: b\r\n" * (MOST_LINES + 2)],
    ids=["a line without end", "a message without end"],
)
async def test_a_flood_ends_the_link(
    ami: AmiClient, peer: AmiPeer, listener: Listener, flood: bytes
) -> None:
    peer.send(flood)
    await listener.until(lambda: listener.log.count("connected") >= 2)


@pytest.mark.parametrize(
    "odd",
    [
        b"\r\n\r\n",
        b"no colon at all\r\n\r\n",
        b"\xff\xfe: \xff\r\n\r\n",
        message(Event="Hangup", ChanVariable="a=b"),
        message(Event="NewCallerid", CallerIDName="status will follow"),
        message(Response="Success", ActionID="of nobody"),
    ],
)
async def test_odd_messages_harm_nobody(
    ami: AmiClient, peer: AmiPeer, listener: Listener, odd: bytes
) -> None:
    peer.send(odd + message(Event="AgentConnect", Uniqueid="8"))
    await listener.until(lambda: listener.events)
    await ami.action("QueueSummary", Queue="9090")
    assert listener.log == ["connected"]


async def test_cut_off_it_connects_again(ami: AmiClient, peer: AmiPeer, listener: Listener) -> None:
    peer.cut()
    await listener.until(lambda: listener.log == ["connected", "disconnected", "connected"])
    assert ami.trouble is None


async def test_not_let_in_it_says_so(peer: AmiPeer, listener: Listener) -> None:
    def refuse(action: Headers) -> bytes:
        failed = "Authentication failed"
        return message(Response="Error", ActionID=action["ActionID"], Message=failed)

    peer.answers["Login"] = refuse
    client = AmiClient(
        ("127.0.0.1", peer.port), "tstn", "secret", WANTED, retry_seconds=(0.01, 0.02)
    )
    run = asyncio.create_task(client.run(listener))
    await listener.until(lambda: peer.names().count("Login") >= 2)
    await listener.until(lambda: "Authentication failed" in (client.trouble or ""))
    assert "secret" not in (client.trouble or "")
    with pytest.raises(AmiUnavailable):
        await client.action("QueueSummary", Queue="9090")
    run.cancel()
    with suppress(asyncio.CancelledError):
        await run
    assert listener.log == []


async def test_what_is_no_ami_is_left_again(listener: Listener) -> None:
    async with ami_peer() as peer:
        peer.greeting = b"SSH-2.0-OpenSSH\r\n"
        client = AmiClient(
            ("127.0.0.1", peer.port), "tstn", "secret", WANTED, retry_seconds=(0.01, 0.02)
        )
        run = asyncio.create_task(client.run(listener))
        await listener.until(lambda: "not an AMI greeting" in (client.trouble or ""))
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run
    assert peer.actions == []
