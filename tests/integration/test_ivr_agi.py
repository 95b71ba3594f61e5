"""The node by AGI, from bytes to rows: what a real Asterisk seldom shows. I/O."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from domain.clock import utc_now
from domain.errors import ConfigError
from domain.msisdn import national
from ivr.agi import client as agi_client
from ivr.agi.client import AgiClient
from ivr.agi.lanes import Lanes
from ivr.agi.stream import AgiStream
from ivr.ami.connection import AmiConnection
from ivr.node import AsteriskNode, NodeSetting
from lab.ports import free_ports
from store.claims import Claimed
from store.engine import Store
from store.journal import Journal
from store.models import Attempt, KeyPress, Registration
from tests.fakes.ami_server import Action, AgiChannel, FakeAmi, block
from tests.journals import running
from tests.rows import all_rows, claim_some, make_campaign, numbers

SETTING = NodeSetting("node1", "9090", national, max_call_seconds=180, silence_seconds=30)
NOTICE, OFFER, THANKS = (f'STREAM FILE "{name}"' for name in ("notice", "offer", "after_1"))


@dataclass
class Rig:
    """A node that is ready, its Asterisk, its FastAGI port and a claimed attempt."""

    node: AsteriskNode
    asterisk: FakeAmi
    lanes: Lanes
    store: Store
    journal: Journal
    port: int
    attempt: Claimed
    channels: list[AgiChannel] = field(default_factory=list)

    @property
    def call(self) -> str:
        return str(self.attempt.attempt_id)

    async def talking(self) -> AgiChannel:
        """The call is dialled and answered, and has come to us."""
        assert await self.node.originate(self.attempt)
        return await self.comes()

    async def comes(self, *args: str, channel_id: str = "") -> AgiChannel:
        self.channels.append(await AgiChannel.call(self.port, channel_id or self.call, *args))
        return self.channels[-1]

    def presses(self, key: str) -> None:
        """A key as AMI tells it."""
        self.asterisk.event(
            "DTMFEnd", Uniqueid=self.call, Digit=key, DurationMs=100, Direction="Received"
        )

    async def hangs_up(self, cause: int = 16, **headers: object) -> None:
        self.asterisk.channels.pop(self.call, None)
        self.asterisk.event("Hangup", Uniqueid=self.call, Cause=cause, Cause_txt="x", **headers)
        await self.until(lambda: self.call not in self.node.calls)
        await self.journal.flush()

    def has_session(self) -> bool:
        lane = self.lanes.get(self.call)
        return lane is not None and lane.has_session

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.005)

    async def ended(self) -> dict[str, Any]:
        [row] = await all_rows(self.store, Attempt)
        return row

    async def count(self, row: type) -> int:
        await self.journal.flush()
        return len(await all_rows(self.store, row))


def sounds(_: str, names: Sequence[str]) -> Sequence[str]:
    """The prompts by their names, as sounds."""
    return [f"sound:{name}" for name in names]


@pytest.fixture
async def rig(store: Store, tmp_path: Path) -> AsyncIterator[Rig]:
    port = free_ports(1)[0]
    async with FakeAmi() as asterisk, running(store, tmp_path / "spool.sqlite") as journal:
        lanes = Lanes(utc_now)
        await lanes.listen("127.0.0.1", port)
        ami = AmiConnection(
            "127.0.0.1", asterisk.port, "tstn", "secret", retry_seconds=(0.01, 0.05)
        )
        client = AgiClient(ami, lanes)
        stream = AgiStream(ami, client, lanes, utc_now)
        node = AsteriskNode(SETTING, client, stream, store, journal, sounds, utc_now)
        async with ready(node):
            campaign = await make_campaign(store, numbers(1))
            [attempt] = await claim_some(store, campaign, now=utc_now())
            rig = Rig(node, asterisk, lanes, store, journal, port, attempt)
            yield rig
            for channel in rig.channels:
                channel.close()
        await lanes.close()


@asynccontextmanager
async def ready(node: AsteriskNode) -> AsyncIterator[None]:
    run = asyncio.create_task(node.run())
    async with asyncio.timeout(10):
        while not node.ready:
            await asyncio.sleep(0.01)
    yield
    assert not run.done()
    run.cancel()
    await asyncio.wait({run})


# -- the dial


async def test_the_originate_names_the_channel_and_nothing_else_gets_in(rig: Rig) -> None:
    assert await rig.node.originate(rig.attempt)
    [asked] = rig.asterisk.asked("Originate")
    assert asked["ChannelId"] == asked["ActionID"] == [rig.call]
    assert asked["Channel"] == [f"PJSIP/{national(rig.attempt.msisdn)}@{rig.attempt.trunk}"]
    assert (asked["Context"], asked["Exten"], asked["Priority"]) == (["tstn-agi"], ["call"], ["1"])
    assert asked["Timeout"] == [str(rig.attempt.ring_timeout_seconds * 1000)]
    assert asked["Async"] == ["true"]
    assert "FORWARD_CONTEXT=no-redirect" in asked["Variable"]
    assert asked["Variable"][0].startswith("TIMEOUT(absolute)=")


async def test_a_refused_originate_was_not_dialled(rig: Rig) -> None:
    rig.asterisk.answers["Originate"] = lambda action: [
        block(Response="Error", ActionID=action["ActionID"][0], Message="Permission denied")
    ]
    assert not await rig.node.originate(rig.attempt)
    await rig.journal.flush()
    assert (await rig.ended())["disposition"] == "not_dialled"


def queued(action: Action) -> bytes:
    """Asterisk will try."""
    return block(Response="Success", ActionID=action["ActionID"][0], Message="successfully queued")


def cannot(action: Action) -> bytes:
    """Asterisk could not."""
    headers = {"Response": "Failure", "Reason": 0, "Uniqueid": "<null>"}
    return block(Event="OriginateResponse", ActionID=action["ActionID"][0], **headers)


def begins(action: Action) -> bytes:
    """The channel is told of."""
    return block(Event="Newchannel", Uniqueid=action["ChannelId"][0])


async def test_a_channel_that_cannot_be_made_was_not_dialled(rig: Rig) -> None:
    """A trunk that is away: Asterisk says that it will try, and then that it could not."""

    def answer(action: Action) -> list[bytes]:
        if action["ChannelId"] == [rig.call]:
            return [queued(action), cannot(action)]
        return [queued(action), begins(action), cannot(action)]  # of the mark, which leads nowhere

    rig.asterisk.answers["Originate"] = answer
    assert not await rig.node.originate(rig.attempt)
    await rig.journal.flush()
    assert (await rig.ended())["disposition"] == "not_dialled"


async def test_a_call_that_failed_before_its_channel_was_told_of_was_dialled(rig: Rig) -> None:
    """The word on an originate overtakes what channels do, by a moment: it must not count alone."""
    calls: list[Action] = []

    def answer(action: Action) -> list[bytes]:
        calls.append(action)
        if action["ChannelId"] == [rig.call]:
            return [queued(action), cannot(action)]
        return [queued(action), cannot(action), begins(calls[0]), begins(action)]

    rig.asterisk.answers["Originate"] = answer
    assert await rig.node.originate(rig.attempt)
    await rig.hangs_up(17, TechCause=486)
    assert (await rig.ended())["disposition"] == "busy"


async def test_where_channels_are_told_of_no_more_a_failure_is_unknown(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agi_client, "_MADE_SECONDS", 0.05)
    monkeypatch.setattr("ivr.node._LOST_SECONDS", 0.01)
    rig.asterisk.answers["Originate"] = lambda action: [queued(action), cannot(action)]
    assert await rig.node.originate(rig.attempt)
    await rig.until(lambda: rig.call not in rig.node.calls)
    await rig.journal.flush()
    assert (await rig.ended())["disposition"] == "unknown"


async def test_no_word_of_a_channel_is_unknown_not_failed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agi_client, "_MADE_SECONDS", 0.01)
    monkeypatch.setattr("ivr.node._LOST_SECONDS", 0.01)
    rig.asterisk.answers["Originate"] = lambda action: [
        block(Response="Success", ActionID=action["ActionID"][0])
    ]
    assert await rig.node.originate(rig.attempt)
    await rig.until(lambda: rig.call not in rig.node.calls)
    await rig.journal.flush()
    assert (await rig.ended())["disposition"] == "unknown"
    assert len(rig.asterisk.asked("Originate")) == 1


async def test_without_a_link_nothing_is_dialled(rig: Rig) -> None:
    await rig.asterisk.stop()
    await rig.until(lambda: not rig.node.ready)
    assert not await rig.node.originate(rig.attempt)
    await rig.journal.flush()
    assert (await rig.ended())["disposition"] == "not_dialled"
    await rig.asterisk.start()


async def test_busy_is_busy_with_both_causes(rig: Rig) -> None:
    assert await rig.node.originate(rig.attempt)
    await rig.hangs_up(17, TechCause=486)
    row = await rig.ended()
    assert (row["disposition"], row["hangup_cause"], row["tech_cause"]) == ("busy", 17, 486)


# -- the call


async def next_sound(channel: AgiChannel) -> str:
    """The next sound that is to be played; interruptions on the way are answered."""
    while (command := await channel.command()) == "NOOP":
        channel.answer("200 result=0")
    return command


async def test_key_1_is_kept_then_thanked_then_hung_up(rig: Rig) -> None:
    channel = await rig.talking()
    assert await next_sound(channel) == f'{NOTICE} "0123456789*#"'
    channel.played()
    assert (await next_sound(channel)).startswith(OFFER)
    rig.presses("1")
    channel.played("1")
    assert await next_sound(channel) == f'{THANKS} ""', "no key cuts the thank-you"
    assert await rig.count(Registration) == await rig.count(KeyPress) == 1
    channel.played()
    await rig.asterisk.until(lambda: bool(rig.asterisk.asked("Hangup")))
    assert rig.asterisk.asked("Hangup")[0]["Channel"] == [rig.call]
    await rig.hangs_up()
    assert (await rig.ended())["disposition"] == "answered"


async def test_a_key_that_only_ami_tells_interrupts_the_sound(rig: Rig) -> None:
    channel = await rig.talking()
    assert (await next_sound(channel)).startswith(NOTICE)
    rig.presses("1")
    assert await channel.command() == "NOOP"
    channel.answer("200 result=0")  # Asterisk gives no answer for the sound then
    assert (await next_sound(channel)).startswith(THANKS)
    assert await rig.count(Registration) == 1


async def test_an_interruption_that_comes_too_late_harms_nothing(rig: Rig) -> None:
    channel = await rig.talking()
    assert (await next_sound(channel)).startswith(NOTICE)
    rig.presses("1")
    assert await channel.command() == "NOOP"
    channel.played("1")
    channel.answer("200 result=0")  # NOOP's own, for which the thank-you waits
    assert (await channel.command()).startswith(THANKS)
    assert not rig.asterisk.asked("Hangup")
    channel.played()
    await rig.asterisk.until(lambda: bool(rig.asterisk.asked("Hangup")))
    assert await rig.count(KeyPress) == 1


async def test_an_interruption_that_wakes_nobody_is_sent_again(rig: Rig) -> None:
    """Asterisk has read it in one go with the sound: it lies in its buffer till another comes."""
    channel = await rig.talking()
    assert (await next_sound(channel)).startswith(NOTICE)
    rig.presses("1")
    assert await channel.command() == await channel.command() == "NOOP"
    channel.answer("200 result=0")
    channel.answer("200 result=0")
    assert (await channel.command()).startswith(THANKS)
    assert await rig.count(Registration) == 1


async def test_key_1_counts_while_amis_link_is_away(rig: Rig) -> None:
    channel = await rig.talking()
    assert (await next_sound(channel)).startswith(NOTICE)
    await rig.asterisk.stop()
    await rig.until(lambda: not rig.node.ready)
    channel.played("1")
    assert (await next_sound(channel)).startswith(THANKS)
    assert await rig.count(Registration) == 1
    await rig.asterisk.start()
    await rig.until(lambda: rig.node.ready)
    await rig.hangs_up()
    assert (await rig.ended())["disposition"] == "answered"
    assert await rig.count(KeyPress) == 1


async def test_a_hang_up_in_a_sound_ends_the_session_and_the_call(rig: Rig) -> None:
    channel = await rig.talking()
    assert (await next_sound(channel)).startswith(NOTICE)
    channel.answer("HANGUP")
    assert await channel.command() == "", "our side closes at once, or Asterisk keeps the channel"
    await rig.hangs_up()
    row = await rig.ended()
    assert (row["disposition"], row["hangup_cause"]) == ("answered", 16)
    assert rig.lanes.get(rig.call) is None


async def test_a_dead_channels_answer_ends_the_sound(rig: Rig) -> None:
    channel = await rig.talking()
    assert (await next_sound(channel)).startswith(NOTICE)
    channel.answer("511 Command Not Permitted on a dead channel or intercept routine")
    await rig.hangs_up()
    assert (await rig.ended())["disposition"] == "answered"


async def test_key_3_goes_to_the_agents_and_back(rig: Rig) -> None:
    channel = await rig.talking()
    assert (await next_sound(channel)).startswith(NOTICE)
    rig.presses("3")
    await rig.asterisk.until(lambda: bool(rig.asterisk.asked("Redirect")))
    [sent] = rig.asterisk.asked("Redirect")
    assert [sent[key] for key in ("Channel", "Context", "Exten", "Priority")] == [
        [rig.call],
        ["agents-9090"],
        ["9090"],
        ["start"],
    ]
    channel.close()
    back = await rig.comes("no-agent")
    assert (await next_sound(back)) == 'STREAM FILE "no_agent" "1"'
    await rig.hangs_up()


async def test_a_dialplan_without_agents_is_an_apology(rig: Rig) -> None:
    rig.asterisk.answers["Redirect"] = lambda action: [
        block(Response="Error", ActionID=action["ActionID"][0], Message="Invalid context")
    ]
    channel = await rig.talking()
    assert (await next_sound(channel)).startswith(NOTICE)
    rig.presses("3")
    assert (await next_sound(channel)).startswith('STREAM FILE "no_agent"')
    await rig.hangs_up()


async def test_a_session_that_breaks_is_called_in_again(rig: Rig) -> None:
    channel = await rig.talking()
    assert (await next_sound(channel)).startswith(NOTICE)
    channel.close()
    await rig.until(lambda: not rig.has_session())
    rig.presses("2")
    await rig.asterisk.until(lambda: bool(rig.asterisk.asked("Redirect")))
    assert rig.asterisk.asked("Redirect")[0]["Context"] == ["tstn-agi"]
    again = await rig.comes()
    assert (await next_sound(again)).startswith(NOTICE)
    await rig.hangs_up()


async def test_a_channel_that_comes_anew_has_left_its_session(rig: Rig) -> None:
    channel = await rig.talking()
    assert (await next_sound(channel)).startswith(NOTICE)
    again = await rig.comes()
    assert await channel.command() == "", "our side has closed the old one"
    rig.presses("2")
    assert (await next_sound(again)).startswith(NOTICE)
    await rig.hangs_up()


# -- strangers


async def test_a_call_that_nobody_waits_for_is_hung_up(rig: Rig) -> None:
    lost = "0192f0c1-0000-7000-8000-000000000001"
    await rig.comes(channel_id=lost)
    await rig.asterisk.until(lambda: bool(rig.asterisk.asked("Hangup")))
    assert rig.asterisk.asked("Hangup")[0]["Channel"] == [lost]
    assert await rig.count(Registration) == 0


async def test_who_is_no_asterisk_is_sent_away(rig: Rig) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    writer.write_eof()
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()
    assert rig.node.ready


async def test_a_second_server_finds_the_port_taken(rig: Rig) -> None:
    with pytest.raises(ConfigError, match=f"port {rig.port} for FastAGI"):
        await Lanes(utc_now).listen("127.0.0.1", rig.port)
