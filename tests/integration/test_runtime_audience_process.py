"""The process that reads an audience file: it ends with the import, however that ends. I/O."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Connection

from domain.errors import InputError, StoreUnavailable
from domain.states import CampaignState
from runtime import audience_import
from runtime.audience_import import import_audience
from runtime.audience_report import ImportReport
from store import following
from store.batches import copy_in
from store.engine import Store
from store.locks import lock_audience
from store.models import Import, Target
from tests.audiences import bring_in, csv_file, row
from tests.rows import NOW, all_rows, make_campaign, numbers, target
from tests.text_campaigns import TextWorld, make_text_campaign

ROWS = 3_000


@pytest.fixture(autouse=True)
def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the reader is at work as long as the import is."""
    monkeypatch.setattr(audience_import, "_ROWS_A_BATCH", 100)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return csv_file(tmp_path / "numbers.csv", [row(f"09{n:08}") for n in range(ROWS)])


def readers(of: int) -> list[int]:
    """The reading processes that a process has started."""
    tasks = Path(f"/proc/{of}/task").iterdir()
    children = [each for task in tasks for each in (task / "children").read_text().split()]
    return [int(each) for each in children if "audience_reader" in _read(f"/proc/{each}/cmdline")]


def lives(process: int) -> bool:
    """Whether it is more than a name that its parent has not asked for."""
    return _read(f"/proc/{process}/stat").rpartition(")")[2].split()[:1] not in ([], ["Z"])


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:  # it has ended
        return ""


async def importing(store: Store, file: Path, progress: audience_import.Progress) -> ImportReport:
    return await import_audience(store, "one", file, None, lambda: NOW, progress)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_reader_that_is_killed_is_one_line_and_the_file_may_come_again(
    store: Store, file: Path
) -> None:
    await make_campaign(store, name="one")

    def kill(_: int) -> None:
        for each in readers(os.getpid()):
            os.kill(each, signal.SIGKILL)

    with pytest.raises(InputError, match=r"reads .*numbers.csv has ended too soon, with status -9"):
        await importing(store, file, kill)
    assert readers(os.getpid()) == []
    there = len(await all_rows(store, Target))
    assert 100 <= there < ROWS
    report = await bring_in(store, file)
    assert (report.added, report.in_campaign) == (ROWS - there, there)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_an_import_that_is_cancelled_leaves_no_process(store: Store, file: Path) -> None:
    await make_campaign(store, name="one")
    begun = asyncio.Event()
    task = asyncio.create_task(importing(store, file, lambda _: begun.set()))
    await begun.wait()
    [reader] = readers(os.getpid())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(10):
        while lives(reader):
            await asyncio.sleep(0.01)
    assert [each["state"] for each in await all_rows(store, Import)] == ["loading"]


KILLED = """
import asyncio, sys
from pathlib import Path
from runtime import audience_import
from runtime.audience_import import import_audience
from store.engine import open_store
from tests.rows import NOW

audience_import._ROWS_A_BATCH = 100

def tell(line):
    print(line, flush=True)
    sys.stdin.readline()

async def main():
    store = open_store(sys.argv[1])
    await import_audience(store, "one", Path(sys.argv[2]), None, lambda: NOW, tell)

asyncio.run(main())
"""


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_reader_ends_when_nobody_fetches_any_more(
    store: Store, store_url: str, file: Path
) -> None:
    await make_campaign(store, name="one")
    importer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, store_url, str(file)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert importer.stdout
    await importer.stdout.readline()
    [reader] = readers(importer.pid)
    importer.kill()
    await importer.wait()
    async with asyncio.timeout(10):
        while lives(reader):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_who_brings_numbers_into_one_campaign_takes_turns(
    store: Store, store_url: str
) -> None:
    """What an import knows to be new, a follower must not add meanwhile."""
    texts = await make_text_campaign(store, numbers(3), cps=50.0)
    calls = await make_campaign(
        store, name="calls", state=CampaignState.DRAFT, follows="texts", follow_after_hours=24.0
    )
    world = TextWorld(store)
    await world.passes(1)
    other = await asyncpg.connect(store_url)
    held = other.transaction()
    await held.start()
    await other.execute("SELECT pg_advisory_xact_lock(2169232, $1)", calls.id)
    task = asyncio.create_task(
        store.write(following.follow, calls.id, texts.id, 24.0, following.FIRST or 0)
    )
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with asyncio.timeout(10):
        while not await other.fetchval(waits):
            assert not task.done()
    await held.rollback()
    assert (await task).added == len(world.numbers)
    await other.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_connection_that_is_lost_in_a_copy_is_told_as_any_other(
    store: Store, store_url: str
) -> None:
    campaign = await make_campaign(store, name="one")
    new = target(numbers(1)[0]) | {
        "campaign_id": campaign.id,
        "attributes": "{}",
        "state": "ready",
        "not_before": NOW,
        "attempts_made": 0,
    }

    async def end(driver: asyncpg.Connection) -> None:
        other = await asyncpg.connect(store_url)
        await other.execute("SELECT pg_terminate_backend($1, 5000)", driver.get_server_pid())
        await other.close()

    def add(connection: Connection, *, is_lost: bool) -> None:
        lock_audience(connection, campaign.id)
        if is_lost:
            connection.connection.dbapi_connection.run_async(end)  # type: ignore[union-attr]
        copy_in(connection, Target, list(new), [tuple(new.values())])

    with pytest.raises(StoreUnavailable):
        await store.write(add, is_lost=True)
    assert await all_rows(store, Target) == []
    await store.write(add, is_lost=False)
    assert len(await all_rows(store, Target)) == 1
