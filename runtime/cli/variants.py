"""The command that compares the script versions of a campaign: campaign variants. I/O."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from runtime.cli.opened_store import opened_store
from runtime.cli.output import show, table
from runtime.settings import Settings
from store import campaigns, variants
from store.models import Campaign
from store.variants import VersionFigures


async def compare(arguments: Namespace, settings: Settings) -> None:
    """Show per version who was called, who answered, and who pressed which key."""
    async with opened_store(settings) as store:
        campaign, figures = await store.read(_figures, arguments.campaign)
    rows = [_row(campaign, each) for each in figures]
    show(arguments, rows, _table(rows), "", _MEANING)


_MEANING = (
    "numbers, not dials; the share of key 1 is of those who answered, and with 95 % certainty "
    "between the bounds (Wilson): versions whose bounds overlap may be equally good"
)


def _figures(connection: Connection, name: str) -> tuple[Campaign, list[VersionFigures]]:
    campaign = campaigns.by_name(connection, name)
    return campaign, variants.compared(connection, campaign)


def _row(campaign: Campaign, figures: VersionFigures) -> dict[str, Any]:
    low, high = figures.key_1_bounds
    return {
        **asdict(figures),
        "weight": campaign.variants.get(figures.version),
        "key_1_rate": figures.key_1_rate,
        "key_1_low": low,
        "key_1_high": high,
    }


def _table(rows: list[dict[str, Any]]) -> Any:
    return table(
        ("version", "weight", "called", "answered", "key 1", "share", "95 %", "key 2", "key 3"),
        (
            (
                *(row["version"], "" if row["weight"] is None else row["weight"]),
                *(row["called"], row["answered"], row["keys"].get("1", 0)),
                *("" if row["key_1_rate"] is None else f"{row['key_1_rate']:.1%}", _bounds(row)),
                *(row["keys"].get("2", 0), row["keys"].get("3", 0)),
            )
            for row in rows
        ),
    )


def _bounds(row: dict[str, Any]) -> str:
    return f"{row['key_1_low']:.1%} to {row['key_1_high']:.1%}" if row["answered"] else ""
