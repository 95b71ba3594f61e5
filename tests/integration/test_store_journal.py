"""The journal while all is well, and with facts that no database would take. I/O."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from domain.dispositions import Disposition
from domain.errors import TstnError
from store.engine import Store
from store.facts import Fact, Kept, KeyPressed, RegistrationAsked
from store.journal import Journal
from store.models import Attempt, Callback, KeyPress, Registration
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
from tests.rows import NOW, all_rows, asked, ended, pressed, wants_advice

NAIVE = datetime(2021, 4, 1, 10, 0)  # noqa: DTZ001


class Counting(Store):
    """The real store, and how many transactions it was asked for."""

    def __init__(self, store: Store) -> None:
        self.transactions = 0
        self._store = store

    async def write(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        self.transactions += 1
        return await self._store.write(operation, *args, **kwargs)

    async def read(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._store.read(operation, *args, **kwargs)

    async def close(self) -> None:
        await self._store.close()


class Slow(Counting):
    """Its writes end when the test lets them."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()

    async def write(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        self.began.set()
        await self.may_end.wait()
        return await super().write(operation, *args, **kwargs)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool.sqlite"


async def test_calls_of_one_moment_share_a_transaction(store: Store, spool: Path) -> None:
    counting = Counting(store)
    told = await calls(store, 40)
    async with running(counting, spool) as journal:
        facts = [fact for call in told for fact in story(call)]
        kept = await asyncio.gather(*map(journal.record, facts))
    assert kept == [Kept.COMMITTED] * len(facts)
    assert counting.transactions <= 3
    await assert_all_told_once(store, told)


async def test_calls_that_go_on_side_by_side_share_transactions(store: Store, spool: Path) -> None:
    """40 calls of 9 facts, each told once the one before it is committed: 9 rounds, not 360."""
    counting, reports = Counting(store), Reports()
    told = await calls(store, 40)
    async with running(counting, spool) as journal:
        await asyncio.gather(*(reports.tell(journal, story(call)) for call in told))
    assert set(reports.kept) == {Kept.COMMITTED}
    assert counting.transactions <= 36
    await assert_all_told_once(store, told)


async def test_facts_that_trickle_in_wait_for_company(store: Store, spool: Path) -> None:
    """One every 5 ms or so: far fewer transactions than facts."""
    counting = Counting(store)
    [call] = await calls(store, 1)
    async with running(counting, spool) as journal:
        for turn in range(40):
            journal.record(pressed(call, "2", NOW + timedelta(seconds=turn)))
            await asyncio.sleep(0.005)
    assert len(await all_rows(store, KeyPress)) == 40
    assert counting.transactions <= 10


async def test_what_a_subscriber_waits_for_takes_the_others_along(
    store: Store, spool: Path
) -> None:
    counting = Counting(store)
    [call] = await calls(store, 1)
    async with running(counting, spool) as journal:
        key = journal.record(pressed(call, "1", NOW))
        wish = journal.record(asked(call.msisdn, NOW, call.attempt_id))
        assert await wish is Kept.COMMITTED
        assert key.done()
    assert counting.transactions == 1


async def test_what_a_subscriber_waits_for_does_not_carry_the_others(
    store: Store, spool: Path
) -> None:
    [call] = await calls(store, 1)
    async with running(store, spool) as journal:
        end = journal.record(ended(call, Disposition.ANSWERED, NOW))
        assert await journal.record(asked(call.msisdn, NOW, call.attempt_id)) is Kept.COMMITTED
        assert not end.done()
        assert await end is Kept.COMMITTED


async def test_a_flush_waits_for_the_transaction_that_is_under_way(
    store: Store, spool: Path
) -> None:
    """Recovery reads the rows right after it."""
    slow = Slow(store)
    [call] = await calls(store, 1)
    async with running(slow, spool) as journal:
        end = journal.record(ended(call, Disposition.ANSWERED, NOW))
        await slow.began.wait()
        flushing = asyncio.create_task(journal.flush())
        await asyncio.sleep(0)
        slow.may_end.set()
        await flushing
        assert end.done()


async def test_closing_makes_durable_what_has_just_arrived(store: Store, spool: Path) -> None:
    told = await calls(store, 3)
    async with running(store, spool) as journal:
        first = [journal.record(fact) for fact in story(told[0])]
        await asyncio.sleep(0)
        rest = [journal.record(fact) for call in told[1:] for fact in story(call)]
    assert {await future for future in (*first, *rest)} == {Kept.COMMITTED}
    await assert_all_told_once(store, told)


async def test_a_reporter_that_does_not_wait_loses_nothing(store: Store, spool: Path) -> None:
    [call] = await calls(store, 1)
    async with running(store, spool) as journal:
        futures = [journal.record(fact) for fact in story(call)]
        for future in futures:
            future.cancel()
    await assert_all_told_once(store, [call])


UNKNOWN_ATTEMPT: Fact = KeyPressed(uuid4(), "+84900000099", "1", "inviting", NOW)
NO_TIME_ZONE: Fact = wants_advice("+84900000099", NAIVE)
NO_TEXT: Fact = replace(asked("+84900000099", NOW), evidence={"text": "\ud83d", "raw": b"\xff"})
TOO_LONG: Fact = replace(asked("+84900000099" * 20, NOW), campaign_id=2**40)


@pytest.mark.parametrize(
    "impossible",
    [
        pytest.param(UNKNOWN_ATTEMPT, id="of no attempt"),
        pytest.param(NO_TIME_ZONE, id="naive time"),
        pytest.param(NO_TEXT, id="not text"),
        pytest.param(TOO_LONG, id="too long"),
    ],
)
async def test_a_fact_that_is_refused_takes_nobody_with_it(
    store: Store, spool: Path, impossible: Fact
) -> None:
    """Its own caller is promised nothing; the others, and those who come later, are kept."""
    first, second = await calls(store, 2)
    async with running(store, spool) as journal:
        before = [journal.record(fact) for fact in story(first)[:4]]
        bad = journal.record(impossible)
        after = [journal.record(fact) for fact in story(first)[4:]]
        async with asyncio.timeout(10):
            assert {await future for future in (*before, *after)} == {Kept.COMMITTED}
            with pytest.raises(TstnError):
                await bad
            later = [journal.record(fact) for fact in story(second)]
            assert {await future for future in later} == {Kept.COMMITTED}
        assert journal.store_is_up
        assert journal.spooled == 0
    await assert_all_told_once(store, [first, second])
    assert len(refused_in(spool)) == 1


async def test_a_refused_registration_is_not_thanked_for(store: Store, spool: Path) -> None:
    """It stands nowhere in the store, so nobody may be told that it does."""
    wish: RegistrationAsked = asked("+84900000099", NOW, campaign_id=12345)
    async with running(store, spool) as journal:
        with pytest.raises(TstnError):
            await journal.record(wish)
    for table in (Registration, Callback):
        assert await all_rows(store, table) == []
    [(body, why)] = refused_in(spool)
    assert wish.source_id in body.decode()
    assert why


async def test_the_log_of_a_refused_fact_shows_no_number(
    store: Store, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(store, spool) as journal:
        with pytest.raises(TstnError) as told:
            await journal.record(asked("+84912345678", NOW, campaign_id=12345))
    assert "refuse" in caplog.text
    assert "912345678" not in caplog.text + str(told.value)


async def test_refused_facts_of_many_calls_at_once(store: Store, spool: Path) -> None:
    told = await calls(store, 10)
    reports = Reports()

    async def broken(journal: Journal, number: int) -> None:
        for turn in range(5):
            with pytest.raises(TstnError):
                await journal.record(asked(f"+8491000{number:02}{turn:02}", NOW, campaign_id=999))

    async with running(store, spool) as journal:
        await asyncio.gather(
            *(reports.tell(journal, story(call)) for call in told),
            *(broken(journal, number) for number in range(4)),
        )
    assert set(reports.kept) == {Kept.COMMITTED}
    await assert_all_told_once(store, told)
    assert len(refused_in(spool)) == 20
    assert len(await all_rows(store, Attempt)) == 10
    assert len(await all_rows(store, KeyPress)) == 10 * KEYS_A_CALL


async def test_a_table_that_is_missing_is_no_fault_of_the_facts(store: Store, spool: Path) -> None:
    """A schema of another version, a right taken away: they wait until somebody has mended it."""
    told, reports = await calls(store, 2), Reports()
    async with running(store, spool) as journal:
        await store.write(_rename, "registrations", "registrations_away")
        await asyncio.gather(*(reports.tell(journal, story(call)) for call in told))
        assert Kept.SPOOLED in reports.kept
        await store.write(_rename, "registrations_away", "registrations")
        await replayed(journal)
    await assert_all_told_once(store, told)
    assert refused_in(spool) == []


def _rename(connection: Connection, old: str, new: str) -> None:
    connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")
