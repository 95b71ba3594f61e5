"""The rehearsal network itself: every behaviour of the carrier, seen over ARI. I/O.

A bare ARI client stands in for our server here, so that a fault shows whether the lab or the
server is wrong.
"""

import asyncio
import math
import socket
import struct
import wave
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from domain.dispositions import classify
from lab.behaviours import BEHAVIOURS, FAST, Behaviour, behaviour_of, numbers_for
from lab.carrier import CarrierEvent
from lab.network import Network

RING_TIMEOUT_SECONDS = 2
TONE_SECONDS = 1.0


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    directory = tmp_path_factory.mktemp("lab")
    prompts = directory / "prompts"
    write_tone(prompts / "tone.wav")
    with Network(directory, timing=FAST, recording=True, prompts=prompts) as running:
        yield running


def write_tone(file: Path) -> None:
    """1 kHz, 8 kHz mono."""
    file.parent.mkdir(parents=True)
    samples = [round(8000 * math.sin(math.tau * n / 8)) for n in range(int(8000 * TONE_SECONDS))]
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))


class Ari:
    """Originates, and keeps each channel's events until it is destroyed."""

    def __init__(self, session: aiohttp.ClientSession, app: str, trunk: str) -> None:
        self._session, self._app, self._trunk = session, app, trunk
        self.events: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._ended: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def read(self, events: aiohttp.ClientWebSocketResponse) -> None:
        async for message in events:
            event = message.json()
            channel = (event.get("channel") or event.get("peer") or {}).get("id")
            self.events[channel].append(event)
            if event["type"] == "ChannelDestroyed":
                self._ended[channel].set()

    async def call(self, number: str) -> list[dict[str, Any]]:
        channel = str(uuid4())
        body = {
            "endpoint": f"PJSIP/{number}@{self._trunk}",
            "app": self._app,
            "timeout": RING_TIMEOUT_SECONDS,
        }
        async with self._session.post(f"/ari/channels/{channel}", json=body) as answer:
            assert answer.status == 200, await answer.text()
        await self.hold(channel, behaviour_of(number))
        async with asyncio.timeout(15):
            await self._ended[channel].wait()
        return self.events[channel]

    async def hold(self, channel: str, behaviour: Behaviour) -> None:
        """Plays the tone, and hangs up once all keys are in, unless the subscriber leaves."""
        if not behaviour.answers:
            return
        await self.seen(channel, "StasisStart", 1)
        media = {"media": "sound:tstn/tone"}
        async with self._session.post(f"/ari/channels/{channel}/play", json=media) as answer:
            assert answer.status == 201
        if behaviour.leaves:
            return
        await self.seen(channel, "PlaybackFinished", 0)
        await self.seen(channel, "ChannelDtmfReceived", len(behaviour.keys))
        await asyncio.sleep(TONE_SECONDS)
        await self._session.delete(f"/ari/channels/{channel}")

    async def seen(self, channel: str, kind: str, count: int) -> None:
        async with asyncio.timeout(15):
            while sum(e["type"] == kind for e in self.events[channel]) < count:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def ari_of(network: Network) -> AsyncIterator[Ari]:
    asterisk = network.settings.asterisk
    login = aiohttp.encode_basic_auth(asterisk.ari_user, asterisk.ari_password)
    async with (
        aiohttp.ClientSession(asterisk.ari_url, headers={"Authorization": login}) as session,
        session.ws_connect(f"/ari/events?app={asterisk.app}") as events,
    ):
        ari = Ari(session, asterisk.app, network.settings.trunk.name)
        reader = asyncio.create_task(ari.read(events))
        yield ari
        reader.cancel()
        with suppress(asyncio.CancelledError):
            await reader


async def logged(network: Network, number: str) -> list[CarrierEvent]:
    """What the carrier logged of a call; its end comes a moment after ours."""
    async with asyncio.timeout(10):
        while True:
            events = [event for event in network.carrier.events() if event.number == number]
            if "end" in {event.event for event in events}:
                return events
            await asyncio.sleep(0.02)


def dialled(number: str) -> str:
    return "0" + number.removeprefix("+84")


def test_every_code_has_exactly_one_behaviour() -> None:
    codes = [code for behaviour in BEHAVIOURS for code in behaviour.codes]
    assert sorted(codes) == list(range(100))


def test_our_configuration_loads_without_a_complaint(network: Network) -> None:
    for asterisk in (network.asterisk, network.carrier.asterisk):
        lines = (asterisk.log_dir / "messages.log").read_text().splitlines()
        assert not [line for line in lines if "WARNING" in line or "ERROR" in line]


def test_every_port_is_on_the_loopback_address(network: Network) -> None:
    settings = network.settings.asterisk
    ports = {settings.ami_port, settings.sip_port, int(settings.ari_url.rpartition(":")[2])}
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6", "udp", "udp6")
        for line in Path("/proc/net", table).read_text().splitlines()[1:]
    ]
    hosts = {h for h, _, port in (e.partition(":") for e in listening) if int(port, 16) in ports}
    assert hosts == {"0100007F"}


def test_ami_takes_the_rendered_login(network: Network) -> None:
    settings = network.settings.asterisk
    with socket.create_connection((settings.ami_host, settings.ami_port), 5) as link:
        lines = link.makefile("rw", newline="\r\n")
        assert lines.readline().startswith("Asterisk Call Manager/")
        login = f"Username: {settings.ami_user}\r\nSecret: {settings.ami_secret}"
        link.sendall(f"Action: Login\r\n{login}\r\n\r\n".encode())
        assert lines.readline() == "Response: Success\r\n"


async def test_each_behaviour_is_seen_as_its_disposition(network: Network) -> None:
    numbers = [dialled(numbers_for(behaviour.name)[0]) for behaviour in BEHAVIOURS]
    async with ari_of(network) as ari:
        histories = await asyncio.gather(*(ari.call(number) for number in numbers))
    for number, events in zip(numbers, histories, strict=True):
        behaviour = behaviour_of(number)
        destroyed = events[-1]
        kinds = [event["type"] for event in events]
        statuses = [event.get("dialstatus") for event in events]
        print(behaviour.name, destroyed["cause"], destroyed.get("tech_cause"), statuses)
        assert behaviour.disposition == classify(
            cause=destroyed["cause"],
            tech_cause=destroyed.get("tech_cause"),
            answered="StasisStart" in kinds,
            rang="RINGING" in statuses,
            ringing_seconds=RING_TIMEOUT_SECONDS,
            ring_timeout_seconds=RING_TIMEOUT_SECONDS,
        ), behaviour.name
        keys = [event["digit"] for event in events if event["type"] == "ChannelDtmfReceived"]
        assert "".join(keys) == behaviour.keys, behaviour.name
        in_log = await logged(network, number)
        assert [event.event for event in in_log][:: len(in_log) - 1] == ["invite", "end"]
        assert "".join(e.value for e in in_log if e.event == "key") == behaviour.keys


async def test_what_the_subscriber_heard_is_recorded(network: Network) -> None:
    number = dialled(numbers_for("silent", start=7)[0])
    async with ari_of(network) as ari:
        await ari.call(number)
    [recording] = network.carrier.recordings(number)
    with wave.open(str(recording)) as heard:
        assert (heard.getframerate(), heard.getnchannels()) == (8000, 1)
        frames = heard.readframes(heard.getnframes())
    loud = sum(abs(sample) > 4000 for (sample,) in struct.iter_unpack("<h", frames)) / 8000
    assert loud == pytest.approx(
        TONE_SECONDS * 2 / 3, rel=0.2
    )  # |sin| > 1/2 two thirds of the time


async def test_two_networks_do_not_meet(network: Network, tmp_path: Path) -> None:
    number = dialled(numbers_for("busy", start=9)[0])
    with Network(tmp_path, timing=FAST, prompts=network.asterisk.prompts) as other:
        async with ari_of(other) as ari:
            await ari.call(number)
        assert [invite.number for invite in other.carrier.invites()] == [number]
    assert number not in {invite.number for invite in network.carrier.invites()}


def test_killed_and_started_again_it_answers_on_the_same_ports(network: Network) -> None:
    network.asterisk.kill()
    assert not network.asterisk.is_running()
    network.asterisk.start()
    assert network.settings.trunk.name in network.asterisk.cli("pjsip show endpoints")
