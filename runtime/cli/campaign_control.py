"""Commands that steer a campaign: recycle, preview, revert. I/O."""

from argparse import Namespace
from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dialer.campaign_file import read_tuning
from domain.clock import read_moment, to_local, utc_now
from domain.errors import InputError
from domain.states import CampaignKind, CampaignState
from runtime.campaign_preview import Looked, look, previewed
from runtime.cli.acts import audited
from runtime.cli.campaign_view import changes_table
from runtime.cli.opened_store import opened_store
from runtime.cli.output import show, table
from runtime.settings import Settings
from store import campaign_changes, campaigns, recycling
from store.engine import Store
from store.models import Campaign
from store.recycling import Batch, Choice, Look

_LOCAL_TIME = "%d/%m/%Y %H:%M"


async def revert(arguments: Namespace, settings: Settings) -> None:
    """Undo the last tuning."""
    async with opened_store(settings) as store:
        campaign, after = await store.write(_revert, arguments.campaign)
    before = {name: getattr(campaign, name) for name in after}
    data = {"name": campaign.name, "before": before, "after": after}
    show(arguments, data, changes_table(before, after))


async def recycle(arguments: Namespace, settings: Settings) -> None:
    """Dial numbers once more that are done with, or only count them."""
    outcomes = [word.strip() for word in arguments.outcome.split(",") if word.strip()]
    before = (
        None
        if arguments.ended_before is None
        else read_moment(arguments.ended_before, "--ended-before")
    )
    now = utc_now()
    async with opened_store(settings) as store:
        campaign, chosen = await store.read(
            _choice, arguments.campaign, outcomes, arguments.province, before
        )
        look = await store.read(recycling.preview, chosen, now)
        counts = look.back
        if not arguments.preview:
            asked = {
                "outcomes": outcomes,
                "province": arguments.province,
                "ended_before": arguments.ended_before,
            }
            counts = await _recycle(store, campaign.name, chosen, now, asked)
    data = {
        "name": campaign.name,
        "preview": arguments.preview,
        "recycled": counts,
        "left_out": look.stopped,
        "spent": look.spent,
        "over": look.over,
    }
    show(arguments, data, *_told(campaign, counts, look, is_preview=arguments.preview))


async def _recycle(
    store: Store, name: str, chosen: Choice, now: datetime, asked: dict[str, Any]
) -> dict[str, int]:
    """Batch by batch; the first one is in the audit."""

    def first(connection: Connection) -> Batch:
        def begin(same: Connection) -> Batch:
            return recycling.recycle(same, chosen, now)

        return audited(connection, "campaign_recycled", name, begin, **asked)

    batch = await store.write(first)
    done = Counter(batch.recycled)
    while batch.last is not None:
        batch = await store.write(recycling.recycle, chosen, now, batch.last)
        done.update(batch.recycled)
    return dict(done)


async def preview(arguments: Namespace, settings: Settings) -> None:
    """Show what knobs would come to, beside what they come to now."""
    now = utc_now()
    async with opened_store(settings) as store:
        looked: Looked = await store.read(look, arguments.campaign, settings, now)
    if looked.campaign.kind == CampaignKind.TEXT:
        raise InputError(
            f"campaign {looked.campaign.name!r} sends texts: a preview is of calls; its page shows "
            "when its texts will have been sent"
        )
    changed = read_tuning(arguments.pairs, retry=looked.campaign.retry)
    before, after = previewed(looked, changed, settings, now)
    data = {"name": looked.campaign.name, "before": before, "after": after}
    names = [name for name in before if name != "measured_calls"]
    rows = [
        (name.replace("_", " "), _shown(before[name]), "→", _shown(after[name])) for name in names
    ]
    measured = before["measured_calls"]
    basis = (
        f"measured on the last hour's {measured} calls"
        if measured
        else "by a guess: fewer than 50 calls have ended in the last hour"
    )
    show(arguments, data, table(("", "now", "", "then"), rows), "", basis)


def _revert(connection: Connection, name: str) -> tuple[Campaign, dict[str, Any]]:
    campaign = campaigns.to_change(connection, name)
    after = audited(
        connection,
        "campaign_reverted",
        campaign.name,
        lambda same: campaign_changes.revert(same, campaign, utc_now()),
    )
    return campaign, after


def _choice(
    connection: Connection,
    name: str,
    outcomes: list[str],
    province: str | None,
    before: datetime | None,
) -> tuple[Campaign, Choice]:
    campaign = campaigns.by_name(connection, name)
    return campaign, recycling.choice(campaign, outcomes, province, before)


def _told(campaign: Campaign, counts: dict[str, int], look: Look, *, is_preview: bool) -> list[Any]:
    verb = "would be dialled again" if is_preview else "are to be dialled again"
    lines: list[Any] = [f"{sum(counts.values())} numbers {verb}"]
    if counts:
        lines.append(table((), ((word.replace("_", " "), n) for word, n in counts.items())))
    if look.stopped:
        lines.append(f"{look.stopped} left out: registered, opted out, or on a do-not-call list")
    if look.spent:
        lines.append(f"{look.spent} were dialled as often as max_attempts allows: raise it first")
    if look.over:
        lines.append(f"{look.over} are of places whose phase is over: tstn phases import first")
    if campaign.state == CampaignState.FINISHED and counts and not is_preview:
        lines.append(f"now: tstn campaign start {campaign.name}")
    return lines


def _shown(value: Any) -> str:
    match value:
        case None:
            return "never"
        case float():
            return f"{value:.1f}"
        case datetime():
            return f"{to_local(value):{_LOCAL_TIME}}"
        case _:
            return str(value).replace("_", " ")
