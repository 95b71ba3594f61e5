"""What commands about text campaigns share: the account, the law's words, the cost. I/O."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.table import Table

from domain.errors import InputError
from domain.states import CampaignKind, TargetState
from runtime.cli.output import pairs
from runtime.settings import Settings
from runtime.smsc_file import account_setting, any_of, read_accounts, require_account
from sms.invitations import Cost, cost, fault
from sms.segments import LongStyle
from store.models import Campaign


def completed(values: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The columns of a new campaign with the account and source that its file leaves out.

    Raises InputError for words that must not be sent, ConfigError for an account that is not there.
    """
    if values["kind"] != CampaignKind.TEXT:
        return dict(values)
    if found := fault(values["text"], values["purpose"]):
        raise InputError(f"text: {found}")
    account = values["account"] or _only_account(settings)
    require_account(account, settings)
    source = values["source"] or settings.sms.short_code
    return {**values, "account": account, "source": source}


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


def _only_account(settings: Settings) -> str:
    accounts = read_accounts(settings.sms.smsc_file)
    if len(accounts) > 1:
        raise InputError(f"there are several SMSC accounts: write account = {any_of(accounts)}")
    return next(iter(accounts), "")
