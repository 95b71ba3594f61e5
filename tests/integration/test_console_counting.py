"""No page waits for a count of millions: it shows what is known, and counts take turns. I/O."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import ParamSpec, TypeVar

import pytest
from sqlalchemy import Connection, text

from console import campaign_tally
from domain.roles import Role
from store.engine import Operation, Store
from tests.consoles import Rig, Visitor, console
from tests.rows import make_campaign, numbers

P = ParamSpec("P")
T = TypeVar("T")

_COUNTS: dict[object, str] = {
    campaign_tally.count: "tally",
    campaign_tally.count_versions: "versions",
}
MOMENT_SECONDS = 2.0
"""What a page grants counts in these tests."""


class Held(Store):
    """The real store, in which counts of campaigns take until they may end."""

    def __init__(self, store: Store) -> None:
        self.may_end = asyncio.Event()
        self.under_way: Counter[str] = Counter()
        self.most_at_once = 0
        self._store = store

    async def write(self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._store.write(operation, *args, **kwargs)

    async def read(self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        kind = _COUNTS.get(operation)
        if kind is None:
            return await self._store.read(operation, *args, **kwargs)
        self.under_way[kind] += 1
        self.most_at_once = max(self.most_at_once, self.under_way.total())
        await self.may_end.wait()
        found = await self._store.read(operation, *args, **kwargs)
        self.under_way[kind] -= 1
        return found

    async def close(self) -> None:
        await self._store.close()


@pytest.fixture
async def held(store: Store) -> Held:
    return Held(store)


@pytest.fixture
async def rig(held: Held, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setattr("console.counting._QUICK_SECONDS", MOMENT_SECONDS)
    for name in ("mekong", "bac", "trung"):
        await make_campaign(held, numbers(3), name=name, variants={"vi-1": 1, "vi-2": 1})
    async with console(held) as served:
        yield served
        held.may_end.set()


@pytest.fixture
async def operator(rig: Rig) -> AsyncIterator[Visitor]:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.OPERATOR)
        yield visitor


@pytest.mark.parametrize("path", ["/campaigns/1", "/campaigns"])
async def test_a_page_gives_all_counts_together_one_moment(
    held: Held, operator: Visitor, path: str
) -> None:
    said: list[str] = []
    took: list[float] = []
    for _ in range(4):
        began = time.monotonic()
        said.append(await operator.text(path))
        took.append(time.monotonic() - began)
    assert MOMENT_SECONDS <= took[0] < 2 * MOMENT_SECONDS
    assert min(took[1:]) < MOMENT_SECONDS  # the quickest of them, since the machine may be busy
    assert held.under_way
    if path != "/campaigns":
        assert all("Đang đếm" in one for one in said)


async def test_big_counts_go_one_after_the_other(held: Held, operator: Visitor) -> None:
    for number in (1, 2, 3):
        await operator.text(f"/campaigns/{number}")
    assert held.under_way.total() == 1
    held.may_end.set()
    async with asyncio.timeout(10):
        while "Đang đếm" in await operator.text("/campaigns/3"):
            await asyncio.sleep(0.01)
    assert held.most_at_once == 1


async def test_postgresql_counts_with_one_processor(store: Store) -> None:
    def workers(connection: Connection) -> str:
        if connection.dialect.name != "postgresql":
            return "0"
        return str(connection.execute(text("SHOW max_parallel_workers_per_gather")).scalar_one())

    assert await store.read(workers) == "0"
