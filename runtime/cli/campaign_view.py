"""How a campaign looks in an answer: JSON values, and tables for people. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.table import Table

from domain.clock import to_local
from runtime.cli.output import pairs, table
from store.models import Campaign

_LOCAL_TIME = "%d/%m/%Y %H:%M"


def as_json(campaign: Campaign) -> dict[str, Any]:
    """All columns; times are aware UTC."""
    return asdict(campaign)


def list_table(campaigns: Sequence[Campaign]) -> Table:
    """One line a campaign."""
    return table(
        ("id", "name", "state", "purpose", "script", "calls/s", "channels", "created", "started"),
        (
            (
                *(row.id, row.name, row.state, row.purpose or "not set", row.script_version),
                *(f"{row.cps:g}", row.max_channels),
                *(_local(row.created_at), _local(row.started_at)),
            )
            for row in campaigns
        ),
    )


def knobs_table(campaign: Campaign) -> Table:
    """Every column of one campaign, a retry rule a line."""
    values = as_json(campaign)
    rules = values.pop("retry")
    values |= {
        "purpose": campaign.purpose or "not set",
        "cps": f"{campaign.cps:g}",
        "windows": ", ".join(campaign.windows),
        "call_on_holidays": "yes" if campaign.call_on_holidays else "no",
        "created_at": _local(campaign.created_at),
        "started_at": _local(campaign.started_at),
    }
    return pairs(values | {f"retry.{word}": _rule(rule) for word, rule in rules.items()})


def counts_table(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """What is counted, the word, how many; the most frequent first."""
    return table(
        ("counted", "", ""),
        (
            (what if place == 0 else "", word.replace("_", " "), number)
            for what, words in counts.items()
            for place, (word, number) in enumerate(_most_first(words))
        ),
    )


def _most_first(words: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(words.items(), key=lambda pair: -pair[1]) or [("none", 0)]


def _rule(rule: Mapping[str, Any]) -> str:
    times = f", then ×{rule['factor']:g}" if rule["factor"] != 1 else ""
    return f"max {rule['max']}, after {rule['delay_seconds']:g} s{times}"


def _local(at: datetime | None) -> str:
    return "" if at is None else f"{to_local(at):{_LOCAL_TIME}}"
