"""Commands that give records out: export, timeline. I/O."""

from argparse import Namespace
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from domain.clock import to_local
from domain.msisdn import display, parse_msisdn
from runtime.cli.opened_store import opened_store
from runtime.cli.output import print_line, show, table
from runtime.settings import Settings
from store import campaigns, exports, history

_EXPORTS = {
    "attempts": exports.attempts,
    "registrations": exports.registrations,
    "callbacks": exports.callbacks,
}


async def export(arguments: Namespace, settings: Settings) -> None:
    """Print a campaign's records, one JSON object a line."""
    async with opened_store(settings) as store:
        campaign = await store.read(campaigns.by_name, arguments.campaign)
        async for row in _EXPORTS[arguments.kind](store, campaign.id):
            print_line(row)


async def timeline(arguments: Namespace, settings: Settings) -> None:
    """Tell everything that happened to one number."""
    msisdn = parse_msisdn(" ".join(arguments.msisdn))
    async with opened_store(settings) as store:
        entries = await store.read(history.timeline, msisdn)
    if arguments.json:
        for entry in entries:
            print_line(entry)
    elif entries:
        show(arguments, entries, table(("when", "what", "details"), map(_cells, entries)))
    else:
        show(arguments, entries, f"nothing has happened to {display(msisdn)} yet")


def _cells(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    hidden = ("at", "kind", "attempt_id", "source_id")  # --json has the ids
    details = {key: value for key, value in entry.items() if key not in hidden}
    return (
        _local(entry["at"]),
        entry["kind"].replace("_", " "),
        "  ".join(f"{k}={_shown(k, v)}" for k, v in details.items() if v is not None),
    )


def _shown(key: str, value: Any) -> str:
    if key.endswith("_at"):
        return _local(datetime.fromisoformat(value))
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _local(at: datetime) -> str:
    local = to_local(at)
    return f"{local:%d/%m/%Y %H:%M:%S}.{local.microsecond // 1000:03}"
