"""The real dialler over a real store, in a world whose clocks and carrier the test moves. I/O."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from dialer.engine import Engine, EngineSetting
from domain.dispositions import Disposition
from domain.states import AttemptState
from store import campaigns
from store.apply import apply
from store.claims import Claimed
from store.engine import Store
from store.limits import Caps
from store.models import Attempt
from tests.rows import BY_NINE, NOW, all_rows, ended

PLENTY = Caps(cps=1000, max_channels=1000)


@dataclass
class Carrier:
    """The dialler's Originator: keeps calls open, ends them at once, or refuses them."""

    store: Store
    now: Callable[[], datetime]
    ready: bool = True
    refuses: bool = False
    ends: Mapping[str, Disposition] | Disposition | None = None
    """How calls end at once: all of them, or those to these numbers; the others stay open."""
    dialled: list[tuple[datetime, Claimed]] = field(default_factory=list)
    unwritten: list[str] = field(default_factory=list)
    """Numbers that were dialled without an open attempt in the store."""

    @property
    def numbers(self) -> list[str]:
        return [attempt.msisdn for _, attempt in self.dialled]

    @property
    def open(self) -> list[Claimed]:
        return [attempt for _, attempt in self.dialled if self._end_of(attempt) is None]

    def _end_of(self, attempt: Claimed) -> Disposition | None:
        if isinstance(self.ends, Disposition):
            return self.ends
        return self.ends.get(attempt.msisdn) if self.ends else None

    async def originate(self, attempt: Claimed) -> bool:
        if await self.store.read(_state_of, attempt.attempt_id) != AttemptState.DIALLING:
            self.unwritten.append(attempt.msisdn)
        if self.refuses:
            await self.end(attempt, Disposition.NOT_DIALLED)
            return False
        self.dialled.append((self.now(), attempt))
        end = self._end_of(attempt)
        if end is not None:
            await self.end(attempt, end)
        return True

    async def end(self, attempt: Claimed, disposition: Disposition) -> None:
        fact = ended(attempt, disposition, self.now())
        await self.store.write(apply, [fact], BY_NINE)


class World:
    """One dialler, its carrier, and both clocks; they move only by `passes` and `jump`."""

    def __init__(self, store: Store, *, now: datetime = NOW, **setting: Any) -> None:
        self.store = store
        self.now = now
        self.monotonic = 500.0
        self.carrier = Carrier(store, lambda: self.now)
        values: dict[str, Any] = {
            "node": "node1",
            "trunk": "carrier",
            "defaults": PLENTY,
            "scripts": frozenset({"vi-1"}),
            "max_call_seconds": 300,
            "holidays": dict[date, bool](),
            "tick_seconds": 0.05,
            "do_not_call_days": 30,
        }
        self.engine = Engine(
            EngineSetting(**(values | setting)),
            store,
            self.carrier,
            lambda: self.now,
            lambda: self.monotonic,
        )

    async def tick(self) -> None:
        """One round of the dialler, and the dials that come of it."""
        await self.engine.tick()
        await settled()

    async def passes(self, seconds: float, step: float = 0.1) -> None:
        """Time goes by, tick by tick."""
        began, monotonic = self.now, self.monotonic
        for number in range(1, round(seconds / step) + 1):
            self.now = began + timedelta(seconds=number * step)
            self.monotonic = monotonic + number * step
            await self.tick()

    async def jump(self, to: datetime) -> None:
        """Time goes by unseen, as with a server that sleeps; then two seconds of ticks."""
        self.monotonic += (to - self.now).total_seconds()
        self.now = to
        await self.tick()
        await self.passes(2, 0.25)

    async def tune(self, name: str, **knobs: Any) -> None:
        campaign = await self.store.read(campaigns.by_name, name)
        await self.store.write(campaigns.tune, campaign, knobs, self.now)

    async def most_open_at_once(self) -> int:
        return sum(row["state"] != "ended" for row in await all_rows(self.store, Attempt))

    def times_dialled(self) -> Counter[str]:
        return Counter(self.carrier.numbers)


def _state_of(connection: Connection, attempt_id: UUID) -> str | None:
    return connection.scalar(select(Attempt.state).where(Attempt.id == attempt_id))


async def settled() -> None:
    """Returns once no task but the test's own is left: the dials have been carried out."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.gather(*(task for task in others if task is not None))
