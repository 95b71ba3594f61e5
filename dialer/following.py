"""Gives each call campaign the numbers of the text campaign that it follows, piece by piece. I/O.

A piece is a transaction of at most a thousand numbers, one a second; a number that is there already
stays as it is, so that a repeat on any node changes nothing. Each pass goes over all texts that are
out, then rests: who is texted now is to be called hours later.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from dialer.braking import Tick
from domain.clock import Clock
from domain.errors import InputError
from domain.states import CampaignState
from store import campaigns, following
from store.engine import Store
from store.following import Copied, Follower
from store.locks import may_tick
from store.restored import require_told

log = logging.getLogger(__name__)

_EVERY_SECONDS = 1.0
_REST = timedelta(minutes=1)
_REST_SHARE = 5
"""A long pass rests so many times as long as it took."""


@dataclass(slots=True)
class _Pass:
    """One pass over the texts of a campaign: where it stands, and when the next one may begin."""

    began: datetime
    after: int = 0
    rests_until: datetime | None = None


class Following:
    """The passes of all followers."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._passes: dict[int, _Pass] = {}

    def ticks(self) -> Sequence[Tick]:
        """Their name, work, and the seconds between two."""
        return (("follow", self.follow, _EVERY_SECONDS),)

    async def follow(self) -> None:
        """One piece for each follower. Raises StoreUnavailable."""
        for one in await self._store.read(following.followers):
            now = self._clock()
            stands = self._passes.setdefault(one.campaign_id, _Pass(now))
            if stands.rests_until is not None:
                if now < stands.rests_until:
                    continue
                stands = self._passes[one.campaign_id] = _Pass(now)
            await self._step(one, stands, now)

    async def _step(self, one: Follower, stands: _Pass, now: datetime) -> None:
        copied = await self._store.write(copy_next, one, stands.after, now)
        if copied is None:
            return
        if copied.added:
            log.info("%d numbers follow their text into campaign %d", copied.added, one.campaign_id)
        if copied.after is None:
            stands.rests_until = now + max(_REST, _REST_SHARE * (now - stands.began))
        else:
            stands.after = copied.after


def copy_next(connection: Connection, one: Follower, after: int, now: datetime) -> Copied | None:
    """The next piece; a campaign that was finished goes on. None while another node is at it."""
    if not may_tick(connection, f"follow-{one.campaign_id}"):
        return None
    copied = following.follow(connection, one.campaign_id, one.text_campaign_id, one.hours, after)
    campaign = campaigns.by_name(connection, str(one.campaign_id))
    if copied.added and campaign.state == CampaignState.FINISHED:
        with suppress(InputError):  # somebody was faster, or who was contacted is to be told first
            require_told(connection)
            campaigns.move(connection, campaign, CampaignState.RUNNING, now)
    return copied
