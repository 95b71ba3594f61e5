"""The engine of text campaigns: posts invitations into the outbox, settles what came of them. I/O.

Each tick is one transaction: a process that dies within it has posted nothing. What is posted goes
out by the outbox, from whatever node has a link; what must not go out any more (a pause, the end of
the window) is held back there, and a stopped campaign's is withdrawn.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import Connection

from dialer.brakes_in_force import InForce, in_force
from dialer.text_outcomes import outcome_of
from dialer.text_pacing import LOOK_BACK, due, due_after, room
from dialer.windows import calendar_or_trouble
from domain.clock import Clock
from domain.errors import StoreUnavailable
from domain.gate import ListAges, shut
from domain.states import CampaignState, ContactScope
from store import brakes, do_not_call, outbox, text_campaigns, text_settlement
from store.engine import Store
from store.models import Campaign
from store.outbox import Post
from store.text_campaigns import Invited

log = logging.getLogger(__name__)

_TICK_SECONDS = 0.25
_STORE_AWAY_SECONDS = 1.0
_MOST_AT_ONCE = 500
_NO_TRUNK = ""


class TextWriter(Protocol):
    """Who puts the campaign's words into the outbox's form."""

    def why_not(self, campaign: Campaign) -> str | None:
        """Why this server can't send the campaign's text, or None."""

    def posts(
        self, connection: Connection, campaign: Campaign, invited: Sequence[Invited]
    ) -> list[Post]:
        """A text to each of them."""


class TextEngine:
    """Runs all text campaigns; `posted` is called when there is something to send.

    `why_idle` says of each running campaign that posts nothing, or more slowly than it might, what
    it waits for.
    """

    def __init__(
        self,
        store: Store,
        writer: TextWriter,
        clock: Clock,
        posted: Callable[[], None],
        holidays: Mapping[date, bool],
        do_not_call_days: int,
    ) -> None:
        self.why_idle: dict[str, str] = {}
        self._store = store
        self._writer = writer
        self._clock = clock
        self._posted = posted
        self._holidays = holidays
        self._do_not_call_days = do_not_call_days
        self._lists: ListAges = {}
        self._brakes = InForce()

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            try:
                await self.tick()
                await asyncio.sleep(_TICK_SECONDS)
            except StoreUnavailable as error:
                log.warning("no invitations are posted: %s", error)
                await asyncio.sleep(_STORE_AWAY_SECONDS)

    async def tick(self) -> None:
        """One round. Raises StoreUnavailable."""
        if await self._store.read(text_settlement.has_unsettled):
            await self._store.write(settle_texts)
        live = await self._store.read(text_campaigns.live)
        self._lists = await self._store.read(do_not_call.ages) if live else {}
        rows = await self._store.read(brakes.all_of) if live else []
        self._brakes = in_force(rows, _NO_TRUNK, _NO_TRUNK, self._clock())
        self.why_idle = {
            row.name: why
            for row in live
            if row.state == CampaignState.RUNNING
            and (why := self._why_not(row) or self._brakes.slowed(row.id)) is not None
        }
        if not live:
            return
        count = await self._store.write(self._step, live)
        if count:
            self._posted()

    def _why_not(self, campaign: Campaign) -> str | None:
        return self._writer.why_not(campaign) or self._closed(campaign, self._clock())

    def _closed(self, campaign: Campaign, now: datetime) -> str | None:
        """Why the gate keeps the whole campaign from sending now, or None."""
        calendar, days = calendar_or_trouble(campaign, self._holidays), self._do_not_call_days
        closed = shut(campaign.purpose, calendar, self._lists, days, now, ContactScope.SMS)
        return None if closed is None else closed.words

    def _step(self, connection: Connection, live: Sequence[Campaign]) -> int:
        """Hold, withdraw, release and post; tell how many texts a link may take now."""
        now = self._clock()
        count = 0
        for campaign in live:
            if campaign.state == CampaignState.STOPPED:
                text_campaigns.withdraw(connection, campaign.id)
            if campaign.state != CampaignState.RUNNING or self._closed(campaign, now) is not None:
                text_campaigns.hold(connection, campaign.id)
            elif self._writer.why_not(campaign) is None:
                count += self._post(connection, campaign, now)
        return count

    def _post(self, connection: Connection, campaign: Campaign, now: datetime) -> int:
        standing = text_campaigns.go_on(connection, campaign.id, now, LOOK_BACK)
        if standing is None:
            return 0
        rate = standing.cps * self._brakes.campaigns.get(campaign.id, 1.0)
        if rate <= 0:
            return 0
        count = min(
            due(standing.due_at, now, rate),
            room(standing.under_way, standing.answered, rate),
            _MOST_AT_ONCE,
        )
        invited = text_campaigns.claim(connection, campaign.id, count, now) if count else []
        if not invited:
            return 0
        ids = outbox.post(connection, self._writer.posts(connection, campaign, invited), now)
        text_settlement.tell_again(connection, ids)
        next_due = due_after(standing.due_at, now, rate, len(invited))
        text_campaigns.set_due(connection, campaign.id, next_due)
        return len(invited)


def settle_texts(connection: Connection) -> None:
    """Tell targets what came of their texts."""
    ended = text_settlement.unsettled(connection)
    verdicts = [(one, one.withdrawn or outcome_of(one.parts)) for one in ended]
    text_settlement.settle(connection, [(one, how) for one, how in verdicts if how is not None])
