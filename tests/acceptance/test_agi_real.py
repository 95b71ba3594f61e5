"""ivr.agi and ivr.ami against a real Asterisk: its words, its races, its rights. I/O.

The scripted Asterisk of the integration tests is only as true as what is shown here.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import groupby
from uuid import uuid4

import pytest

from domain.clock import utc_now
from ivr.agi.client import AgiClient
from ivr.agi.lanes import Lanes
from ivr.agi.stream import AgiStream
from ivr.ami.connection import AmiConnection
from ivr.ami.errors import AmiError
from ivr.call_events import (
    ChannelDestroyed,
    ChannelEntered,
    ChannelRinging,
    ChannelUp,
    KeyReceived,
    PlaybackFinished,
    PlaybackStarted,
)
from ivr.origination import Endpoint, Originated, Origination
from lab.behaviours import FAST
from lab.network import Network
from tests.acceptance.channel_events import VARIABLES, ChannelEvents, subscriber, write_silence

SHORT, LONG, MISSING = "sound:tstn/short", "sound:tstn/long", "sound:tstn/no-such-file"
ALL_KEYS = "0123456789*#"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    directory = tmp_path_factory.mktemp("agi")
    write_silence(directory / "prompts" / "short.wav", seconds=0.3)
    write_silence(directory / "prompts" / "long.wav", seconds=30)
    sections = {"ivr": {"driver": "agi"}}
    with Network(
        directory, timing=FAST, prompts=directory / "prompts", sections=sections
    ) as running:
        yield running


class Calls(ChannelEvents):
    """Listens to AMI and FastAGI."""

    def __init__(self, ami: AmiConnection, agi: AgiClient) -> None:
        super().__init__()
        self.ami = ami
        self.agi = agi

    async def reconcile(self) -> None:
        self.log.put_nowait(f"reconciled {len(await self.agi.channels())}")

    async def originate(
        self, channel_id: str, endpoint: Endpoint, absolute_seconds: int = 60
    ) -> Originated:
        return await self.agi.originate(
            channel_id,
            endpoint,
            caller_id="9090",
            timeout_seconds=20,
            variables={**VARIABLES, "TIMEOUT(absolute)": str(absolute_seconds)},
        )

    async def dialled(self, behaviour: str, **changed: int) -> str:
        channel_id = str(uuid4())
        originated = await self.originate(channel_id, subscriber(behaviour), **changed)
        assert originated == Originated(Origination.ACCEPTED, None, "")
        return channel_id

    async def answered(self, behaviour: str, **changed: int) -> str:
        channel_id = await self.dialled(behaviour, **changed)
        await self.wait(channel_id, ChannelEntered)
        return channel_id


@asynccontextmanager
async def listening(network: Network) -> AsyncIterator[Calls]:
    ours = network.settings.asterisk
    ami = AmiConnection(
        ours.ami_host,
        ours.ami_port,
        ours.ami_user,
        ours.ami_secret,
        retry_seconds=(0.05, 0.2),
        heartbeat_seconds=1.0,
        timeout_seconds=2.0,
    )
    lanes = Lanes(utc_now)
    agi = AgiClient(ami, lanes)
    calls = Calls(ami, agi)
    stream = AgiStream(ami, agi, lanes, utc_now)
    await lanes.listen(network.settings.ivr.agi_host, network.settings.ivr.agi_port)
    task = asyncio.create_task(stream.run(calls))
    assert (await calls.next()).startswith("reconciled")
    try:
        yield calls
    finally:
        task.cancel()
        await asyncio.wait({task})
        await lanes.close()


@pytest.fixture
async def calls(network: Network) -> AsyncIterator[Calls]:
    async with listening(network) as calls:
        yield calls


async def test_a_call_in_the_order_of_its_events(calls: Calls) -> None:
    call = await calls.answered("press-1")
    assert await calls.agi.play(call, f"{call}-1", [SHORT, LONG], ALL_KEYS)
    assert (await calls.wait(call, KeyReceived)).digit == "1"
    await calls.wait(call, PlaybackFinished)
    assert not await calls.agi.stop_playback(f"{call}-1"), "the key has ended it"
    assert await calls.agi.hang_up(call)
    assert (await calls.wait(call, ChannelDestroyed)).cause == 16
    events = calls.of(call)
    # AMI and AGI are two sockets: there is an order on each, and none between them.
    by_ami = (ChannelRinging, ChannelUp, ChannelDestroyed)
    by_agi = (ChannelEntered, PlaybackStarted, PlaybackFinished)
    assert tuple(type(event) for event in events if isinstance(event, by_ami)) == by_ami
    of_agi = [type(event) for event in events if isinstance(event, by_agi)]
    assert tuple(kind for kind, _ in groupby(of_agi)) == by_agi
    [entered] = [event for event in events if isinstance(event, ChannelEntered)]
    assert entered.args == (call,)
    assert all(abs((event.at - utc_now()).total_seconds()) < 60 for event in events)


async def test_a_sound_is_interrupted_and_the_next_one_plays(calls: Calls) -> None:
    call = await calls.answered("silent")
    assert await calls.agi.play(call, f"{call}-1", [LONG, LONG], "")
    await calls.wait(call, PlaybackStarted)
    assert await calls.agi.stop_playback(f"{call}-1")
    assert (await calls.wait(call, PlaybackFinished)).state == "done"
    for number in range(2, 12):  # one that is interrupted before it is heard is as good
        assert await calls.agi.play(call, f"{call}-{number}", [LONG], "")
        assert await calls.agi.stop_playback(f"{call}-{number}")
    assert await calls.agi.play(call, f"{call}-last", [SHORT], "")
    last = await calls.wait(call, PlaybackFinished, count=12)
    assert (last.playback_id, last.state) == (f"{call}-last", "done")
    assert await calls.agi.hang_up(call)
    await calls.wait(call, ChannelDestroyed)


async def test_a_key_that_ends_nothing_is_told(calls: Calls) -> None:
    call = await calls.answered("press-1")
    assert await calls.agi.play(call, f"{call}-1", [LONG], "")
    assert (await calls.wait(call, KeyReceived)).digit == "1"
    assert await calls.agi.stop_playback(f"{call}-1"), "it plays on"
    await calls.wait(call, PlaybackFinished)
    assert await calls.agi.hang_up(call)


@pytest.mark.parametrize(
    ("behaviour", "causes"),
    [("busy", (17, 486)), ("invalid", (1, 404)), ("rejected", (21, 603))],
)
async def test_an_end_without_answer(calls: Calls, behaviour: str, causes: tuple[int, int]) -> None:
    call = await calls.dialled(behaviour)
    end = await calls.wait(call, ChannelDestroyed)
    assert (end.cause, end.tech_cause) == causes


async def test_a_trunk_that_is_not_there_takes_no_call(calls: Calls) -> None:
    refused = await calls.originate(str(uuid4()), Endpoint("0901234567", "nowhere"))
    assert refused.outcome is Origination.REFUSED


async def test_however_quickly_a_call_fails_it_was_dialled(calls: Calls) -> None:
    """Thirty at once: of three hundred, Asterisk fails one or more before it tells of them."""
    for _ in range(20):
        asked = (calls.originate(str(uuid4()), subscriber("busy")) for _ in range(30))
        outcomes = [dialled.outcome for dialled in await asyncio.gather(*asked)]
        assert outcomes == [Origination.ACCEPTED] * 30


async def test_asterisk_ends_a_call_that_we_forget(calls: Calls) -> None:
    call = await calls.answered("silent", absolute_seconds=2)
    assert await calls.agi.play(call, f"{call}-1", [LONG], "")
    await calls.wait(call, ChannelDestroyed)


async def test_a_channel_that_is_gone(calls: Calls) -> None:
    assert await calls.agi.channel("gone") is None
    assert not await calls.agi.play("gone", "p", [SHORT], "")
    assert not await calls.agi.stop_playback("p")
    assert not await calls.agi.hang_up("gone")
    assert not await calls.agi.continue_in_dialplan("gone", "agents-9090", "9090", "start")


async def test_a_missing_sound_ends_at_once(calls: Calls) -> None:
    call = await calls.answered("silent")
    assert await calls.agi.play(call, f"{call}-1", [MISSING], "")
    await calls.wait(call, PlaybackFinished)
    assert await calls.agi.hang_up(call)


async def test_what_is_live_is_listed(calls: Calls) -> None:
    call = await calls.answered("silent")
    channel = await calls.agi.channel(call)
    assert channel is not None
    assert (channel.id, channel.state, channel.held) == (call, "Up", True)
    assert await calls.agi.hang_up(call)
    await calls.wait(call, ChannelDestroyed)
    assert await calls.agi.channel(call) is None


async def test_the_dialplan_takes_a_call_and_gives_it_back(calls: Calls) -> None:
    call = await calls.answered("silent")
    with pytest.raises(AmiError, match="refuses Redirect"):
        await calls.agi.continue_in_dialplan(call, "nowhere", "1", "start")
    assert await calls.agi.continue_in_dialplan(call, "agents-9090", "9090", "start")
    back = await calls.wait(call, ChannelEntered, count=2)
    assert back.args == (call, "no-agent")
    assert await calls.agi.hang_up(call)
    await calls.wait(call, ChannelDestroyed)


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("Command", {"Command": "core show version"}),
        ("UpdateConfig", {"SrcFilename": "manager.conf", "DstFilename": "manager.conf"}),
        ("ModuleLoad", {"Module": "app_system.so", "LoadType": "load"}),
        ("DBGet", {"Family": "a", "Key": "b"}),
        (
            "Originate",
            {"Channel": "PJSIP/0901234567@carrier", "Application": "System", "Data": "true"},
        ),
    ],
)
async def test_our_user_may_do_nothing_else(
    calls: Calls, action: str, headers: dict[str, str]
) -> None:
    answer = await calls.ami.action(action, **headers)
    assert not answer.ok, answer


async def test_an_asterisk_that_hangs_dies_and_returns(network: Network) -> None:
    async with listening(network) as calls:
        network.asterisk.freeze()
        assert await calls.next() == "disconnected"
        network.asterisk.kill()
        with pytest.raises(AmiError):
            await calls.agi.channels()
        await asyncio.to_thread(network.asterisk.start)
        assert await calls.next() == "reconciled 0"
        call = await calls.answered("hang-up-early")
        await calls.wait(call, ChannelDestroyed)
