"""What `tstn doctor`, `backup` and `restore` take. Pure."""

from pathlib import Path
from typing import TYPE_CHECKING

from runtime.cli.shapes import command

if TYPE_CHECKING:
    from runtime.cli.shapes import Commands


def add(commands: "Commands") -> None:
    """Add doctor, backup and restore."""
    command(
        commands,
        "doctor",
        "doctor:doctor",
        "Look at all that the server needs (database, Asterisk, trunk, SMSCs, clock, prompts, "
        "lists, disks): each line ok, warn or fail, with what to do; exit status 1 if one fails",
    )
    backup = command(
        commands,
        "backup",
        "upkeep:backup",
        "Copy store and spool into a new directory, also while the server runs",
        "tstn backup /var/backups/tstn/2026-03-26",
    )
    backup.add_argument("directory", type=Path, metavar="DIR", help="it must not exist yet")
    restore = command(
        commands,
        "restore",
        "upkeep:restore",
        "Put a backup in the place of the store, wholly or not at all; campaigns that ran come "
        "back paused, and what was under way is unknown (docs/runbook.md says what to do then)",
        "tstn restore /var/backups/tstn/2026-03-26",
    )
    restore.add_argument("directory", type=Path, metavar="DIR", help="what `tstn backup` made")
    restore.add_argument(
        "--overwrite", action="store_true", help="replace a store that is not empty, for good"
    )
