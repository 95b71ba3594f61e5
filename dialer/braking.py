"""The ticks of the brakes: judge what the rows say, write a brake where it changes. I/O.

Rows are judged anew at each tick, so a process that dies within one loses nothing. On PostgreSQL
one node at a time does it; the queue is each node's own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from dialer import brake_congestion, brake_promise, brake_queue
from dialer.brake_steps import OFF, BrakeSetting
from dialer.promise_outlook import judge
from domain.agents_queue import QueueView
from domain.clock import Clock
from domain.states import BrakeCause
from store.engine import Store

Tick = tuple[str, Callable[[], Awaitable[None]], float]


class AgentsQueue(Protocol):
    """Where key 3 leads; `view` is None while it is not known how the queue stands."""

    @property
    def view(self) -> QueueView | None: ...


class Braking:
    """Judges the brakes of one server."""

    def __init__(
        self, store: Store, setting: BrakeSetting, clock: Clock, agents: AgentsQueue | None = None
    ) -> None:
        self._store = store
        self._setting = setting
        self._clock = clock
        self._agents = agents

    def ticks(self) -> Sequence[Tick]:
        """Their names, work, and the seconds between two."""
        return (
            ("brake-promise", self.judge_promise, 10.0),
            ("brake-queue", self.judge_queue, 3.0),
            ("brake-congestion", self.judge_congestion, 2.0),
        )

    async def judge_promise(self) -> None:
        """Whether call-backs would be late, if the running campaigns went on for another hour."""
        setting, now = self._setting, self._clock()
        wanted, reason = 1.0, OFF
        if BrakeCause.PROMISE in setting.causes:
            seen = await self._store.read(brake_promise.outlook, setting, now)
            # Thousands of call-backs take a while: beside the event loop.
            wanted, reason = await asyncio.to_thread(judge, seen, setting.promise_rule, now)
        await self._store.write(brake_promise.put, setting, wanted, reason, now)

    async def judge_queue(self) -> None:
        """Whether those who will press 3 find an agent in time."""
        setting, now = self._setting, self._clock()
        view = self._agents.view if self._agents is not None else None
        load = await self._store.read(brake_queue.look, setting, view, now)
        await self._store.write(brake_queue.put, setting, load, now)

    async def judge_congestion(self) -> None:
        """Whether the trunk takes calls."""
        await self._store.write(brake_congestion.put, self._setting, self._clock())
