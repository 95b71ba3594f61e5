"""What `tstn doctor`, `backup` and `restore` take. Pure."""

from typing import TYPE_CHECKING

from runtime.cli.shapes import command

if TYPE_CHECKING:
    from runtime.cli.shapes import Commands


def add(commands: "Commands") -> None:
    """Add doctor."""
    command(
        commands,
        "doctor",
        "doctor:doctor",
        "Look at all that the server needs (database, Asterisk, trunk, SMSCs, clock, prompts, "
        "lists, disks): each line ok, warn or fail, with what to do; exit status 1 if one fails",
    )
