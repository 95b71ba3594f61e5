"""ivr.ari against a real Asterisk: its words, its races, its death. I/O.

The scripted server of the integration tests is only as true as what is shown here.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import quote
from uuid import uuid4

import orjson
import pytest

from ivr.ari.client import AriClient
from ivr.ari.errors import AriError, AriUnavailable
from ivr.ari.events import ALLOWED_EVENTS, Answered, parse
from ivr.ari.websocket import AriStream
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


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    directory = tmp_path_factory.mktemp("ari")
    write_silence(directory / "prompts" / "short.wav", seconds=0.3)
    write_silence(directory / "prompts" / "long.wav", seconds=30)
    with Network(directory, timing=FAST, prompts=directory / "prompts") as running:
        yield running


class Calls(ChannelEvents):
    """Listens to ARI."""

    def __init__(self, ari: AriClient) -> None:
        super().__init__()
        self.ari = ari

    async def reconcile(self) -> None:
        await self.ari.info()
        self.log.put_nowait(f"reconciled {len(await self.ari.channels())}")

    async def originate(
        self, channel_id: str, endpoint: Endpoint, absolute_seconds: int = 60
    ) -> Originated:
        return await self.ari.originate(
            channel_id,
            endpoint,
            caller_id="9090",
            timeout_seconds=20,
            variables={**VARIABLES, "TIMEOUT(absolute)": str(absolute_seconds)},
        )

    async def dialled(self, behaviour: str, **changed: int) -> str:
        channel_id = str(uuid4())
        originated = await self.originate(channel_id, subscriber(behaviour), **changed)
        assert originated == Originated(Origination.ACCEPTED, 200, "")
        return channel_id

    async def answered(self, behaviour: str, **changed: int) -> str:
        channel_id = await self.dialled(behaviour, **changed)
        await self.wait(channel_id, ChannelEntered)
        return channel_id


def client(network: Network, password: str = "") -> AriClient:
    ours = network.settings.asterisk
    return AriClient(ours.ari_url, ours.ari_user, password or ours.ari_password, ours.app)


@asynccontextmanager
async def listening(network: Network, **options: float) -> AsyncIterator[Calls]:
    async with client(network) as ari:
        calls = Calls(ari)
        stream = AriStream(ari, retry_seconds=(0.05, 0.2), **options)
        task = asyncio.create_task(stream.run(calls))
        assert (await calls.next()).startswith("reconciled")
        try:
            yield calls
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.fixture
async def calls(network: Network) -> AsyncIterator[Calls]:
    async with listening(network) as calls:
        yield calls


async def test_a_call_in_the_order_of_its_events(calls: Calls) -> None:
    call = await calls.answered("press-1")
    assert await calls.ari.play(call, f"{call}-1", [SHORT, LONG])
    assert (await calls.wait(call, KeyReceived)).digit == "1"
    assert await calls.ari.stop_playback(f"{call}-1")
    finished = await calls.wait(call, PlaybackFinished)
    assert (finished.playback_id, finished.failed) == (f"{call}-1", False)
    assert await calls.ari.hang_up(call)
    assert (await calls.wait(call, ChannelDestroyed)).cause == 16
    events = calls.of(call)
    assert [type(event) for event in events] == [
        ChannelRinging,
        ChannelUp,
        ChannelEntered,
        PlaybackStarted,  # the short one
        PlaybackStarted,  # the long one, of the same playback
        KeyReceived,
        PlaybackFinished,
        ChannelDestroyed,
    ]
    assert events == sorted(events, key=lambda event: event.at)
    assert (await calls.wait(call, ChannelEntered)).args == (call,)


async def test_a_refusal_of_the_carrier_carries_both_causes(calls: Calls) -> None:
    call = await calls.dialled("busy")
    destroyed = await calls.wait(call, ChannelDestroyed)
    assert (destroyed.cause, destroyed.tech_cause) == (17, 486)


async def test_variables_take_effect(calls: Calls) -> None:
    call = await calls.answered("silent", absolute_seconds=1)
    assert await calls.ari.play(call, f"{call}-1", [SHORT])
    assert not (await calls.wait(call, PlaybackFinished)).failed  # it lies below vi/ only
    await calls.wait(call, ChannelDestroyed)


async def test_the_same_id_twice_is_one_call(calls: Calls, network: Network) -> None:
    call = await calls.dialled("no-answer")
    endpoint = subscriber("no-answer")
    again = await calls.originate(call, endpoint)
    assert again == Originated(Origination.ACCEPTED, 409, "")
    await calls.wait(call, ChannelRinging)
    live = await calls.ari.channel(call)
    assert live is not None
    assert (live.state, live.running) == ("Ringing", "AppDial2")
    assert call in {channel.id for channel in await calls.ari.channels()}
    application = await calls.ari.application()
    assert application is not None
    assert call in application.channel_ids
    assert not await calls.ari.play(call, "p", [SHORT])  # 409 or 412: it has not been answered
    assert not await calls.ari.continue_in_dialplan(call, "agents-9090", "9090", "start")
    assert await calls.ari.subscribe(call)
    assert await calls.ari.hang_up(call)
    await calls.wait(call, ChannelDestroyed)
    invites = [e for e in network.carrier.invites() if e.number == endpoint.number]
    assert len(invites) == 1


async def test_an_unknown_trunk_is_refused(calls: Calls) -> None:
    refused = await calls.originate(str(uuid4()), Endpoint("0901234567", "no-such-trunk"))
    assert refused == Originated(Origination.REFUSED, 500, "Allocation failed")


@pytest.mark.parametrize("call", ["gone", "odd/1.2?a=b&c#d%2F é", ".."])
async def test_a_channel_that_is_gone(calls: Calls, call: str) -> None:
    assert await calls.ari.channel(call) is None
    assert not await calls.ari.play(call, "p", [SHORT])
    assert not await calls.ari.stop_playback("p")
    assert not await calls.ari.hang_up(call)
    assert not await calls.ari.continue_in_dialplan(call, "agents-9090", "9090", "start")
    assert not await calls.ari.subscribe(call)


async def test_a_missing_sound_is_a_failed_playback(calls: Calls) -> None:
    call = await calls.answered("silent")
    assert await calls.ari.play(call, f"{call}-1", [MISSING])
    assert (await calls.wait(call, PlaybackFinished)).failed
    assert await calls.ari.hang_up(call)


async def test_a_hang_up_fails_the_playback_and_those_that_wait(calls: Calls) -> None:
    call = await calls.answered("silent")
    assert await calls.ari.play(call, f"{call}-1", [LONG])
    assert await calls.ari.play(call, f"{call}-2", [SHORT])
    await calls.wait(call, PlaybackStarted)
    assert await calls.ari.hang_up(call)
    await calls.wait(call, ChannelDestroyed)
    ends = [event for event in calls.of(call) if isinstance(event, PlaybackFinished)]
    assert [end.state for end in ends] == ["failed", "failed"]
    assert not await calls.ari.play(call, f"{call}-3", [SHORT])


async def test_the_dialplan_takes_a_call_and_gives_it_back(calls: Calls) -> None:
    call = await calls.answered("silent")
    with pytest.raises(AriError, match="no label 'start' at 1@nowhere"):
        await calls.ari.continue_in_dialplan(call, "nowhere", "1", "start")
    assert await calls.ari.continue_in_dialplan(call, "agents-9090", "9090", "start")
    back = await calls.wait(call, ChannelEntered, count=2)
    assert back.args == (call, "no-agent")
    assert await calls.ari.hang_up(call)
    await calls.wait(call, ChannelDestroyed)


async def test_only_what_the_filter_allows_is_sent(network: Network) -> None:
    async with client(network) as ari:
        socket = await ari.open_events(10)
        await ari.set_event_filter(ALLOWED_EVENTS)
        await Calls(ari).dialled("hang-up-early")
        kinds: list[str] = []
        async with asyncio.timeout(20):
            while "ChannelDestroyed" not in kinds:
                kinds.append(orjson.loads((await socket.receive()).data)["type"])
        assert set(kinds) == {"ChannelStateChange", "StasisStart", "ChannelDestroyed"}
        await socket.close()


@pytest.mark.parametrize("call", ["gone", "odd/1.2?a=b&c#d%2F é", ".."])
async def test_commands_by_the_websocket_are_answered_there(network: Network, call: str) -> None:
    async with client(network) as ari:
        socket = await ari.open_events(10)
        await ari.set_event_filter(ALLOWED_EVENTS)
        lane = ari.open_lane(socket)

        async def read() -> None:
            async for frame in socket:
                answer = parse(frame.data)
                assert isinstance(answer, Answered), answer
                lane.answered(answer)

        reading = asyncio.create_task(read())
        await lane.ask()
        status, answer = await lane.call("DELETE", f"/channels/{quote(call, safe='')}")
        assert lane.is_open
        assert (status, b"not found" in answer) == (404, True)
        assert not await ari.play(call, "p", [SHORT])
        assert not await ari.hang_up(call)
        await socket.close()
        await reading


async def test_a_wrong_password_is_named(network: Network) -> None:
    async with client(network, password="wrong") as ari:
        for request in (ari.info(), ari.open_events(10)):
            with pytest.raises(AriError, match=r"does not let us in \(401\): check \[asterisk\]"):
                await request


async def test_the_second_server_fences_the_first(network: Network) -> None:
    async with listening(network) as first, listening(network) as second:
        assert await first.next() == "replaced"
        assert await first.next() == "disconnected"
        call = await second.answered("hang-up-early")
        await second.wait(call, ChannelDestroyed)
        assert first.of(call) == []


async def test_an_asterisk_that_hangs_dies_and_returns(network: Network) -> None:
    async with listening(network, heartbeat_seconds=1.0) as calls:
        before = await calls.ari.info()
        assert before.version.startswith("22.")
        network.asterisk.freeze()
        assert await calls.next() == "disconnected"
        network.asterisk.kill()
        with pytest.raises(AriUnavailable, match="connection refused"):
            await calls.ari.channels()
        await asyncio.to_thread(network.asterisk.start)
        assert await calls.next() == "reconciled 0"
        assert (await calls.ari.info()).started_at > before.started_at
        call = await calls.answered("hang-up-early")
        await calls.wait(call, ChannelDestroyed)
