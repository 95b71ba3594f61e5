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
        ("id", "name", "state", "purpose", "calls/s", "channels", "started"),
        (
            (
                *(row.id, row.name, row.state, _shown(row.purpose)),
                *(_shown(row.cps), row.max_channels, _shown(row.started_at)),
            )
            for row in campaigns
        ),
    )


def knobs_table(campaign: Campaign) -> Table:
    """Every column of one campaign, a retry rule a line."""
    return pairs(_readable(as_json(campaign)))


def counts_table(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """What is counted, the word, how many; the most frequent first."""
    return table(
        (),
        (
            (what if place == 0 else "", word.replace("_", " "), number)
            for what, words in counts.items()
            for place, (word, number) in enumerate(_most_first(words))
        ),
    )


def changes_table(before: Mapping[str, Any], after: Mapping[str, Any]) -> Table:
    """What was tuned: before and after, of the retry rules only those that differ."""
    old, new = _readable(before), _readable(after)
    return table(
        (),
        (
            (name, old.get(name, "none"), "→", value)
            for name, value in new.items()
            if name in after or old.get(name) != value
        ),
    )


def _most_first(words: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(words.items(), key=lambda pair: -pair[1]) or [("none", 0)]


def _readable(columns: Mapping[str, Any]) -> dict[str, str]:
    """Columns as text for people, the retry rules last."""
    rules = columns.get("retry", {})
    shown = {name: _shown(value) for name, value in columns.items() if name != "retry"}
    return shown | {f"retry.{word}": _rule(rule) for word, rule in rules.items()}


def _shown(value: Any) -> str:
    match value:
        case None:
            return "not set"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case dict():
            return ", ".join(f"{key} {each}" for key, each in value.items()) or "none"
        case list():
            return ", ".join(value)
        case datetime():
            return f"{to_local(value):{_LOCAL_TIME}}"
        case _:
            return str(value)


def _rule(rule: Mapping[str, Any]) -> str:
    times = f", then ×{rule['factor']:g}" if rule["factor"] != 1 else ""
    return f"max {rule['max']}, after {rule['delay_seconds']:g} s{times}"
