"""What `tstn audience …` takes: the file, how strictly it is judged, the import to undo. Pure."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.cli.shapes import campaign, command

if TYPE_CHECKING:
    from runtime.cli.shapes import Commands

_MOST = 2**63
"""What no number of a row reaches, on either database."""


def add(commands: "Commands") -> None:
    """Add import, imports, undo, follow and contacted."""
    _add_import(commands)
    _add_contacted(commands)
    imports = command(
        commands,
        "imports",
        "audience:list_all",
        "List the files that were imported into a campaign, and what came of their rows",
        "tstn audience imports --campaign phase-1-list-1",
    )
    campaign(imports, "--campaign")
    undo = command(
        commands,
        "undo",
        "audience:undo",
        "Remove the numbers that an import brought, as long as none of them has been called or "
        "invited; all or nothing",
        "tstn audience undo 7",
    )
    undo.add_argument(
        "import_id", type=_row_number, metavar="IMPORT", help="its number (audience imports)"
    )
    follow = command(
        commands,
        "follow",
        "follow:follow",
        "Give a call campaign the numbers of a text campaign that neither registered nor opted "
        "out, to be called follow_after_hours after their text. Running it again adds those who "
        "are new, and nobody twice",
        "tstn audience follow phase-1-list-1 --from phase-1-texts",
    )
    campaign(follow).add_argument(
        "--from", dest="source", metavar="TEXTS", help="its name (default: the key follows)"
    )


def _add_import(commands: "Commands") -> None:
    load = command(
        commands,
        "import",
        "audience:load",
        "Add the numbers of a CSV or XLSX file to a campaign; bad rows go to a file of rejects. "
        "Columns: msisdn, province, district, list, and those that eligibility is judged by "
        "(dialer/eligibility.py), in English or Vietnamese; all others are kept. Running it again "
        "adds nothing twice",
        "tstn audience import numbers.csv --campaign phase-1-list-1 --dry-run",
    )
    load.add_argument(
        "file", type=Path, metavar="FILE", help="CSV in UTF-8, or XLSX; with a header"
    )
    campaign(load, "--campaign")
    load.add_argument(
        "--rejects",
        type=Path,
        metavar="PATH",
        help="for bad rows (default: FILE.rejects.csv; with --dry-run none)",
    )
    load.add_argument("--dry-run", action="store_true", help="count, and write nothing")
    load.add_argument(
        "--extracted-at",
        metavar="WHEN",
        help="when the figures were true, for rows that do not say so: a day or a moment",
    )
    load.add_argument(
        "--require-eligibility",
        action="store_true",
        help="demand every rule: a missing column is an error, an empty list is refused",
    )
    load.add_argument(
        "--skip-other-campaigns",
        action="store_true",
        help="refuse numbers that another campaign has which is not at its end "
        "(default: add and count them)",
    )


def _add_contacted(commands: "Commands") -> None:
    contacted = command(
        commands,
        "contacted",
        "upkeep:contacted",
        "After a restore: numbers that the carrier or the SMSC has a record of since the backup. "
        "Where they still wait, that counts as one contact with an unknown end; running it again "
        "counts nobody twice. Before it no campaign starts (an empty file: nobody was contacted)",
        "tstn audience contacted carrier-records.csv",
    )
    contacted.add_argument(
        "file", type=Path, metavar="FILE", help="CSV; a column msisdn, or numbers first"
    )
    contacted.add_argument(
        "--leave-out-unreadable",
        action="store_true",
        help="count the rest where some rows have no number (default: count nothing)",
    )


def _row_number(written: str) -> int:
    number = int(written) if written.isdecimal() else 0
    if not 0 < number < _MOST:
        raise ArgumentTypeError("there is no import of that number: see `tstn audience imports`")
    return number
