"""Streams: what is new is sent once, what was sent is not sent again, and an end is said. I/O."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, StreamReader, web

from console.live import Fragment, Live, Topic, of_store
from domain.errors import StoreUnavailable
from lab.ports import LOOPBACK, free_ports
from store import users
from store.engine import Store
from tests.consoles import add_users


class Source:
    """Something that changes, may be away, and is rendered."""

    def __init__(self) -> None:
        self.value = 1
        self.is_away = False
        self.is_alive = True
        self.looks = 0
        self._looked = asyncio.Condition()

    async def look(self) -> int:
        self.looks += 1
        async with self._looked:
            self._looked.notify_all()
        if self.is_away:
            raise StoreUnavailable("away")
        return self.value

    async def looked_at(self, times: int) -> None:
        async with asyncio.timeout(10), self._looked:
            await self._looked.wait_for(lambda: self.looks >= times)

    async def render(self, _: web.Request) -> str:
        return f"<p>\n{self.value}</p>"

    async def alive(self, _: web.Request) -> bool:
        return self.is_alive


@pytest.fixture
def source() -> Source:
    return Source()


@asynccontextmanager
async def served(source: Source, live: Live) -> AsyncIterator[str]:
    """The address of a stream of one fragment."""

    async def stream(request: web.Request) -> web.StreamResponse:
        return await live.stream(request, {"figures": Fragment("queue", source.render)})

    app = web.Application()
    app.router.add_get("/stream", stream)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    port = free_ports(1)[0]
    await web.TCPSite(runner, LOOPBACK, port).start()
    running = asyncio.create_task(live.run())
    yield f"http://{LOOPBACK}:{port}/stream"
    live.close()
    running.cancel()
    await asyncio.wait({running})
    await runner.cleanup()


@pytest.fixture
def live(source: Source) -> Live:
    return Live([Topic("queue", source.look)], source.alive, beat_seconds=0.05)


@pytest.fixture
async def url(source: Source, live: Live) -> AsyncIterator[str]:
    async with served(source, live) as address:
        yield address


@asynccontextmanager
async def listening(url: str, last: str = "") -> AsyncIterator[StreamReader]:
    async with ClientSession() as session, session.get(url, params={"last": last}) as answer:
        assert answer.content_type == "text/event-stream"
        yield answer.content


async def next_event(stream: StreamReader) -> dict[str, str]:
    """The next event as its fields; several lines of data are joined."""
    fields: dict[str, str] = {}
    async with asyncio.timeout(10):
        while line := (await stream.readline()).decode().rstrip("\n"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value
    return fields


async def next_of(stream: StreamReader, name: str) -> dict[str, str]:
    while (event := await next_event(stream)).get("event") != name:
        assert event
    return event


async def test_the_present_state_comes_first_and_then_what_changes(
    source: Source, live: Live, url: str
) -> None:
    async with listening(url) as stream:
        assert (await next_event(stream))["data"] == "<p>\n1</p>"
        assert (await next_event(stream))["event"] == "beat"
        source.value = 2
        live.push("queue")
        assert (await next_of(stream, "figures"))["data"] == "<p>\n2</p>"


async def test_who_comes_back_gets_only_what_is_new(source: Source, live: Live, url: str) -> None:
    async with listening(url) as stream:
        first = await next_event(stream)
    async with listening(url, first["id"]) as stream:
        assert (await next_event(stream))["event"] == "beat"
    source.value = 2
    async with listening(url, first["id"]) as stream:
        assert (await next_of(stream, "figures"))["data"] == "<p>\n2</p>"


async def test_a_change_is_seen_without_a_push(source: Source, url: str) -> None:
    async with listening(url) as stream:
        await next_event(stream)
        source.value = 2
        assert (await next_of(stream, "figures"))["data"] == "<p>\n2</p>"


async def test_the_stream_says_nothing_while_its_topic_can_not_be_read(
    source: Source, url: str
) -> None:
    """A page that shows old figures must not look live: without beats it counts as lost."""
    source.is_away = True
    async with listening(url) as stream:
        said = asyncio.create_task(next_event(stream))
        await source.looked_at(5)
        assert not said.done()
        source.is_away = False
        assert (await said)["data"] == "<p>\n1</p>"


async def test_a_fault_in_one_look_stops_no_other_page(source: Source) -> None:
    async def fails() -> None:
        raise KeyError("a fault of ours")

    other = Topic("other", fails, is_always_looked_at=True)
    live = Live([other, Topic("queue", source.look)], source.alive, beat_seconds=0.05)
    async with served(source, live) as url, listening(url) as stream:
        await next_of(stream, "beat")
        source.value = 2
        assert (await next_of(stream, "figures"))["data"] == "<p>\n2</p>"


async def test_a_session_that_has_ended_is_told_so(source: Source, url: str) -> None:
    async with listening(url) as stream:
        await next_event(stream)
        source.is_alive = False
        await next_of(stream, "ended")
        assert await stream.read() == b""


async def test_one_look_serves_all_listeners(source: Source, live: Live, url: str) -> None:
    async with listening(url) as one, listening(url) as two, listening(url) as three:
        for stream in (one, two, three):
            await next_of(stream, "beat")
        before = source.looks
        source.value = 2
        live.push("queue")
        for stream in (one, two, three):
            await next_of(stream, "figures")
        assert source.looks <= before + 2


async def test_a_topic_may_be_a_read_of_the_store(store: Store) -> None:
    look = of_store(store, lambda connection: len(users.after(connection, "", 100)))
    assert await look() == 0
    await add_users(store)
    assert await look() == 7
