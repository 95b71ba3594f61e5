"""The engine: claim ahead, originate, settle what ended. Rows decide what is dialled. I/O."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Protocol

from sqlalchemy import Connection

from dialer.capacity import Capacity, InUse
from dialer.orders import Orders, read_orders
from dialer.settling import settle_ended
from dialer.sharing import Sharing, Want
from dialer.variants import version_of, versions
from domain.agents_queue import QueueView
from domain.clock import Clock
from domain.errors import StoreUnavailable
from domain.pacing import Monotonic
from domain.states import Purpose
from store import attempts, brakes, campaigns, gate, trial_calls, variants
from store.claims import Claimed, ClaimOrder, claim
from store.engine import Store
from store.limits import Caps
from store.locks import lock_claims
from store.models import Campaign

log = logging.getLogger(__name__)

_CLAIM_AT_ONCE = 50
_ORDERS_HOLD_SECONDS = 1.5
"""No dial by older ones: what an operator changes holds within two seconds."""
_NOTHING_DUE_SECONDS = 0.5
_STORE_AWAY_SECONDS = 1.0
_FIRST_HOLD_SECONDS, _LONGEST_HOLD_SECONDS = 1.0, 30.0


class Originator(Protocol):
    """Who dials. `originate` records every result itself and raises for none.

    It answers False where its Asterisk or trunk took no call at all: hold back for a while.
    """

    ready: bool

    async def originate(self, attempt: Claimed) -> bool: ...


class AgentsQueue(Protocol):
    """Where key 3 leads; `view` is None while it is not known how the queue stands."""

    @property
    def view(self) -> QueueView | None: ...


@dataclass(frozen=True)
class EngineSetting:
    """What an operator sets for the dialler; `defaults` hold where the store has no limits.

    `scripts` are the script versions whose prompts this server can play.
    """

    node: str
    trunk: str
    defaults: Caps
    scripts: frozenset[str]
    max_call_seconds: int
    holidays: Mapping[date, bool]
    tick_seconds: float
    do_not_call_days: int
    probes: int = 3
    """Dials at once that an open breaker lets through after its pause."""


class Engine:
    """Dials all running campaigns of this server through one trunk.

    `why_idle` says of each running campaign that does not dial, or more slowly than it might, what
    it waits for.
    """

    def __init__(
        self,
        setting: EngineSetting,
        store: Store,
        originator: Originator,
        clock: Clock,
        monotonic: Monotonic = time.monotonic,
        agents: AgentsQueue | None = None,
    ) -> None:
        self.why_idle: dict[str, str] = {}
        self._setting = setting
        self._store = store
        self._originator = originator
        self._agents = agents
        self._clock = clock
        self._monotonic = monotonic
        self.capacity = Capacity(setting.defaults, monotonic)
        self._orders = Orders()
        self._nothing_due_until: dict[int, float] = {}
        self._sharing = Sharing()
        self._next_run: dict[str, float] = {}
        self._refusals = 0
        self._held_until = 0.0
        self._dials: set[asyncio.Task[None]] = set()

    @property
    def alarms(self) -> Sequence[dict[str, Any]]:
        """Every brake that is drawn."""
        return self._orders.brakes.alarms

    @property
    def queue_view(self) -> QueueView | None:
        """How many wait for a 9090 agent, and how many agents are free."""
        return self._agents.view if self._agents is not None else None

    async def run(self) -> None:
        """Dial, and see to the rows meanwhile, until cancelled; dials under way are waited for."""
        try:
            # Beside each other: a dial that waited for the other's transactions would be late, and
            # what is late by more than a bucket holds is never dialled at its rate.
            async with asyncio.TaskGroup() as both:
                both.create_task(self._repeat(self._see_to_rows))
                both.create_task(self._repeat(self._dial_due))
        finally:
            if self._dials:
                await asyncio.wait(self._dials)

    async def tick(self) -> None:
        """One round of each. Raises StoreUnavailable."""
        await self._see_to_rows()
        await self._dial_due()

    async def _repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            began = self._monotonic()
            try:
                await work()
                pause = max(0.0, self._setting.tick_seconds - (self._monotonic() - began))
            except StoreUnavailable as error:
                log.warning("no dialling: %s", error)
                pause = _STORE_AWAY_SECONDS
            await asyncio.sleep(pause)

    async def _see_to_rows(self) -> None:
        await self._every(0.5, self._read_orders)
        await self._every(0.5, self._settle)
        await self._every(1.0, self._finish)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        now = self._monotonic()
        if now >= self._next_run.get(work.__name__, 0.0):
            self._next_run[work.__name__] = now + seconds
            await work()

    async def _read_orders(self) -> None:
        setting = self._setting
        of = (setting.trunk, setting.node, setting.holidays)
        orders = await self._store.read(read_orders, *of, self._clock(), self._monotonic())
        self._orders = orders
        self.capacity.set_limits(orders.caps)
        self.capacity.set_brakes(orders.factors(), {setting.trunk: orders.brakes.trunk})
        self.why_idle = {
            row.name: why
            for row in orders.running
            if (why := self._why_not(row, orders) or orders.brakes.slowed(row.id)) is not None
        }

    def _why_not(self, campaign: Campaign, orders: Orders) -> str | None:
        """Why a running campaign must not dial now, or None."""
        if not self._originator.ready:
            return "Asterisk is not there"
        heard = versions(campaign.variants, campaign.script_version)
        if missing := [each for each in heard if each not in self._setting.scripts]:
            return f"the prompts of script {' and '.join(missing)} are not built"
        closed = orders.closed(campaign, self._setting.do_not_call_days, self._clock())
        if closed is not None:
            return closed
        if self._monotonic() < self._held_until:
            return f"the trunk {self._setting.trunk} takes no calls"
        breaker = orders.brakes.breaker
        if breaker is not None and self._clock() < breaker["until"]:
            at = breaker["until"].isoformat(timespec="seconds")
            return f"the trunk {self._setting.trunk} is not dialled until {at}: {breaker['reason']}"
        return None

    def _open(self) -> dict[int, Campaign]:
        """The campaigns that may dial now; none where that is not known any more."""
        orders = self._orders
        if self._monotonic() - orders.asked_at > _ORDERS_HOLD_SECONDS:
            return {}
        return {row.id: row for row in orders.running if self._why_not(row, orders) is None}

    async def _dial_due(self) -> None:
        now = self._monotonic()
        due = {
            identity
            for identity, campaign in self._open().items()
            if now >= self._nothing_due_until.get(identity, 0.0)
            and self.capacity.tokens(campaign, self._setting.trunk) > 0
        }
        if not due:
            return
        claiming = asyncio.ensure_future(self._store.write(self._claim, due))
        try:
            self._start_dials(await asyncio.shield(claiming))
        except asyncio.CancelledError:
            # The claim is committed all the same, and nobody else would dial it.
            with suppress(StoreUnavailable):
                self._start_dials(await claiming)
            raise

    def _start_dials(self, claimed: list[Claimed]) -> None:
        for attempt in claimed:
            task = asyncio.create_task(self._dial(attempt))
            self._dials.add(task)
            task.add_done_callback(self._dials.discard)

    def _claim(self, connection: Connection, due: Set[int]) -> list[Claimed]:
        claimed: list[Claimed] = []
        lock_claims(connection)
        in_use = attempts.open_channels(connection) | trial_calls.open_channels(connection)
        # The transaction may have had to wait: look again.
        hungry = {identity: row for identity, row in self._open().items() if identity in due}
        while hungry and (calls := self._calls(connection, in_use)) > 0:
            wants = [self._want(row, in_use) for row in hungry.values()]
            picks = self._sharing.plan(calls, wants)
            planned = Counter(pick.id for pick in picks)
            taken = {
                identity: self._take(connection, hungry[identity], count, in_use)
                for identity, count in planned.items()
            }
            claimed += [attempt for found in taken.values() for attempt in found]
            counts = {identity: len(found) for identity, found in taken.items()}
            self._sharing.charge(picks, counts)
            # What some could not use goes to the others: once more without them.
            short = {identity for identity, count in planned.items() if counts[identity] < count}
            hungry = {key: row for key, row in hungry.items() if key not in short} if short else {}
        return claimed

    def _calls(self, connection: Connection, in_use: InUse) -> int:
        """How many calls all campaigns together may start now."""
        calls = self.capacity.shared(self._setting.trunk, in_use)
        breaker = self._orders.brakes.breaker
        if breaker is None or calls <= 0:
            return calls
        most, since = self._setting.probes, breaker["until"]
        return min(calls, most - brakes.probing(connection, self._setting.trunk, since, most))

    def _want(self, campaign: Campaign, in_use: InUse) -> Want:
        most = self.capacity.own(campaign, self._setting.trunk, in_use)
        return Want(campaign.id, campaign.priority, campaign.cps, min(most, _CLAIM_AT_ONCE))

    def _take(
        self, connection: Connection, campaign: Campaign, count: int, in_use: InUse
    ) -> list[Claimed]:
        taken = claim(connection, self._order(campaign, count))
        if campaign.variants:
            taken = variants.split(connection, taken, _version_of(campaign))
        self.capacity.take(campaign, self._setting.trunk, len(taken), in_use)
        if not taken:
            self._nothing_due_until[campaign.id] = self._monotonic() + _NOTHING_DUE_SECONDS
        return taken

    def _order(self, campaign: Campaign, count: int) -> ClaimOrder:
        return ClaimOrder(
            campaign_id=campaign.id,
            limit=count,
            now=self._clock(),
            ring_timeout_seconds=campaign.ring_timeout_seconds,
            max_call_seconds=self._setting.max_call_seconds,
            node=self._setting.node,
            trunk=self._setting.trunk,
            script_version=campaign.script_version,
            may_refuse=campaign.purpose == Purpose.ADVERTISING,
        )

    async def _dial(self, attempt: Claimed) -> None:
        if await self._originator.originate(attempt):
            self._refusals = 0
            return
        hold = min(_LONGEST_HOLD_SECONDS, _FIRST_HOLD_SECONDS * 2.0 ** min(self._refusals, 8))
        if self._monotonic() >= self._held_until:  # one refusal a hold, not one a call in flight
            self._refusals += 1
            self._held_until = self._monotonic() + hold

    async def _settle(self) -> None:
        await self._store.write(settle_ended, self._clock())

    async def _finish(self) -> None:
        await self._store.write(gate.free, self._clock())
        for name in await self._store.write(campaigns.finish_exhausted, self._clock()):
            log.info("campaign %s is finished: no number is left to dial", name)


def _version_of(campaign: Campaign) -> Callable[[str], str]:
    """The script version that a number of the campaign hears."""
    return partial(version_of, campaign.variants, campaign.script_version, campaign.id)
