"""A brake that is drawn, as `/health`, pages and programs show it. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
"""The columns of a row of `brakes`, and the name of its campaign."""


def is_overridden(row: Row, now: datetime) -> bool:
    """Whether an operator has said to take no notice of it."""
    return row["override_until"] is not None and now < row["override_until"]


def scope_of(row: Row) -> str:
    """What it slows: a campaign by its name, or a trunk."""
    return str(row["campaign"]) if row["trunk"] is None else f"trunk:{row['trunk']}"


def alarms(rows: Iterable[Row], now: datetime) -> list[dict[str, Any]]:
    """Every brake that is drawn, JSON values; overridden ones too."""
    return [_alarm(row, now) for row in rows if row["factor"] < 1]


def _alarm(row: Row, now: datetime) -> dict[str, Any]:
    overridden = is_overridden(row, now)
    return {
        "id": row["id"],
        "scope": scope_of(row),
        "campaign_id": row["campaign_id"],
        "trunk": row["trunk"],
        "node": row["node"] or None,
        "cause": row["cause"],
        "factor": row["factor"],
        "reason": row["reason"],
        "since": row["since"],
        "until": row["until"],
        "is_probing": row["until"] is not None and row["until"] <= now,
        "overridden_by": row["overridden_by"] if overridden else None,
        "override_until": row["override_until"] if overridden else None,
    }
