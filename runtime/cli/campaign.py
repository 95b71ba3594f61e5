"""Commands about campaigns: create, list, show, start, pause, stop, tune. I/O."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from dialer.campaign_file import read_campaign, read_tuning
from domain.clock import utc_now
from domain.errors import InputError
from domain.states import CampaignState, TargetState
from ivr.prompts import load_script
from runtime.campaign_texts import completed
from runtime.cli import text_costs
from runtime.cli.acts import audited
from runtime.cli.campaign_view import as_json, changes_table, counts_table, knobs_table, list_table
from runtime.cli.opened_store import opened_store
from runtime.cli.output import show, warn
from runtime.settings import Settings
from runtime.start_check import require_startable
from sms.invitations import Cost
from store import campaigns
from store.engine import Store
from store.following import require_followed
from store.models import Campaign


async def create(arguments: Namespace, settings: Settings) -> None:
    """Make a draft from a file."""
    values = completed(_read_file(arguments.file, settings), settings)
    async with opened_store(settings) as store:
        campaign = await store.write(_created, values)
    show(
        arguments,
        as_json(campaign),
        f"campaign {campaign.name} is a draft; now: "
        f"tstn audience import FILE.csv --campaign {campaign.name}",
    )


async def list_all(arguments: Namespace, settings: Settings) -> None:
    """List all campaigns, the oldest first."""
    async with opened_store(settings) as store:
        rows = await store.read(campaigns.all_of)
    show(arguments, [as_json(row) for row in rows], list_table(rows))


async def show_one(arguments: Namespace, settings: Settings) -> None:
    """Show one campaign: state, knobs, counts."""
    async with opened_store(settings) as store:
        campaign, counts = await store.read(_with_counts, arguments.campaign)
    cost = text_costs.cost_of(campaign, counts, settings)
    show(
        arguments,
        as_json(campaign) | counts | text_costs.cost_json(cost),
        knobs_table(campaign),
        "",
        counts_table(counts),
        *text_costs.cost_lines(cost),
    )


async def start(arguments: Namespace, settings: Settings) -> None:
    """Start dialling or sending, or go on."""
    async with opened_store(settings) as store:
        campaign, counts = await store.read(_with_counts, arguments.campaign)
        await store.read(require_startable, campaign, settings, utc_now())
        cost = text_costs.cost_of(campaign, counts, settings)
        await _move(arguments, store, CampaignState.RUNNING, cost)
    targets = counts["targets"]
    if sum(targets.values()) == targets.get(TargetState.DONE, 0):
        warn(
            "no number is left to dial, so it will be finished at once: "
            f"tstn audience import FILE.csv --campaign {campaign.name}"
        )


async def pause(arguments: Namespace, settings: Settings) -> None:
    """Stop new calls until the next start."""
    async with opened_store(settings) as store:
        await _move(arguments, store, CampaignState.PAUSED)


async def stop(arguments: Namespace, settings: Settings) -> None:
    """End it for good."""
    async with opened_store(settings) as store:
        await _move(arguments, store, CampaignState.STOPPED)


async def tune(arguments: Namespace, settings: Settings) -> None:
    """Change knobs."""
    async with opened_store(settings) as store:
        campaign, after = await store.write(_tune, arguments.campaign, arguments.pairs)
    before = {name: getattr(campaign, name) for name in after}
    data = {"name": campaign.name, "before": before, "after": after}
    show(arguments, data, changes_table(before, after))


async def _move(
    arguments: Namespace, store: Store, state: CampaignState, cost: Cost | None = None
) -> None:
    name, moved = await store.write(_moved, arguments.campaign, state)
    show(
        arguments,
        {"name": name, "state": state, "changed": moved} | text_costs.cost_json(cost),
        f"campaign {name} is {state}{'' if moved else ' already'}",
        *text_costs.cost_lines(cost),
    )


def _created(connection: Connection, values: Mapping[str, Any]) -> Campaign:
    if values["follows"] is not None:
        require_followed(connection, values["follows"])
    return audited(
        connection,
        "campaign_created",
        values["name"],
        lambda same: campaigns.create(same, values, utc_now()),
    )


def _moved(connection: Connection, name: str, state: CampaignState) -> tuple[str, bool]:
    campaign = campaigns.by_name(connection, name)
    moved = audited(
        connection,
        f"campaign_{state}",
        campaign.name,
        lambda same: campaigns.move(same, campaign, state, utc_now()),
    )
    return campaign.name, moved


def _with_counts(connection: Connection, name: str) -> tuple[Campaign, dict[str, dict[str, int]]]:
    campaign = campaigns.by_name(connection, name)
    return campaign, campaigns.counts(connection, campaign.id)


def _tune(
    connection: Connection, name: str, pairs: Sequence[str]
) -> tuple[Campaign, dict[str, Any]]:
    """Change knobs; give the campaign as it was, and what has changed."""
    campaign = campaigns.to_change(connection, name)
    after = read_tuning(pairs, retry=campaign.retry)
    audited(
        connection,
        "campaign_tuned",
        campaign.name,
        lambda same: campaigns.tune(same, campaign, after, utc_now()),
        pairs=list(pairs),
    )
    return campaign, after


def _read_file(file: Path, settings: Settings) -> dict[str, Any]:
    try:
        return read_campaign(
            file.read_text(encoding="utf-8"),
            script_version=load_script(settings.ivr.script).version,
            ring_timeout_seconds=settings.dialer.ring_timeout_seconds,
        )
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8 text") from None
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
