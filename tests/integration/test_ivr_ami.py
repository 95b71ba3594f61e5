"""The AMI connection against a scripted Asterisk: its faults, its silence, its floods. I/O."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ivr.ami.connection import AmiConnection
from ivr.ami.errors import AmiError, AmiNotSent, AmiUnavailable
from ivr.ami.message import Message
from tests.fakes.ami_server import FakeAmi, block


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.fails = 0
        self._changed = asyncio.Condition()

    async def connected(self) -> None:
        self.note("connected")
        if self.fails:
            self.fails -= 1
            raise AmiError("not yet")

    def receive(self, event: Message) -> None:
        self.note(event.get("Name") or event.event)
        if event.event == "Poison":
            raise RuntimeError("a listener's fault")

    def disconnected(self) -> None:
        self.note("disconnected")

    def note(self, what: str) -> None:
        self.told.append(what)
        asyncio.get_running_loop().create_task(self._notify())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, what: str, times: int = 1) -> None:
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: self.told.count(what) >= times)


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as fake:
        yield fake


@pytest.fixture
def listener() -> Listener:
    return Listener()


@asynccontextmanager
async def connected(
    asterisk: FakeAmi, listener: Listener, *, timeout: float = 5.0, heartbeat: float = 60.0
) -> AsyncIterator[AmiConnection]:
    ami = AmiConnection(
        "127.0.0.1",
        asterisk.port,
        "tstn",
        "secret",
        timeout_seconds=timeout,
        heartbeat_seconds=heartbeat,
        retry_seconds=(0.01, 0.05),
    )
    run = asyncio.create_task(ami.run(listener))
    try:
        yield ami
    finally:
        run.cancel()
        await asyncio.wait({run})


async def test_it_logs_in_and_asks(asterisk: FakeAmi, listener: Listener) -> None:
    async with connected(asterisk, listener) as ami:
        with pytest.raises(AmiNotSent, match="no AMI link"):
            await ami.action("Ping")
        await listener.until("connected")
        assert asterisk.asked("Login")[0]["Secret"] == ["secret"]
        answer = await ami.action("Hangup", Channel="c1", Cause=16)
        assert (answer.ok, answer.message) == (True, "Done")
        assert asterisk.asked("Hangup")[0]["Cause"] == ["16"]
        assert ami.trouble is None


async def test_answers_find_their_actions_whatever_comes_between(
    asterisk: FakeAmi, listener: Listener
) -> None:
    waiting: list[str] = []

    def hold(action: dict[str, list[str]]) -> list[bytes]:
        waiting.extend(action["ActionID"])
        if len(waiting) < 2:
            return []
        return [
            block(Event="Between", Name="one"),
            block(Response="Success", ActionID=waiting[1], Message="second"),
            block(Event="Between", Name="two"),
            block(Response="Error", ActionID=waiting[0], Message="first"),
        ]

    asterisk.answers["Hangup"] = hold
    async with connected(asterisk, listener) as ami:
        await listener.until("connected")
        first, second = await asyncio.gather(ami.action("Hangup"), ami.action("Hangup"))
    assert (first.ok, first.message, second.ok, second.message) == (False, "first", True, "second")
    assert [told for told in listener.told if told in {"one", "two"}] == ["one", "two"]


async def test_a_list_is_whole_and_events_of_others_are_not_in_it(
    asterisk: FakeAmi, listener: Listener
) -> None:
    asterisk.channels = {f"c{number}": {"Context": "x"} for number in range(2000)}
    async with connected(asterisk, listener) as ami:
        await listener.until("connected")
        asterisk.event("Elsewhere")
        answer = await ami.action("CoreShowChannels")
        assert [row.get("Uniqueid") for row in answer.rows] == list(asterisk.channels)
        assert "CoreShowChannel" not in listener.told
        await listener.until("Elsewhere")


async def test_half_a_block_waits_for_its_other_half(asterisk: FakeAmi, listener: Listener) -> None:
    async with connected(asterisk, listener):
        await listener.until("connected")
        asterisk.send(b"Event: Half\r\nName: ha")
        asterisk.send(b"lf\r\n\r")
        asterisk.send(b"\nEvent: Whole\r\n\r\n")
        await listener.until("Whole")
    assert listener.told.index("half") < listener.told.index("Whole")


async def test_a_flood_keeps_its_order(asterisk: FakeAmi, listener: Listener) -> None:
    async with connected(asterisk, listener):
        await listener.until("connected")
        for number in range(5000):
            asterisk.event("Flood", Name=str(number))
        await listener.until("4999")
    numbers = [told for told in listener.told if told.isdigit()]
    assert numbers == [str(number) for number in range(5000)]


async def test_a_listeners_fault_ends_nothing(
    asterisk: FakeAmi, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(asterisk, listener):
        await listener.until("connected")
        asterisk.event("Poison")
        asterisk.event("After")
        await listener.until("After")
    assert "fault at the AMI event Poison" in caplog.text


async def test_it_comes_back_after_every_end(asterisk: FakeAmi, listener: Listener) -> None:
    async with connected(asterisk, listener) as ami:
        await listener.until("connected")
        asterisk.hang_link_up()
        await listener.until("connected", 2)
        await asterisk.stop()
        await listener.until("disconnected", 2)
        assert ami.trouble
        await asterisk.start()
        await listener.until("connected", 3)
    assert listener.told.count("disconnected") == listener.told.count("connected") == 3


async def test_who_waits_when_the_link_ends_is_told(asterisk: FakeAmi, listener: Listener) -> None:
    asterisk.answers["Originate"] = lambda _: []
    async with connected(asterisk, listener) as ami:
        await listener.until("connected")
        asking = asyncio.create_task(ami.action("Originate"))
        await asterisk.until(lambda: bool(asterisk.asked("Originate")))
        asterisk.hang_link_up()
        with pytest.raises(AmiUnavailable) as raised:
            await asking
    assert not isinstance(raised.value, AmiNotSent), "it may have been done"


async def test_no_answer_in_time_is_an_error(asterisk: FakeAmi, listener: Listener) -> None:
    asterisk.answers["Originate"] = lambda _: []
    async with connected(asterisk, listener, timeout=0.05) as ami:
        await listener.until("connected")
        with pytest.raises(AmiUnavailable, match=r"did not answer Originate in 0\.05 s"):
            await ami.action("Originate")
        assert (await ami.action("Hangup")).ok, "the link lives on"


async def test_a_peer_that_answers_no_ping_is_left(asterisk: FakeAmi, listener: Listener) -> None:
    asterisk.answers["Ping"] = lambda _: []
    async with connected(asterisk, listener, timeout=0.05, heartbeat=0.01):
        await listener.until("connected", 2)
    assert asterisk.links >= 2


async def test_a_listener_that_cannot_set_up_gets_another_link(
    asterisk: FakeAmi, listener: Listener
) -> None:
    listener.fails = 1
    async with connected(asterisk, listener):
        await listener.until("connected", 2)
    assert listener.told.count("disconnected") == 2


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH\r\n", b"\r\n"])
async def test_a_stranger_is_no_asterisk(
    asterisk: FakeAmi, listener: Listener, greeting: bytes
) -> None:
    asterisk.greeting = greeting
    async with connected(asterisk, listener) as ami:
        async with asyncio.timeout(10):
            while asterisk.links < 2:
                await asyncio.sleep(0)
        assert "is no Asterisk manager" in str(ami.trouble)
    assert "connected" not in listener.told


async def test_a_wrong_secret_is_said_once_and_never_logged(
    asterisk: FakeAmi, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    asterisk.answers["Login"] = lambda action: [
        block(Response="Error", ActionID=action["ActionID"][0], Message="Authentication failed")
    ]
    async with connected(asterisk, listener) as ami:
        await asterisk.until(lambda: len(asterisk.asked("Login")) >= 3)
        assert "does not let us in (Authentication failed)" in str(ami.trouble)
    assert caplog.text.count("does not let us in") == 1
    assert "secret\n" not in caplog.text


async def test_nothing_is_asked_before_it_has_booted(asterisk: FakeAmi, listener: Listener) -> None:
    asterisk.answers["Login"] = lambda action: [
        block(Response="Success", ActionID=action["ActionID"][0])
    ]
    async with connected(asterisk, listener):
        await asterisk.until(lambda: bool(asterisk.asked("Login")))
        asterisk.event("Early")
        await listener.until("Early")
        assert "connected" not in listener.told
        asterisk.event("FullyBooted")
        await listener.until("connected")


async def test_nothing_can_be_injected(asterisk: FakeAmi, listener: Listener) -> None:
    async with connected(asterisk, listener) as ami:
        await listener.until("connected")
        with pytest.raises(ValueError, match="breaks its line"):
            await ami.action("Hangup", Channel="c1\r\n\r\nAction: Command")
        await ami.action("Ping")
    assert asterisk.asked("Hangup") == asterisk.asked("Command") == []
