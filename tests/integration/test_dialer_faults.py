"""The dialler while its store is away, and while it is told to stop. Real time, real tasks. I/O."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from dialer.engine import Engine, EngineSetting
from dialer.orders import read_orders
from dialer.settling import settle_ended
from domain.dispositions import Disposition
from lab.postgres import Postgres
from store.engine import Store, open_store
from store.migrate import migrate
from store.models import Attempt, Target
from tests.clusters import FrailCluster
from tests.dialling import PLENTY, Carrier
from tests.rows import NOW, all_rows, make_campaign, numbers

SETTING = EngineSetting(
    node="node1",
    trunk="carrier",
    defaults=PLENTY,
    scripts=frozenset({"vi-1"}),
    max_call_seconds=300,
    holidays={},
    tick_seconds=0.01,
    do_not_call_days=30,
)


@pytest.fixture(scope="module")
def frail_cluster() -> Iterator[FrailCluster]:
    made = FrailCluster()
    yield made
    made.remove()


@pytest.fixture
def cluster(frail_cluster: FrailCluster) -> Iterator[FrailCluster]:
    yield frail_cluster
    frail_cluster.mend()


@pytest.fixture(autouse=True)
def quick_return(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.engine._STORE_AWAY_SECONDS", 0.05)


class Serving:
    """A dialler that runs by itself."""

    def __init__(self, store: Store) -> None:
        self.carrier = Carrier(store, lambda: NOW, ends=Disposition.ANSWERED)
        self.engine = Engine(SETTING, store, self.carrier, lambda: NOW)
        self.task = asyncio.create_task(self.engine.run())

    async def until_dialled(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.carrier.dialled) < count:
                assert not self.task.done()
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})
        assert self.task.cancelled()


@asynccontextmanager
async def serving(store: Store) -> AsyncIterator[Serving]:
    made = Serving(store)
    try:
        yield made
    finally:
        await made.stop()


async def test_a_database_that_dies_stops_the_dialling_and_not_the_dialler(
    cluster: FrailCluster, caplog: pytest.LogCaptureFixture
) -> None:
    """Killed, and also met while it refuses connections because it starts."""
    store = open_store(await cluster.new_database())
    await migrate(store)
    await make_campaign(store, numbers(400), cps=100.0)
    async with serving(store) as server:
        await server.until_dialled(20)
        await cluster.do(Postgres.kill)
        async with asyncio.timeout(20):
            while "no dialling" not in caplog.text:
                await asyncio.sleep(0.01)
        before = len(server.carrier.dialled)
        assert not server.task.done()
        await cluster.do(Postgres.start)
        await server.until_dialled(before + 40)
    assert len(set(server.carrier.numbers)) == len(server.carrier.numbers)
    assert server.carrier.unwritten == []
    await store.close()


async def test_a_frozen_database_stops_the_dialling_until_it_thaws(cluster: FrailCluster) -> None:
    store = open_store(await cluster.new_database())
    await migrate(store)
    await make_campaign(store, numbers(400), cps=100.0)
    async with serving(store) as server:
        await server.until_dialled(10)
        await cluster.do(Postgres.freeze)
        try:
            await asyncio.wait({server.task}, timeout=0.5)
            before = len(server.carrier.dialled)
            await asyncio.wait({server.task}, timeout=0.5)
            assert len(server.carrier.dialled) == before
        finally:
            await cluster.do(Postgres.thaw)
        await server.until_dialled(before + 40)
    assert len(set(server.carrier.numbers)) == len(server.carrier.numbers)
    await store.close()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_locked_file_stops_the_dialling_until_it_is_free(
    store_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("store.engine._BUSY_SECONDS", 0.1)
    store = open_store(store_url)
    await migrate(store)
    await make_campaign(store, numbers(400), cps=100.0)
    async with serving(store) as server:
        server.carrier.ends = None  # what ends a call would have to wait for the lock too
        await server.until_dialled(10)
        with closing(_lock(store_url)) as other:
            async with asyncio.timeout(10):
                while "no dialling" not in caplog.text:
                    await asyncio.sleep(0.01)
            other.rollback()
        await server.until_dialled(len(server.carrier.dialled) + 20)
    assert server.carrier.unwritten == []
    await store.close()


def _lock(store_url: str) -> sqlite3.Connection:
    other = sqlite3.connect(Path(store_url.removeprefix("sqlite:///")), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


class Watching(Store):
    """The real store; `claiming` is set when a dialler begins to claim, `held` ones wait."""

    def __init__(self, store: Store, *held: Any) -> None:
        self.claiming = asyncio.Event()
        self.may_go = asyncio.Event()
        self.may_go.set()
        self._store = store
        self._held = held

    async def write(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(getattr(operation, "__self__", None), Engine):
            self.claiming.set()
        if operation in self._held:
            await self.may_go.wait()
        return await self._store.write(operation, *args, **kwargs)

    async def read(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        if operation in self._held:
            await self.may_go.wait()
        return await self._store.read(operation, *args, **kwargs)

    async def close(self) -> None:
        await self._store.close()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_who_is_claimed_while_we_stop_is_dialled_or_given_back(
    store: Store, store_url: str
) -> None:
    """A stop amid the claim: no number may be left as dialled that nobody has dialled."""
    await make_campaign(store, numbers(200), cps=20.0)
    watching = Watching(store)
    server = Serving(watching)
    server.carrier.ends = None
    await server.until_dialled(3)
    with closing(_lock(store_url)) as other:
        watching.claiming.clear()
        async with asyncio.timeout(10):
            await watching.claiming.wait()
        await asyncio.wait({server.task}, timeout=0.1)  # its thread comes to stand at the lock
        server.task.cancel()
        await asyncio.wait({server.task}, timeout=0.2)
        other.rollback()
    await asyncio.wait({server.task})
    await store.write(lambda _: None)  # comes after whatever was begun before
    written = {row["msisdn"] for row in await all_rows(store, Attempt) if row["state"] != "ended"}
    assert written == set(server.carrier.numbers)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_stop_amid_a_claim_that_fails_is_a_stop(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.engine._BUSY_SECONDS", 0.3)
    await make_campaign(store, numbers(200), cps=20.0)
    brief = open_store(store_url)
    watching = Watching(brief)
    server = Serving(watching)
    await server.until_dialled(3)
    with closing(_lock(store_url)):
        watching.claiming.clear()
        async with asyncio.timeout(10):
            await watching.claiming.wait()
        server.task.cancel()
        done, _ = await asyncio.wait({server.task}, timeout=10)
    assert done, "it dials on, told to stop"
    await brief.close()


async def test_settling_what_ended_holds_no_dial_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands may have ended at once: who is next is dialled meanwhile."""
    monkeypatch.setattr("dialer.engine._ORDERS_HOLD_SECONDS", 60.0)
    await make_campaign(store, numbers(400), cps=100.0)
    watching = Watching(store, settle_ended)
    async with serving(watching) as server:
        await server.until_dialled(3)
        watching.may_go.clear()
        await server.until_dialled(len(server.carrier.dialled) + 100)
        watching.may_go.set()


async def test_nothing_is_dialled_by_orders_that_may_have_changed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store does not say what holds now, a campaign that was paused must stand still."""
    monkeypatch.setattr("dialer.engine._ORDERS_HOLD_SECONDS", 0.8)
    await make_campaign(store, numbers(400), cps=100.0)
    watching = Watching(store, read_orders)
    async with serving(watching) as server:
        await server.until_dialled(3)
        watching.may_go.clear()
        await asyncio.wait({server.task}, timeout=1.0)
        before = len(server.carrier.dialled)
        await asyncio.wait({server.task}, timeout=0.5)
        assert len(server.carrier.dialled) == before
        watching.may_go.set()
        await server.until_dialled(before + 40)


async def test_a_stop_waits_for_the_dials_under_way(store: Store) -> None:
    """Each has its row: it must not be torn off between row and carrier."""
    await make_campaign(store, numbers(5))
    server = Serving(store)
    entered, go_on = asyncio.Event(), asyncio.Event()
    dial = server.carrier.originate

    async def slowly(attempt: object) -> bool:
        entered.set()
        await go_on.wait()
        return await dial(attempt)  # type: ignore[arg-type]

    server.carrier.originate = slowly  # type: ignore[method-assign]
    async with asyncio.timeout(10):
        await entered.wait()
    server.task.cancel()
    done, _ = await asyncio.wait({server.task}, timeout=0.2)
    assert not done
    go_on.set()
    await asyncio.wait({server.task})
    rows = await all_rows(store, Attempt)
    assert sorted(row["msisdn"] for row in rows) == sorted(server.carrier.numbers)
    assert {row["state"] for row in rows} == {"ended"}
    assert len(await all_rows(store, Target)) == 5
