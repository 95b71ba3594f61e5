"""The journal while its database freezes, dies, is locked or read-only: no fact is lost. I/O."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from domain.errors import TstnError
from lab.postgres import Postgres
from store.engine import Store, open_store
from store.facts import Kept, KeyPressed
from store.migrate import migrate
from store.models import Callback, KeyPress
from tests.clusters import FrailCluster
from tests.journals import (
    KEYS_A_CALL,
    Reports,
    assert_all_told_once,
    calls,
    refused_in,
    replayed,
    running,
    story,
)
from tests.locks import waits_for_lock
from tests.rows import NOW, all_rows, asked, numbers, pressed, wants_advice

PATIENCE = 0.5
MARGIN = 0.75
"""Seconds for company, the spool's sync and a busy machine: far less than a second patience."""

Fault = tuple[Callable[[Postgres], None], Callable[[Postgres], None]]
FREEZE: Fault = (Postgres.freeze, Postgres.thaw)
KILL: Fault = (Postgres.kill, Postgres.start)


@pytest.fixture(scope="module")
def frail_cluster() -> Iterator[FrailCluster]:
    made = FrailCluster()
    yield made
    made.remove()


@pytest.fixture
def cluster(frail_cluster: FrailCluster) -> Iterator[FrailCluster]:
    yield frail_cluster
    frail_cluster.mend()


@pytest.fixture
async def frail_url(cluster: FrailCluster) -> str:
    return await cluster.new_database()


@pytest.fixture
async def frail(frail_url: str) -> AsyncIterator[Store]:
    store = open_store(frail_url)
    await migrate(store)
    yield store
    await store.close()


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool.sqlite"


@pytest.mark.parametrize("fault", [pytest.param(FREEZE, id="frozen"), pytest.param(KILL, id="-9")])
async def test_a_database_that_is_gone_for_a_while_costs_no_fact(
    cluster: FrailCluster, frail: Store, spool: Path, fault: Fault
) -> None:
    """20 live calls: the fault comes amid their facts, and it is over amid them too."""
    harm, heal = fault
    told, reports = await calls(frail, 30), Reports()
    async with running(frail, spool, PATIENCE) as journal:
        first = [asyncio.create_task(reports.tell(journal, story(call))) for call in told[:20]]
        await reports.until(Kept.COMMITTED, 60)
        await cluster.do(harm)
        await reports.until(Kept.SPOOLED, 60)
        assert not journal.store_is_up
        await cluster.do(heal)
        await asyncio.gather(*first)
        await replayed(journal)
        await asyncio.gather(*(reports.tell(journal, story(call)) for call in told[20:]))
    assert len(reports.kept) == 30 * len(story(told[0]))
    assert reports.kept[-60:] == [Kept.COMMITTED] * 60
    assert max(reports.seconds) < PATIENCE + MARGIN
    await assert_all_told_once(frail, told)
    assert refused_in(spool) == []


async def test_one_call_after_the_other_waits_its_patience_once(
    cluster: FrailCluster, frail: Store, spool: Path
) -> None:
    """Who comes while the store is known to be away goes to the spool at once."""
    told, reports = await calls(frail, 8), Reports()
    async with running(frail, spool, PATIENCE) as journal:
        await cluster.do(Postgres.freeze)
        try:
            await reports.tell(journal, story(told[0])[:1])
            for call in told[1:]:
                await reports.tell(journal, story(call)[:1])
        finally:
            await cluster.do(Postgres.thaw)
        assert reports.kept == [Kept.SPOOLED] * 8
        assert PATIENCE <= reports.seconds[0] < PATIENCE + MARGIN
        assert max(reports.seconds[1:]) < MARGIN
        await replayed(journal)


async def test_a_commit_that_comes_after_its_facts_were_spooled_doubles_nothing(
    cluster: FrailCluster, frail: Store, spool: Path
) -> None:
    """The frozen transaction goes on when the database does, and so does the replay."""
    told = await calls(frail, 5)
    async with running(frail, spool, PATIENCE) as journal:
        await cluster.do(Postgres.freeze)
        try:
            futures = [journal.record(fact) for call in told for fact in story(call)]
            assert {await future for future in futures} == {Kept.SPOOLED}
            assert journal.spooled == len(futures)
        finally:
            await cluster.do(Postgres.thaw)
        await replayed(journal)
    await assert_all_told_once(frail, told)


@pytest.fixture
async def operator(frail: Store, frail_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else at the same database, who may lock it."""
    connection = await asyncpg.connect(frail_url)
    yield connection
    await connection.close()


END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def test_a_key_whose_transaction_the_server_ends_is_not_refused(
    frail: Store, frail_url: str, operator: asyncpg.Connection, spool: Path
) -> None:
    """A restart by an administrator says 57P01 to a single fact: it must be tried again."""
    [call] = await calls(frail, 1)
    async with running(frail, spool, 5.0) as journal:
        transaction = operator.transaction()
        await transaction.start()
        await operator.execute("LOCK TABLE registrations")
        wish = journal.record(asked(call.msisdn, NOW, call.attempt_id))
        await waits_for_lock(frail_url)
        await operator.execute(END_OTHERS)
        assert await wish is Kept.SPOOLED
        await transaction.rollback()
        await replayed(journal)
    [callback] = await all_rows(frail, Callback)
    assert callback["msisdn"] == call.msisdn
    assert refused_in(spool) == []


async def test_a_read_only_database_keeps_facts_waiting_and_refuses_none(
    frail: Store, operator: asyncpg.Connection, spool: Path
) -> None:
    """A failover: the server we are connected to has become the copy."""
    told, reports = await calls(frail, 3), Reports()
    name = await operator.fetchval("SELECT current_database()")
    async with running(frail, spool, 5.0) as journal:
        await operator.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await operator.execute(END_OTHERS)
        await asyncio.gather(*(reports.tell(journal, story(call)) for call in told))
        assert set(reports.kept) == {Kept.SPOOLED}
        await operator.execute("SET default_transaction_read_only = off")
        await operator.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await operator.execute(END_OTHERS)
        await replayed(journal)
    await assert_all_told_once(frail, told)
    assert refused_in(spool) == []


async def test_a_refused_fact_does_not_multiply_the_patience_of_the_others(
    frail: Store, operator: asyncpg.Connection, spool: Path
) -> None:
    """The batch is written fact by fact, and then the store does not answer any more."""
    stray = KeyPressed(uuid4(), numbers(1)[0], "1", "inviting", NOW)
    loop = asyncio.get_running_loop()
    async with running(frail, spool, PATIENCE) as journal:
        transaction = operator.transaction()
        await transaction.start()
        await operator.execute("LOCK TABLE callbacks")
        began = loop.time()
        bad = journal.record(stray)
        wishes = [journal.record(wants_advice(msisdn, NOW)) for msisdn in numbers(8)]
        assert [await wish for wish in wishes] == [Kept.SPOOLED] * 8
        assert loop.time() - began < PATIENCE + MARGIN
        with pytest.raises(TstnError):
            await bad
        await transaction.rollback()
        await replayed(journal)
    assert len(await all_rows(frail, Callback)) == 8
    assert len(refused_in(spool)) == 1


LOCKER = """
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
file.execute("ROLLBACK")
"""


class Locker:
    """Another process that holds an SQLite file."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", LOCKER, url.removeprefix("sqlite:///")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "locked\n"

    def let_go(self) -> None:
        self._process.communicate("")


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_file_that_another_process_holds_costs_no_fact(
    store: Store, store_url: str, spool: Path
) -> None:
    told, reports = await calls(store, 10), Reports()
    async with running(store, spool, PATIENCE) as journal:
        tasks = [asyncio.create_task(reports.tell(journal, story(call))) for call in told]
        await reports.until(Kept.COMMITTED, 30)
        locker = Locker(store_url)
        await reports.until(Kept.SPOOLED, 30)
        locker.let_go()
        await asyncio.gather(*tasks)
        await replayed(journal)
        again = await journal.record(pressed(told[0], "9", NOW))
    assert again is Kept.COMMITTED
    assert max(reports.seconds) < PATIENCE + MARGIN
    keys = [row for row in await all_rows(store, KeyPress) if row["key"] != "9"]
    assert len(keys) == 10 * KEYS_A_CALL
    assert refused_in(spool) == []
