"""What the texts of a campaign cost, for commands. I/O."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.table import Table

from domain.states import CampaignKind, TargetState
from runtime.cli.output import pairs
from runtime.settings import Settings
from runtime.smsc_file import account_setting, read_accounts
from sms.invitations import Cost, cost
from sms.segments import LongStyle
from store.models import Campaign


def cost_of(
    campaign: Campaign, counts: Mapping[str, Mapping[str, int]], settings: Settings
) -> Cost | None:
    """What the texts still to be posted come to; None for a campaign of calls."""
    if campaign.kind != CampaignKind.TEXT:
        return None
    account = read_accounts(settings.sms.smsc_file).get(str(campaign.account))
    style = LongStyle.UDH8 if account is None else account_setting(account).long_style
    return cost(
        str(campaign.text),
        style,
        counts["targets"].get(TargetState.READY, 0),
        settings.sms.price_per_segment,
    )


def cost_json(found: Cost | None) -> dict[str, Any]:
    """As a part of a JSON answer; nothing for a campaign of calls."""
    return {} if found is None else {"cost": asdict(found)}


def cost_lines(found: Cost | None) -> list[Table | str]:
    """The same for people."""
    if found is None:
        return []
    price = f"{found.price:,.0f} VND" if found.price else "not known: set [sms] price_per_segment"
    lines = {
        "segments a text": f"{found.segments_each} ({found.characters} of {found.alphabet})",
        "numbers to text": f"{found.numbers:,}",
        "segments in all": f"{found.segments:,}",
        "cost": price,
    }
    return ["", pairs(lines)]
