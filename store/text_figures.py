"""How the texts of campaigns flow at this moment: cheap enough to be asked every second. I/O.

What became of texts that are over stands with their targets (`store.campaign_figures.audience`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from domain.states import CampaignKind, CampaignState, MessageOutState
from store.columns import UtcDateTime, fixed
from store.models import Campaign, MessageOut, table

LOOK_BACK = timedelta(seconds=10)
"""The rate of now is that of so long."""

_out, _campaigns = table(MessageOut).c, table(Campaign).c
_OF_CAMPAIGN = _out.campaign_id == bindparam("of_campaign")


def _count(state: MessageOutState, *conditions: Any) -> Any:
    counted = select(func.count()).where(_OF_CAMPAIGN, _out.state == fixed(state), *conditions)
    return counted.scalar_subquery()


_IS_HEAD = _out.head_id.is_(None)
_LATELY = _out.responded_at > bindparam("since", type_=UtcDateTime)
_FLOW = select(
    _count(MessageOutState.QUEUED, _IS_HEAD).label("queued"),
    _count(MessageOutState.SENDING, _IS_HEAD).label("sending"),
    _count(MessageOutState.ACCEPTED, _IS_HEAD, _LATELY).label("accepted"),
    _count(MessageOutState.DELIVERED, _IS_HEAD, _LATELY).label("delivered"),
)
_MAY_FLOW = (CampaignState.RUNNING, CampaignState.PAUSED)


@dataclass(frozen=True, slots=True)
class Flow:
    """Texts that wait for a link, those that a link has in hand, and texts a second by now."""

    queued: int
    sending: int
    rate: float


def flow(connection: Connection, campaign_id: int, now: datetime) -> Flow:
    """The flow of one campaign."""
    row = connection.execute(_FLOW, {"of_campaign": campaign_id, "since": now - LOOK_BACK}).one()
    answered = row.accepted + row.delivered
    return Flow(row.queued, row.sending, answered / LOOK_BACK.total_seconds())


def flows(connection: Connection, now: datetime) -> dict[int, Flow]:
    """Of every text campaign that has begun and not ended."""
    chosen = select(_campaigns.id).where(
        _campaigns.kind == CampaignKind.TEXT, _campaigns.state.in_(_MAY_FLOW)
    )
    ids = list(connection.execute(chosen).scalars())
    return {campaign_id: flow(connection, campaign_id, now) for campaign_id in ids}
