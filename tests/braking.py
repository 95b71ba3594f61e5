"""The brakes of a server whose clock and queue the test moves, and calls to measure by. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from dialer.brake_steps import BrakeSetting
from dialer.brakes import BreakerRule
from dialer.braking import Braking
from domain.agents_queue import QueueView
from domain.dispositions import Disposition
from domain.states import BrakeCause
from store import brakes
from store.apply import apply
from store.brakes import Change, Scope
from store.claims import Claimed
from store.engine import Store
from store.facts import Fact
from store.models import Brake, Campaign
from tests.dialling import PLENTY
from tests.integration.test_dialer_callbacks import SETTING
from tests.rows import BY_NINE, NOW, all_rows, answered, claim_some, ended, pressed

HOLD = timedelta(seconds=60)
PAUSE = timedelta(seconds=30)
BRAKES = BrakeSetting(
    node="node1",
    trunk="carrier",
    causes=frozenset(BrakeCause),
    hold=HOLD,
    late_share=0.02,
    tolerable_seconds=30,
    breaker=BreakerRule(calls=10, share=0.5, probes=3, pause=PAUSE),
    defaults=PLENTY,
    callbacks=SETTING,
    target_by=BY_NINE,
    holidays={},
)


@dataclass
class Queue:
    """The 9090 queue as it is said to stand."""

    view: QueueView | None = None

    def stands(self, waiting: int, free_agents: int) -> None:
        self.view = QueueView(waiting, free_agents, NOW)


class Server:
    """The brakes of one server."""

    def __init__(self, store: Store, now: datetime = NOW, **changes: Any) -> None:
        self.now = now
        self.store = store
        self.queue = Queue()
        setting = replace(BRAKES, **changes)
        self.braking = Braking(store, setting, lambda: self.now, self.queue)

    async def promise(self, after: timedelta = timedelta()) -> float:
        """The factor that the promise leaves, some time later."""
        self.now += after
        await self.braking.judge_promise()
        return await self.factor(BrakeCause.PROMISE)

    async def takes(self, after: timedelta = timedelta()) -> float:
        """The factor that the queue leaves."""
        self.now += after
        await self.braking.judge_queue()
        return await self.factor(BrakeCause.QUEUE)

    async def congested(self, after: timedelta = timedelta()) -> float:
        """0 while the trunk's breaker is open."""
        self.now += after
        await self.braking.judge_congestion()
        return await self.factor(BrakeCause.CONGESTION)

    async def factor(self, cause: BrakeCause) -> float:
        return min((row["factor"] for row in await self.rows(cause)), default=1.0)

    async def rows(self, cause: BrakeCause) -> Sequence[dict[str, Any]]:
        return [row for row in await self.store.read(brakes.all_of) if row["cause"] == cause]


async def calls(
    store: Store,
    campaign: Campaign,
    count: int,
    *,
    at: datetime = NOW,
    disposition: Disposition = Disposition.ANSWERED,
    keys: str = "",
) -> list[Claimed]:
    """So many calls of ten seconds' ringing and twenty of talking; each presses these keys."""
    claimed = await claim_some(store, campaign, limit=count, now=at - timedelta(seconds=30))
    assert len(claimed) == count
    facts: list[Fact] = []
    for one in claimed:
        picked_up = at - timedelta(seconds=20)
        if disposition is Disposition.ANSWERED:
            facts.append(answered(one, picked_up))
            facts += [pressed(one, key, at - timedelta(seconds=5)) for key in keys]
        facts.append(ended(one, disposition, at))
    await store.write(apply, facts, BY_NINE)
    return claimed


async def draw_brakes(store: Store, campaign: Campaign, now: datetime = NOW) -> tuple[int, int]:
    """A brake of the campaign, and a breaker that has just opened; gives their ids."""
    own = Scope(BrakeCause.PROMISE, campaign_id=campaign.id)
    late = "with 3 agents, 41 of 120 call-backs would be late within an hour of full rate"
    await store.write(brakes.put, own, Change(0.25, late), now - timedelta(minutes=7))
    trunk = Scope(BrakeCause.CONGESTION, trunk="carrier")
    refused = "9 of the last 10 calls were refused: 8 congestion, 1 unexpected cause"
    probe_at = now + timedelta(minutes=2)
    await store.write(brakes.put, trunk, Change(0.0, refused, probe_at, 1), now)
    first, second = await all_rows(store, Brake)
    return first["id"], second["id"]
