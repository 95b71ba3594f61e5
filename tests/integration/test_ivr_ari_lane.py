"""Commands by the event websocket: an Asterisk that takes them, takes none, or breaks. I/O."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from ivr.ari.client import AriClient
from ivr.ari.errors import AriError, AriUnavailable
from ivr.ari.websocket import AriStream
from tests.fakes.ari_server import APP, FakeAri, Request, channel

Verb = Callable[[AriClient], Awaitable[object]]

AT_ONCE: list[tuple[str, str, Verb]] = [
    ("POST", "/channels/c1/play/p1", lambda ari: ari.play("c1", "p1", ["sound:tstn/a"])),
    ("DELETE", "/playbacks/p1", lambda ari: ari.stop_playback("p1")),
    ("DELETE", "/channels/c1", lambda ari: ari.hang_up("c1")),
]


class Quiet:
    """A listener that needs nothing of what it is told."""

    async def reconcile(self) -> None: ...

    def receive(self, event: object) -> None: ...

    def disconnected(self) -> None: ...

    def replaced(self) -> None: ...


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAri]:
    async with FakeAri(has_lane=True) as fake:
        fake.channels["c1"] = channel("c1")
        fake.playbacks.add("p1")
        yield fake


@asynccontextmanager
async def connected(asterisk: FakeAri, timeout_seconds: float = 5.0) -> AsyncIterator[AriClient]:
    """A client whose stream runs, and whose Asterisk has answered by it if it can."""
    async with AriClient(
        asterisk.url, "tstn", "secret", APP, timeout_seconds=timeout_seconds
    ) as client:
        stream = AriStream(client, retry_seconds=(0.01, 0.02))
        running = asyncio.create_task(stream.run(Quiet()))
        await up(stream, asterisk)
        yield client
        running.cancel()
        await asyncio.wait({running})


async def up(stream: AriStream, asterisk: FakeAri, answered: int = 1) -> None:
    """The stream runs; an Asterisk that can has answered by it, and that was read."""
    async with asyncio.timeout(10):
        while stream.trouble is not None:
            await asyncio.sleep(0.01)
    if asterisk.has_lane:
        await asterisk.until(lambda: asterisk.answered >= answered)
    await asterisk.caught_up()


def came(asterisk: FakeAri, method: str, path: str) -> Request:
    """The one such request."""
    [request] = asterisk.seen(method, path)
    return request


@pytest.mark.parametrize(("method", "path", "verb"), AT_ONCE)
async def test_a_command_of_every_call_goes_by_the_websocket(
    asterisk: FakeAri, method: str, path: str, verb: Verb
) -> None:
    async with connected(asterisk) as ari:
        assert await verb(ari) is True
    assert came(asterisk, method, path).by_websocket


async def test_its_query_arrives_as_it_was_meant(asterisk: FakeAri) -> None:
    async with connected(asterisk) as ari:
        await ari.play("c1", "p2", ["sound:tstn/a b", "sound:tstn/ç"])
    media = came(asterisk, "POST", "/channels/c1/play/p2").query["media"]
    assert media == "sound:tstn/a b,sound:tstn/ç"


@pytest.mark.parametrize(("method", "path", "verb"), AT_ONCE)
async def test_an_asterisk_that_does_not_answer_there_gets_it_by_http(
    asterisk: FakeAri, method: str, path: str, verb: Verb
) -> None:
    asterisk.has_lane = False
    async with connected(asterisk) as ari:
        assert await verb(ari) is True
    assert not came(asterisk, method, path).by_websocket


@pytest.mark.parametrize("status", [404, 409, 412])
@pytest.mark.parametrize(("method", "path", "verb"), AT_ONCE)
async def test_a_call_that_is_gone_is_no_fault(
    asterisk: FakeAri, method: str, path: str, verb: Verb, status: int
) -> None:
    asterisk.will_answer(method, path, status, {"message": "Channel not found"})
    async with connected(asterisk) as ari:
        assert await verb(ari) is False


async def test_any_other_answer_is_raised_in_one_line(asterisk: FakeAri) -> None:
    asterisk.will_answer("DELETE", "/channels/c1", 500, {"message": "Allocation failed"})
    async with connected(asterisk) as ari:
        with pytest.raises(
            AriError, match="answered DELETE /channels/c1 with 500 Allocation failed"
        ):
            await ari.hang_up("c1")


async def test_each_gets_its_own_answer(asterisk: FakeAri) -> None:
    for number in range(0, 40, 2):
        asterisk.channels[f"n{number}"] = channel(f"n{number}")
    async with connected(asterisk) as ari:
        ended = await asyncio.gather(*(ari.hang_up(f"n{number}") for number in range(40)))
    assert ended == [number % 2 == 0 for number in range(40)]


async def test_no_answer_is_unavailable_and_a_late_one_harms_nobody(asterisk: FakeAri) -> None:
    async with connected(asterisk, timeout_seconds=0.2) as ari:
        go_on = asterisk.will_hold("DELETE", "/playbacks/p1")
        with pytest.raises(AriUnavailable, match="no answer in 0"):
            await ari.stop_playback("p1")
        go_on.set()
        await asterisk.caught_up()
        assert await ari.hang_up("c1") is True


async def test_what_waits_when_the_websocket_breaks_is_told_at_once_and_not_sent_again(
    asterisk: FakeAri,
) -> None:
    async with connected(asterisk, timeout_seconds=60) as ari:
        asterisk.will_hold("DELETE", "/channels/c1")
        hanging_up = asyncio.create_task(ari.hang_up("c1"))
        await asterisk.until(lambda: bool(asterisk.seen("DELETE", "/channels/c1")))
        asterisk.drop()
        async with asyncio.timeout(10):
            with pytest.raises(AriUnavailable, match="websocket broke"):
                await hanging_up
        assert came(asterisk, "DELETE", "/channels/c1").by_websocket


async def test_without_the_websocket_it_goes_by_http_and_comes_back_to_it(
    asterisk: FakeAri,
) -> None:
    async with AriClient(asterisk.url, "tstn", "secret", APP) as ari:
        assert await ari.stop_playback("p1") is True
        assert not came(asterisk, "DELETE", "/playbacks/p1").by_websocket
        stream = AriStream(ari, retry_seconds=(0.01, 0.02))
        running = asyncio.create_task(stream.run(Quiet()))
        for turn in (1, 2):
            await asterisk.until(lambda: bool(asterisk.sockets))
            await up(stream, asterisk, answered=2 * turn - 1)
            await ari.stop_playback(f"again{turn}")
            assert came(asterisk, "DELETE", f"/playbacks/again{turn}").by_websocket
            asterisk.drop()
        running.cancel()
        await asyncio.wait({running})
