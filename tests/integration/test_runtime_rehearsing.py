"""`tstn rehearse` over a real store: what it starts from, both columns, nothing written. I/O."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from domain.dispositions import Disposition
from store.apply import apply
from store.engine import Store, open_store
from store.models import Base
from store.ready_targets import ready_targets
from tests.command_line import Tstn, make_directory
from tests.rows import BY_NINE, NOW, all_rows, claim_some, ended, make_campaign, numbers

T = TypeVar("T")
ASKED = ("rehearse", "--campaign", "mekong", "--from", "2021-04-01T10:00", "--hours", "24")


async def test_ready_targets_by_attempts_and_minutes(store: Store) -> None:
    campaign = await make_campaign(store, numbers(5))
    await make_campaign(store, numbers(2, first=50), name="other")
    later = await make_campaign(
        store, numbers(1, first=80), name="later", due=NOW + timedelta(seconds=61)
    )
    assert (await store.read(ready_targets, campaign, NOW)).audience == {(0, 0): 5}
    await claim_some(store, campaign, 2)  # in the air: no longer ready
    assert (await store.read(ready_targets, campaign, NOW)).audience == {(0, 0): 3}
    assert (await store.read(ready_targets, later, NOW)).audience == {(0, 2): 1}


@pytest.fixture
def tstn(tmp_path: Path) -> Tstn:
    made = make_directory(tmp_path)
    made("migrate")
    asyncio.run(_in_store(made, _fill))
    return made


async def _fill(store: Store) -> None:
    campaign = await make_campaign(store, numbers(300), cps=1.0, max_channels=20)
    [attempt] = await claim_some(store, campaign, 1)
    await store.write(apply, [ended(attempt, Disposition.BUSY, NOW)], BY_NINE)


async def _rows(store: Store) -> dict[str, list[dict[str, Any]]]:
    every = [mapper.class_ for mapper in Base.registry.mappers]
    return {row.__tablename__: await all_rows(store, row) for row in every}


async def _in_store(tstn: Tstn, work: Callable[[Store], Awaitable[T]]) -> T:
    store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
    try:
        return await work(store)
    finally:
        await store.close()


def test_present_and_changed_knobs_side_by_side_and_nothing_written(tstn: Tstn) -> None:
    before = asyncio.run(_in_store(tstn, _rows))
    told = tstn.json(*ASKED, "--agents", "4", "cps=2")
    assert (told["ready_targets"], told["agents"], told["changes"]) == (299, 4, ["cps=2"])
    present, changed = told["present"], told["changed"]
    for column in (present, changed):
        assert column["targets_done"] + column["targets_waiting"] == 299
        assert column["most_channels"] <= 20
        assert column["finished_at"] is None or column["finished_at"] > "2021-04-01T03:00"
    assert changed["most_channels"] > 1
    assert present["by_hour"] != changed["by_hour"]
    assert asyncio.run(_in_store(tstn, _rows)) == before


def test_the_same_seed_tells_the_same(tstn: Tstn) -> None:
    first, again, other = [tstn.json(*ASKED, "--seed", seed)["present"] for seed in (7, 7, 8)]
    assert first == again
    assert first != other


def test_for_people_there_are_tables(tstn: Tstn) -> None:
    told = tstn(*ASKED, "--agents", "4", "cps=2")
    for words in ("299 targets are ready, 4 agents", "finished at", "kept in 48 hours", "01/04 10"):
        assert words in told


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--answer-rate", "1.5"), "answer-rate"),
        (("--agents", "-1"), "--agents must be"),
        (("--from", "soon"), "--from soon is no moment"),
        (("cps=0",), "cps"),
        (("--hours", "0"), "--hours must be"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(
    tstn: Tstn, words: tuple[str, ...], why: str
) -> None:
    assert why in tstn.error(*ASKED, *words)
