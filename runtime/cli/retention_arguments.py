"""`tstn retention …`, with its arguments, help and examples. Pure."""

from typing import TYPE_CHECKING

from runtime.cli.shapes import command

if TYPE_CHECKING:
    from runtime.cli.shapes import Commands


def add_retention(commands: "Commands") -> None:
    """Show, and run."""
    command(
        commands,
        "show",
        "retention:show_periods",
        "Show how long personal data is kept ([law] keep_days, keep_consent_days), and the last "
        "runs",
        "tstn retention show",
    )
    run = command(
        commands,
        "run",
        "retention:run",
        "Make anonymous now what is older than its period and no longer under way; the server does "
        "so once a day by itself. It works in small steps, beside a server that is dialling, and "
        "may be broken off and begun again at any time",
        "tstn retention run --dry-run",
    )
    run.add_argument("--dry-run", action="store_true", help="count by table, and write nothing")
