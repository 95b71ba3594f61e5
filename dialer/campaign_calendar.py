"""When a campaign may call: the windows of its row, within the law for its purpose. Pure."""

from collections.abc import Mapping
from datetime import date

from domain.calendar import Calendar, Window
from domain.errors import InputError
from domain.gate import lawful
from store.models import Campaign


def calendar_of(campaign: Campaign, holidays: Mapping[date, bool]) -> Calendar | str:
    """The campaign's calendar, or what is wrong with its windows."""
    try:
        return Calendar(
            lawful([Window.parse(window) for window in campaign.windows], campaign.purpose),
            call_on_holidays=campaign.call_on_holidays,
            holiday_overrides=holidays,
        )
    except InputError as error:
        return str(error)
