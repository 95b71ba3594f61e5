"""When a campaign may contact anybody: its windows, and what the law leaves of them. Pure."""

from collections.abc import Mapping
from datetime import date

from domain.calendar import Calendar, Window
from domain.errors import InputError
from domain.gate import lawful
from domain.states import CampaignKind, ContactScope
from store.models import Campaign


def way_of(campaign: Campaign) -> ContactScope:
    """How a campaign contacts people."""
    return ContactScope.SMS if campaign.kind == CampaignKind.TEXT else ContactScope.VOICE


def calendar_of(campaign: Campaign, holidays: Mapping[date, bool]) -> Calendar:
    """The campaign's calendar. Raises InputError where its windows make no sense."""
    windows = [Window.parse(window) for window in campaign.windows]
    return Calendar(
        lawful(windows, campaign.purpose, way_of(campaign)),
        call_on_holidays=campaign.call_on_holidays,
        holiday_overrides=holidays,
    )


def calendar_or_trouble(campaign: Campaign, holidays: Mapping[date, bool]) -> Calendar | str:
    """The same, or what is wrong with the windows."""
    try:
        return calendar_of(campaign, holidays)
    except InputError as error:
        return str(error)
