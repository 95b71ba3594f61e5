"""Commands that give records out: exports, timeline. I/O."""

from argparse import Namespace
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from domain.clock import read_moment, to_local
from domain.msisdn import display, parse_msisdn
from runtime.cli.opened_store import opened_store
from runtime.cli.output import print_line, show, table
from runtime.cli.texts_view import quoted
from runtime.settings import Settings
from store import campaigns, exports, history
from store.engine import Store

_EXPORTS: dict[str, Callable[[Store, int], AsyncIterator[dict[str, Any]]]] = {
    "attempts": exports.attempts,
    "registrations": exports.registrations,
    "callbacks": exports.callbacks,
}
_HIDDEN = ("at", "kind", "attempt_id", "source_id", "text_id", "in_reply_to")
"""What people do not see in the details; --json has the ids."""
_NO_ERROR = ("error", "000")
"""What a receipt says of a text that arrived."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


async def export(arguments: Namespace, settings: Settings) -> None:
    """Print a campaign's records, one JSON object a line."""
    async with opened_store(settings) as store:
        campaign = await store.read(campaigns.by_name, arguments.campaign)
        async for row in _EXPORTS[arguments.kind](store, campaign.id):
            print_line(row)


async def export_messages(arguments: Namespace, settings: Settings) -> None:
    """Print texts in both directions, one JSON object a line."""
    since = _BEGINNING if arguments.since is None else read_moment(arguments.since, "--since")
    async with opened_store(settings) as store:
        async for row in exports.messages(store, since):
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
    details = {
        key: value
        for key, value in entry.items()
        if key not in _HIDDEN and value is not None and (key, value) != _NO_ERROR
    }
    return (
        _local(entry["at"]),
        entry["kind"].replace("_", " "),
        "  ".join(f"{k}={_shown(k, v)}" for k, v in details.items()),
    )


def _shown(key: str, value: Any) -> str:
    if key.endswith("_at"):
        return _local(datetime.fromisoformat(value))
    if key == "text":
        return quoted(value)
    if key == "status":
        return f"0x{value:02X}"  # command_status, as SMPP's tables have it
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _local(at: datetime) -> str:
    local = to_local(at)
    return f"{local:%d/%m/%Y %H:%M:%S}.{local.microsecond // 1000:03}"
