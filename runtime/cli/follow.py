"""The command that gives a call campaign those who did not answer a text: audience follow. I/O."""

from argparse import Namespace

from sqlalchemy import Connection

from dialer.text_campaign_file import A_DAY_LATER
from domain.errors import InputError
from domain.states import CampaignKind
from runtime.cli.opened_store import opened_store
from runtime.cli.output import show
from runtime.settings import Settings
from store import campaigns, following
from store.following import FIRST
from store.models import Campaign


async def follow(arguments: Namespace, settings: Settings) -> None:
    """Copy the numbers, a thousand a transaction; a repeat adds what is new."""
    added, after = 0, FIRST
    async with opened_store(settings) as store:
        campaign, texts = await store.read(_both, arguments.campaign, arguments.source)
        hours = campaign.follow_after_hours
        hours = A_DAY_LATER if hours is None else hours
        while after is not None:
            step = (campaign.id, texts.id, hours, after)
            copied = await store.write(following.follow, *step)
            added, after = added + copied.added, copied.after
    show(
        arguments,
        {"campaign": campaign.name, "from": texts.name, "after_hours": hours, "added": added},
        f"{added} numbers of {texts.name} are in {campaign.name} now, each to be called from "
        f"{hours:g} hours after its text",
    )


def _both(connection: Connection, name: str, source: str | None) -> tuple[Campaign, Campaign]:
    campaign = campaigns.by_name(connection, name)
    if campaign.kind != CampaignKind.CALL:
        raise InputError(f"campaign {campaign.name!r} makes no calls: it can't follow another")
    followed = source or campaign.follows
    if followed is None:
        raise InputError(f"campaign {campaign.name!r} follows none: name one by --from")
    return campaign, following.require_followed(connection, followed)
