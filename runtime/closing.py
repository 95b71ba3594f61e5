"""Why a whole campaign contacts nobody now: its state, its purpose, the lists, its hours. I/O."""

from datetime import datetime

from sqlalchemy import Connection

from dialer.windows import calendar_or_trouble, way_of
from domain.gate import Refusal, Shut, shut
from domain.states import CampaignState
from runtime.settings import Settings
from store import do_not_call
from store.models import Campaign


def closed(
    connection: Connection, campaign: Campaign, settings: Settings, now: datetime
) -> Shut | None:
    """What keeps every number of the campaign waiting, or None."""
    if campaign.state != CampaignState.RUNNING:
        words = f"the campaign is {campaign.state}: tstn campaign start {campaign.name}"
        return Shut(Refusal.NOT_RUNNING, words)
    return shut(
        campaign.purpose,
        calendar_or_trouble(campaign, settings.calendar.holidays),
        do_not_call.ages(connection),
        settings.law.do_not_call_days,
        now,
        way_of(campaign),
    )
