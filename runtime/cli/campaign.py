"""Commands about campaigns: create, list, show, start, pause, stop, tune. I/O."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from dialer.campaign_file import read_campaign, read_tuning
from domain.clock import utc_now
from domain.errors import ConfigError, InputError
from domain.states import CampaignState, TargetState
from ivr.prompts import check_catalogue, load_script
from runtime.cli.campaign_view import as_json, counts_table, knobs_table, list_table
from runtime.cli.opened_store import open_store
from runtime.cli.output import pairs, show, warn
from runtime.settings import Settings
from store import campaigns
from store.engine import Store
from store.models import Campaign


async def create(arguments: Namespace, settings: Settings) -> None:
    """Make a draft from a file."""
    values = _read_file(arguments.file, settings)
    async with open_store(settings) as store, store.write() as connection:
        campaign = await campaigns.create(connection, values, utc_now())
    show(
        arguments,
        as_json(campaign),
        f"campaign {campaign.name} is a draft; now: "
        f"tstn audience import FILE.csv --campaign {campaign.name}",
    )


async def list_all(arguments: Namespace, settings: Settings) -> None:
    """List all campaigns, the oldest first."""
    async with open_store(settings) as store, store.read() as connection:
        rows = await campaigns.all_of(connection)
    show(arguments, [as_json(row) for row in rows], list_table(rows))


async def show_one(arguments: Namespace, settings: Settings) -> None:
    """Show one campaign: state, knobs, counts."""
    async with open_store(settings) as store, store.read() as connection:
        campaign = await campaigns.by_name(connection, arguments.campaign)
        counts = await campaigns.counts(connection, campaign.id)
    show(arguments, as_json(campaign) | counts, knobs_table(campaign), "", counts_table(counts))


async def start(arguments: Namespace, settings: Settings) -> None:
    """Start dialling, or go on."""
    async with open_store(settings) as store:
        async with store.read() as connection:
            campaign = await campaigns.by_name(connection, arguments.campaign)
            targets = (await campaigns.counts(connection, campaign.id))["targets"]
        if campaign.purpose is not None:  # else the store says what is missing
            _require_prompts(campaign, settings)
        await _move(arguments, store, CampaignState.RUNNING)
    if sum(targets.values()) == targets.get(TargetState.DONE, 0):
        warn(
            "no number is left to dial, so it will be finished at once: "
            f"tstn audience import FILE.csv --campaign {campaign.name}"
        )


async def pause(arguments: Namespace, settings: Settings) -> None:
    """Stop new calls until the next start."""
    async with open_store(settings) as store:
        await _move(arguments, store, CampaignState.PAUSED)


async def stop(arguments: Namespace, settings: Settings) -> None:
    """End it for good."""
    async with open_store(settings) as store:
        await _move(arguments, store, CampaignState.STOPPED)


async def tune(arguments: Namespace, settings: Settings) -> None:
    """Change knobs."""
    async with open_store(settings) as store, store.write() as connection:
        campaign = await campaigns.by_name(connection, arguments.campaign)
        after = read_tuning(arguments.pairs, retry=campaign.retry)
        before = {name: getattr(campaign, name) for name in after}
        await campaigns.tune(connection, campaign, after, utc_now())
    changes = {name: f"{before[name]} → {value}" for name, value in after.items()}
    show(arguments, {"name": campaign.name, "before": before, "after": after}, pairs(changes))


async def _move(arguments: Namespace, store: Store, state: CampaignState) -> None:
    async with store.write() as connection:
        campaign = await campaigns.by_name(connection, arguments.campaign)
        moved = await campaigns.move(connection, campaign, state, utc_now())
    show(
        arguments,
        {"name": campaign.name, "state": state, "changed": moved},
        f"campaign {campaign.name} is {state}{'' if moved else ' already'}",
    )


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


def _require_prompts(campaign: Campaign, settings: Settings) -> None:
    """Raises ConfigError unless this server can say the campaign's words."""
    script = load_script(settings.ivr.script)
    if script.version != campaign.script_version:
        raise ConfigError(
            f"campaign {campaign.name!r} needs script {campaign.script_version}, this server has "
            f"{script.version}: set [ivr] script, or "
            f"`tstn campaign tune {campaign.name} script_version={script.version}`"
        )
    check_catalogue(settings.ivr.prompts_dir, script)
