"""When a campaign may contact anybody: its windows, and what the law leaves of them. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from domain.calendar import Calendar, Window
from domain.errors import InputError
from domain.gate import lawful
from domain.states import CampaignKind, ContactScope
from store.models import Campaign

BY = ("windows", "call_on_holidays", "purpose", "kind")
"""The columns of a campaign that its calendar is made from."""
_WAYS: Mapping[str, ContactScope] = {
    CampaignKind.CALL: ContactScope.VOICE,
    CampaignKind.TEXT: ContactScope.SMS,
}


def way_of(campaign: Campaign) -> ContactScope:
    """How a campaign contacts people."""
    return _WAYS[campaign.kind]


def calendar_by(columns: Mapping[str, Any], holidays: Mapping[date, bool]) -> Calendar:
    """The calendar by these columns of a campaign: windows, call_on_holidays, purpose and kind.

    Raises InputError where the windows make no sense.
    """
    windows = [Window.parse(window) for window in columns["windows"]]
    return Calendar(
        lawful(windows, columns["purpose"], _WAYS[columns["kind"]]),
        call_on_holidays=columns["call_on_holidays"],
        holiday_overrides=holidays,
    )


def calendar_of(campaign: Campaign, holidays: Mapping[date, bool]) -> Calendar:
    """The campaign's calendar. Raises InputError where its windows make no sense."""
    return calendar_by({name: getattr(campaign, name) for name in BY}, holidays)


def calendar_or_trouble(campaign: Campaign, holidays: Mapping[date, bool]) -> Calendar | str:
    """The same, or what is wrong with the windows."""
    try:
        return calendar_of(campaign, holidays)
    except InputError as error:
        return str(error)
