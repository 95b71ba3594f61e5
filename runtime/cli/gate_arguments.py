"""The commands about who may be contacted, with their arguments, help and examples. Pure."""

from pathlib import Path
from typing import TYPE_CHECKING

from domain.states import ContactScope
from runtime.cli.shapes import campaign, command

if TYPE_CHECKING:
    from runtime.cli.shapes import Commands


def add_do_not_call(commands: "Commands") -> None:
    """`tstn dnc …`."""
    load = command(
        commands,
        "import",
        "gate:import_do_not_call",
        "Replace the do-not-call list of a scope by a file: a number a row, or a column called "
        "msisdn; rows without a number go to a file of rejects. An empty file empties the list",
        "tstn dnc import dnc.csv --scope all",
    )
    load.add_argument("file", type=Path, metavar="FILE.csv", help="CSV in UTF-8")
    load.add_argument(
        "--scope",
        required=True,
        choices=[scope.value for scope in ContactScope],
        help="what the numbers are not to get: calls (voice), texts (sms), or either (all)",
    )
    load.add_argument(
        "--rejects", type=Path, metavar="PATH", help="for bad rows (default: FILE.rejects.csv)"
    )
    command(
        commands,
        "show",
        "gate:show_do_not_call",
        "Show the lists in use and their age; what stops advertising is marked !!",
        "tstn dnc show",
    )


def add_phases(commands: "Commands") -> None:
    """`tstn phases …`."""
    load = command(
        commands,
        "import",
        "gate:import_phases",
        "Set when places are invited, for campaigns with by_phase. Columns: province, by name "
        "or province_code; district or district_code (empty: the whole province, but for districts "
        "with a row of their own); opens_on, closes_on (empty: open end); scheme (vn-2021). Places "
        "that the file does not name keep theirs. Numbers that had ended with their phase are "
        "dialled if it goes on now; start a campaign again that has finished meanwhile",
        "tstn phases import config/provinces-phase2.csv",
    )
    load.add_argument("file", type=Path, metavar="FILE.csv", help="CSV in UTF-8 with a header")
    for name, column in (("--opens", "opens_on"), ("--closes", "closes_on")):
        load.add_argument(name, metavar="DAY", help=f"for rows without {column}")
    command(
        commands,
        "show",
        "gate:show_phases",
        "Show when each province or district is invited",
        "tstn phases show",
    )


def add_why_not(commands: "Commands") -> None:
    """`tstn campaign why-not`."""
    why_not = command(
        commands,
        "why-not",
        "why_not:why_not",
        "Tell why a campaign is not dialling: its state, hours and lists, and its numbers counted "
        "by what they wait for or came to; with --msisdn, every rule for one number",
        "tstn campaign why-not phase-1-list-1 --msisdn 0901234567",
    )
    campaign(why_not).add_argument("--msisdn", metavar="N", help="one number, in any form")


def add_subscriber(commands: "Commands") -> None:
    """`tstn subscriber …`."""
    for name, handler, help_ in (
        ("show", "show_one", "Show, by kind, how many rows are held on one number"),
        ("export", "export", "Print all that is held on one number as JSON, whole, for its owner"),
        (
            "erase",
            "erase",
            "Take a number out of all that is held on it. Its refusals stay in force, under a "
            "hash that only this installation's law.erasure_key leads to: imported again, it is "
            "still not contacted. Refused while a call, a text, a registration or a call-back is "
            "open. Who did it is in the audit",
        ),
    ):
        example = f"tstn subscriber {name} 0901234567"
        parser = command(commands, name, f"subscriber:{handler}", help_, example)
        parser.add_argument("msisdn", metavar="MSISDN", help="the number in any form, as one word")
