"""The spool: a queue on disk that outlives its process, its store and a full disk. I/O."""

import asyncio
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import TstnError
from lab.ports import free_ports
from store.engine import Store, open_store
from store.facts import Fact, Kept, encode
from store.journal import Journal
from store.models import Callback, KeyPress, Registration
from store.spool import Spool, SpoolError
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
from tests.rows import NOW, all_rows, asked, numbers, pressed, wants_advice

pytestmark = pytest.mark.usefixtures("quick_probes")


@pytest.fixture
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.journal._PROBE_SECONDS", 0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.sqlite"


def nobody() -> Store:
    """A store that is not there."""
    return open_store(f"postgresql://tstn@127.0.0.1:{free_ports(1)[0]}/tstn")


@contextmanager
def broken(path: Path) -> Iterator[None]:
    """The spool can't be written meanwhile: its table is away."""
    with closing(sqlite3.connect(path)) as file:
        file.execute("ALTER TABLE facts RENAME TO facts_away")
    try:
        yield
    finally:
        with closing(sqlite3.connect(path)) as file:
            file.execute("ALTER TABLE facts_away RENAME TO facts")


async def test_facts_come_out_in_the_order_they_went_in_whoever_opens_it(path: Path) -> None:
    facts: list[Fact] = [asked(msisdn, NOW) for msisdn in numbers(7)]
    first = Spool(path)
    await first.keep(facts[:3])
    await first.keep(facts[3:])
    assert first.waiting == 7
    first.close()
    second = Spool(path)
    assert second.waiting == 7
    entries = await second.oldest(5)
    assert [fact for _, fact in entries] == facts[:5]
    await second.remove([place for place, _ in entries[:4]])
    assert second.waiting == 3
    assert [fact for _, fact in await second.oldest(100)] == facts[4:]
    await second.keep([])
    second.close()


async def test_a_spool_that_can_not_be_opened_says_which(tmp_path: Path) -> None:
    broken_file = tmp_path / "broken.sqlite"
    broken_file.write_bytes(b"not a database " * 500)
    for bad in (broken_file, tmp_path, broken_file / "spool.sqlite"):
        with pytest.raises(SpoolError, match=str(bad)):
            Spool(bad)


DYING = """
import asyncio, sys
from pathlib import Path
from store.engine import open_store
from store.facts import decode
from store.journal import Journal
from store.spool import Spool
from datetime import time

async def main():
    store = open_store(sys.argv[1])
    journal = Journal(store, Spool(Path(sys.argv[2])), time(21), 0.3)
    running = asyncio.create_task(journal.run())
    facts = [decode(line) for line in Path(sys.argv[3]).read_bytes().splitlines()]
    for kept in [journal.record(fact) for fact in facts]:
        print(await kept, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_what_was_kept_is_there_after_a_kill(store: Store, path: Path) -> None:
    """The process is killed the moment it has said `spooled`; the next one tells the store."""
    told = await calls(store, 2)
    facts = [fact for call in told for fact in story(call)]
    await asyncio.to_thread(_die_telling, facts, path)
    assert len(await all_rows(store, KeyPress)) == 0
    async with running(store, path) as journal:
        assert journal.spooled == len(facts)
        await replayed(journal)
    await assert_all_told_once(store, told)


def _die_telling(facts: list[Fact], path: Path) -> None:
    lines = path.with_name("facts")
    lines.write_bytes(b"\n".join(map(encode, facts)))
    nowhere = f"postgresql://tstn@127.0.0.1:{free_ports(1)[0]}/tstn"
    process = subprocess.Popen(
        [sys.executable, "-c", DYING, nowhere, str(path), str(lines)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in facts] == ["spooled\n"] * len(facts)
    process.send_signal(signal.SIGKILL)
    process.communicate()


async def test_many_spooled_facts_are_replayed_in_order_and_new_ones_are_taken(
    store: Store, path: Path
) -> None:
    told = await calls(store, 50)
    before = Spool(path)
    await before.keep([fact for call in told[:40] for fact in story(call)])
    before.close()
    reports = Reports()
    async with running(store, path) as journal:
        await asyncio.gather(*(reports.tell(journal, story(call)) for call in told[40:]))
        await replayed(journal)
    await assert_all_told_once(store, told)


async def test_a_line_that_can_not_be_read_is_set_aside_and_stops_nothing(
    store: Store, path: Path
) -> None:
    """Another version's fact, or damage: the facts around it are told all the same."""
    [call] = await calls(store, 1)
    spool = Spool(path)
    await spool.keep(story(call)[:5])
    with closing(sqlite3.connect(path)) as file:
        for body in (b"", b"null", b'{"fact": "Rumour"}', b'{"fact": "Answered"}', b"\xff\x00"):
            file.execute("INSERT INTO facts (body) VALUES (?)", (body,))
        file.commit()
    await spool.keep(story(call)[5:])
    spool.close()
    async with running(store, path) as journal:
        await replayed(journal)
        assert await journal.record(wants_advice(call.msisdn, NOW)) is Kept.COMMITTED
    assert len(await all_rows(store, KeyPress)) == KEYS_A_CALL
    assert len(await all_rows(store, Registration)) == 1
    assert len(refused_in(path)) == 5


async def test_where_neither_takes_it_the_caller_is_told_so(path: Path) -> None:
    """Nothing is promised; and when the spool is well again, the next key is kept."""
    async with running(nobody(), path) as journal:
        assert await journal.record(asked(numbers(1)[0], NOW)) is Kept.SPOOLED
        with broken(path):
            futures = [journal.record(asked(msisdn, NOW)) for msisdn in numbers(5)]
            for future in futures:
                with pytest.raises(SpoolError):
                    await future
        assert await journal.record(asked(numbers(1)[0], NOW)) is Kept.SPOOLED
        assert journal.spooled == 2


async def test_a_waiter_that_is_gone_loses_no_fact_and_harms_no_other(path: Path) -> None:
    msisdns = numbers(3)
    async with running(nobody(), path) as journal:
        with broken(path):
            futures = [journal.record(asked(msisdn, NOW)) for msisdn in msisdns]
            futures[0].cancel()
            for future in futures[1:]:
                with pytest.raises(SpoolError):
                    await future
        futures = [journal.record(asked(msisdn, NOW)) for msisdn in msisdns]
        futures[0].cancel()
        assert [await future for future in futures[1:]] == [Kept.SPOOLED] * 2
        assert journal.spooled == 3


async def test_a_fact_that_is_no_json_takes_nobody_with_it_while_the_store_is_away(
    path: Path,
) -> None:
    impossible = replace(asked("+84900000099", NOW), evidence={"raw": b"\xff"})
    async with running(nobody(), path) as journal:
        before = journal.record(asked(numbers(1)[0], NOW))
        bad = journal.record(impossible)
        after = journal.record(asked(numbers(2)[1], NOW))
        with pytest.raises(TstnError):
            await bad
        assert [await before, await after] == [Kept.SPOOLED] * 2
        assert journal.spooled == 2


async def test_a_spool_that_is_broken_while_the_store_refuses_stops_nothing(
    store: Store, path: Path
) -> None:
    [call] = await calls(store, 1)
    async with running(store, path) as journal:
        with closing(sqlite3.connect(path)) as file:
            file.execute("DROP TABLE refused")
        with pytest.raises(TstnError):
            async with asyncio.timeout(5):
                await journal.record(asked(call.msisdn, NOW, campaign_id=999))
        assert await journal.record(pressed(call, "1", NOW)) is Kept.COMMITTED
    assert len(await all_rows(store, KeyPress)) == 1


async def test_a_spool_that_breaks_before_the_replay_is_replayed_when_it_is_well(
    store: Store, path: Path
) -> None:
    [call] = await calls(store, 1)
    spool = Spool(path)
    await spool.keep(story(call))
    async with running(store, spool) as journal:
        with broken(path):
            assert await journal.record(wants_advice(call.msisdn, NOW)) is Kept.COMMITTED
            await _tried(journal)
        await replayed(journal)
    spool.close()
    assert len(await all_rows(store, KeyPress)) == KEYS_A_CALL
    assert len(await all_rows(store, Callback)) == 2


async def _tried(journal: Journal) -> None:
    """Returns once the replay has had the time for several tries."""
    for _ in range(3):
        before = journal.spooled
        await asyncio.sleep(0.06)
        assert journal.spooled == before


async def test_a_full_disk_is_told_and_room_again_is_used(path: Path) -> None:
    """The kernel refuses to let the file grow (EFBIG), as a full disk does: at the commit."""
    spool = Spool(path)
    await spool.keep([asked(msisdn, NOW) for msisdn in numbers(2000)])
    size = max(file.stat().st_size for file in path.parent.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    many = [asked(msisdn, NOW) for msisdn in numbers(4000, first=2000)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        with pytest.raises(SpoolError):
            await spool.keep(many)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert spool.waiting == 2000
    await spool.keep(many)
    assert spool.waiting == 6000
    assert len(await spool.oldest(10_000)) == 6000
    spool.close()
