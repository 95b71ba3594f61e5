"""The event stream against a scripted Asterisk that goes away, hangs, and talks nonsense. I/O."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.pacing import retry_delay
from ivr.ari.client import AriClient
from ivr.ari.errors import AriUnavailable
from ivr.ari.events import ALLOWED_EVENTS
from ivr.ari.websocket import AriStream
from ivr.call_events import CallEvent, KeyReceived
from tests.fakes.ari_server import FakeAri, event, key

FILTER = "/applications/tstn/eventFilter"


class Listener:
    """Notes what it is told; `reconcile` lasts until `let_go` is set and fails as scripted."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.let_go = asyncio.Event()
        self.let_go.set()
        self.failures: list[Exception] = []
        self.faults = {"D"}

    async def reconcile(self) -> None:
        self.told.put_nowait("reconcile")
        if self.failures:
            raise self.failures.pop(0)
        await self.let_go.wait()
        self.told.put_nowait("reconciled")

    def receive(self, event: CallEvent) -> None:
        digit = event.digit if isinstance(event, KeyReceived) else type(event).__name__
        self.told.put_nowait(digit)
        self.fault_at(digit)

    def disconnected(self) -> None:
        self.told.put_nowait("disconnected")
        self.fault_at("disconnected")

    def replaced(self) -> None:
        self.told.put_nowait("replaced")
        self.fault_at("replaced")

    def fault_at(self, told: str) -> None:
        if told in self.faults:
            raise RuntimeError(f"a fault when told {told}")

    async def next(self, count: int) -> list[str]:
        async with asyncio.timeout(10):
            return [await self.told.get() for _ in range(count)]


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAri]:
    async with FakeAri() as fake:
        yield fake


@pytest.fixture
async def ari(asterisk: FakeAri) -> AsyncIterator[AriClient]:
    async with AriClient(asterisk.url, "tstn", "secret", "tstn") as client:
        yield client


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def stream(ari: AriClient) -> AriStream:
    return AriStream(ari, retry_seconds=(0.01, 0.02))


@asynccontextmanager
async def running(stream: AriStream, listener: Listener) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(stream.run(listener))
    try:
        yield task
    finally:
        task.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait({task})
        if not task.cancelled():
            task.result()


async def test_events_wait_for_reconciliation_and_keep_their_order(
    asterisk: FakeAri, stream: AriStream, listener: Listener
) -> None:
    listener.let_go.clear()
    async with running(stream, listener):
        assert await listener.next(1) == ["reconcile"]
        await asterisk.send(key("c1", "1"), key("c1", "2"))
        await asterisk.caught_up()
        assert stream.trouble is not None
        listener.let_go.set()
        assert await listener.next(3) == ["reconciled", "1", "2"]
        await asterisk.send(key("c1", "3"))
        assert await listener.next(1) == ["3"]
        assert stream.trouble is None


async def test_the_filter_is_set_before_each_reconciliation(
    asterisk: FakeAri, stream: AriStream, listener: Listener
) -> None:
    async with running(stream, listener):
        for connects in (1, 2):
            assert (await listener.next(2))[-1] == "reconciled"
            filters = asterisk.seen("PUT", FILTER)
            assert len(filters) == connects
            assert filters[-1].body == {"allowed": [{"type": kind} for kind in ALLOWED_EVENTS]}
            asterisk.drop()
            assert await listener.next(1) == ["disconnected"]


async def test_an_asterisk_that_is_not_there_is_waited_for_and_named_once(
    asterisk: FakeAri, stream: AriStream, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ivr.ari")
    await asterisk.stop()
    async with running(stream, listener):
        while stream.trouble == "not connected yet":
            await asyncio.sleep(0)
        assert "connection refused" in str(stream.trouble)
        asterisk.booting = True
        await asterisk.start()
        await asterisk.until(lambda: len(asterisk.seen("GET", "/events")) >= 3)
        asterisk.booting = False
        assert await listener.next(2) == ["reconcile", "reconciled"]
        asterisk.drop()
        assert await listener.next(3) == ["disconnected", "reconcile", "reconciled"]
    refused, back, dropped, back_again = caplog.messages
    assert "connection refused; no calls until events flow again" in refused
    assert "ended the event stream" in dropped
    assert back == back_again == f"connected to Asterisk at {asterisk.url} again"


async def test_booting_after_the_connect_is_waited_out_too(
    asterisk: FakeAri, stream: AriStream, listener: Listener
) -> None:
    asterisk.will_answer("PUT", FILTER, 503)
    listener.failures = [AriUnavailable("503 again"), RuntimeError("the store is gone")]
    async with running(stream, listener):
        told = await listener.next(6)
    assert told == ["reconcile", "disconnected"] * 2 + ["reconcile", "reconciled"]


async def test_what_came_to_a_connection_lost_during_reconciliation_waits_for_the_next(
    asterisk: FakeAri, stream: AriStream, listener: Listener
) -> None:
    listener.let_go.clear()
    async with running(stream, listener):
        await listener.next(1)
        await asterisk.send(key("c1", "1"))
        await asterisk.caught_up()
        asterisk.drop()
        assert await listener.next(2) == ["disconnected", "reconcile"]
        await asterisk.send(key("c1", "2"))
        await asterisk.caught_up()
        listener.let_go.set()
        assert await listener.next(3) == ["reconciled", "1", "2"]


async def test_a_key_outlives_reconciliations_that_fail(
    asterisk: FakeAri, stream: AriStream, listener: Listener
) -> None:
    listener.let_go.clear()
    async with running(stream, listener):
        await listener.next(1)
        await asterisk.send(key("c1", "1"))
        await asterisk.caught_up()
        listener.failures = [AriUnavailable("gone"), RuntimeError("the store is gone")]
        asterisk.drop()
        told = await listener.next(6)
        listener.let_go.set()
        assert told == ["disconnected", "reconcile"] * 3
        assert await listener.next(2) == ["reconciled", "1"]


async def test_a_peer_that_answers_no_ping_is_left(
    asterisk: FakeAri, ari: AriClient, listener: Listener
) -> None:
    stream = AriStream(ari, heartbeat_seconds=0.3, retry_seconds=(0.01, 0.02))
    async with running(stream, listener):
        await listener.next(2)
        asterisk.deaf = True
        assert await listener.next(1) == ["disconnected"]
        asterisk.deaf = False
        assert "reconciled" in await listener.next(2)


async def test_the_stream_outlives_the_time_limit_of_requests(
    asterisk: FakeAri, listener: Listener
) -> None:
    async with (
        AriClient(asterisk.url, "tstn", "secret", "tstn", timeout_seconds=0.2) as ari,
        running(AriStream(ari, retry_seconds=(0.01, 0.02)), listener),
    ):
        await listener.next(2)
        asterisk.will_hold("GET", "/asterisk/info")
        with pytest.raises(AriUnavailable, match="no answer in"):
            await ari.info()
        await asterisk.send(key("c1", "1"))
        assert await listener.next(1) == ["1"]


async def test_nonsense_and_repeats_stop_nothing(
    asterisk: FakeAri, stream: AriStream, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(stream, listener):
        await listener.next(2)
        await asterisk.send(
            b"", b"{", b"\xff\xff", b"[]", event("ChannelVarset"), event("StasisStart")
        )
        late = {**key("c1", "2"), "timestamp": "2020-01-01T00:00:00.000+0000"}
        await asterisk.send(key("c1", "1"), key("c1", "1"), late)
        await asterisk.sockets[-1].send_bytes(b"\x00")
        await asterisk.send(event("ApplicationReplaced", application="other"), key("c1", "3"))
        assert await listener.next(4) == ["1", "1", "2", "3"]
    assert [m for m in caplog.messages if "malformed" in m] == caplog.messages[:1]


async def test_a_fault_in_one_call_stops_no_other(
    asterisk: FakeAri, stream: AriStream, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    listener.let_go.clear()
    async with running(stream, listener):
        await listener.next(1)
        await asterisk.send(key("c1", "D"), key("c2", "1"))
        await asterisk.caught_up()
        listener.let_go.set()
        assert await listener.next(3) == ["reconciled", "D", "1"]
        await asterisk.send(key("c1", "D"), key("c2", "2"))
        assert await listener.next(2) == ["D", "2"]
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


@pytest.mark.parametrize("faults", [set(), {"replaced"}, {"disconnected"}])
async def test_another_server_that_takes_over_ends_the_stream(
    asterisk: FakeAri, stream: AriStream, listener: Listener, faults: set[str]
) -> None:
    listener.faults = faults  # a fence holds whatever else goes wrong
    listener.let_go.clear()  # a fence does not wait for reconciliation
    async with running(stream, listener) as task:
        await listener.next(1)
        await asterisk.send(event("ApplicationReplaced"), key("c1", "1"))
        assert await listener.next(2) == ["replaced", "disconnected"]
        async with asyncio.timeout(5):
            await task
    assert "taken over" in str(stream.trouble)
    assert len(asterisk.seen("GET", "/events")) == 1


async def test_a_flood_is_read_whole_and_in_order(
    asterisk: FakeAri, stream: AriStream, listener: Listener
) -> None:
    listener.let_go.clear()
    digits = [str(number % 10) for number in range(20_000)]
    async with running(stream, listener):
        await listener.next(1)
        await asterisk.send(*(key("c1", digit) for digit in digits[:10_000]))
        await asterisk.caught_up()
        listener.let_go.set()
        await asterisk.send(*(key("c1", digit) for digit in digits[10_000:]))
        assert (await listener.next(1 + len(digits)))[1:] == digits


@pytest.mark.parametrize("reconciled", [True, False])
async def test_cancelled_it_closes_its_socket(
    asterisk: FakeAri, stream: AriStream, listener: Listener, reconciled: bool
) -> None:
    if not reconciled:
        listener.let_go.clear()
    async with running(stream, listener):
        await listener.next(2 if reconciled else 1)
    assert await listener.next(1) == ["disconnected"]
    await asterisk.until(lambda: not asterisk.sockets)


async def test_cancelled_while_nobody_is_there_it_ends(
    asterisk: FakeAri, ari: AriClient, listener: Listener
) -> None:
    await asterisk.stop()
    stream = AriStream(ari, retry_seconds=(60, 60))
    async with running(stream, listener):
        while stream.trouble == "not connected yet":
            await asyncio.sleep(0)
    assert listener.told.empty()


async def test_a_peer_that_hangs_while_closing_does_not_hold_up_the_end(
    asterisk: FakeAri, stream: AriStream, listener: Listener
) -> None:
    async with running(stream, listener) as task:
        await listener.next(2)
        asterisk.freeze()
        await asterisk.send(event("ApplicationReplaced"))
        async with asyncio.timeout(5):
            await task


def test_retries_grow_to_their_longest_and_differ() -> None:
    longest = [retry_delay(failures, 0.5, 15, 1) for failures in range(8)]
    assert longest == [0.5, 0.5, 1, 2, 4, 8, 15, 15]
    assert retry_delay(10**9, 0.5, 15, 0) == 7.5
