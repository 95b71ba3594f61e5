"""Commands that keep the store: backup, restore, audience contacted. I/O."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from dialer.audience_file import RejectedRow
from dialer.gate_files import read_numbers
from domain.clock import to_local, utc_now
from domain.errors import InputError
from runtime.backup.making import make
from runtime.backup.restoring import Restored
from runtime.backup.restoring import restore as put_back
from runtime.cli.opened_store import opened_store
from runtime.cli.output import pairs, show
from runtime.settings import Settings
from store import restored

_AT_ONCE = 2000


async def backup(arguments: Namespace, settings: Settings) -> None:
    """Copy store and spool."""
    made = await make(settings, arguments.directory, utc_now())
    megabytes = sum(kept.bytes for kept in made.files.values()) / 1e6
    show(
        arguments,
        {"directory": arguments.directory, **asdict(made)},
        f"{arguments.directory}: {', '.join(made.files)}, {megabytes:.1f} MB, "
        f"schema {made.revision}; keep var/secrets.toml and config/ too",
    )


async def restore(arguments: Namespace, settings: Settings) -> None:
    """Put a backup in the place of the store."""
    back = await put_back(settings, arguments.directory, utc_now(), overwrite=arguments.overwrite)
    show(arguments, asdict(back), *_told(back))


async def contacted(arguments: Namespace, settings: Settings) -> None:
    """Count contacts that the store does not know of."""
    rows = list(read_numbers(arguments.file))
    numbers = list(dict.fromkeys(row for row in rows if isinstance(row, str)))
    unreadable = [row for row in rows if isinstance(row, RejectedRow)]
    if unreadable and not arguments.leave_out_unreadable:
        raise InputError(
            f"{arguments.file}: no number in {len(unreadable)} of {len(rows)} rows, first in line "
            f"{unreadable[0].line}: nothing was counted. Head the column of numbers msisdn, or "
            "give --leave-out-unreadable"
        )
    now, counted = utc_now(), 0
    async with opened_store(settings) as store:
        for first in range(0, len(numbers), _AT_ONCE):
            some = numbers[first : first + _AT_ONCE]
            counted += await store.write(restored.contacted, some, now)
        await store.write(restored.told, len(numbers), counted, now)
    data = {"numbers": len(numbers), "counted": counted, "unreadable": len(unreadable)}
    show(
        arguments,
        data,
        pairs(
            {
                "numbers in the file": len(numbers),
                "counted as contacted once": counted,
                "rows without a number": len(unreadable),
            }
        ),
    )


def _told(back: Restored) -> list[Any]:
    made_at = to_local(back.manifest.made_at)
    lines: list[Any] = [
        f"the store is that of {made_at:%d/%m/%Y %H:%M:%S} again",
        pairs(
            {
                "campaigns that ran, paused now": ", ".join(back.calmed.paused) or "none",
                "calls that were under way, unknown now": back.calmed.attempts,
                "texts that were due, not sent again": back.calmed.texts,
                "facts of calls in the spool": back.facts,
            }
        ),
    ]
    lines += [
        "who was called or texted since then is not in it: get the carrier's and the SMSC's",
        "records since, then `tstn audience contacted FILE`; before that no campaign starts.",
        "Key 1, key 9 and texts of that time are lost with the disk: docs/runbook.md",
    ]
    return lines
