"""What `tstn rehearse` takes: the time, the carrier's rates, the agents, changed knobs. Pure."""

from argparse import ArgumentParser
from dataclasses import fields

from dialer.rehearsal_carrier import Rates

HELP = (
    "Rehearse a campaign's settings against a simulated carrier, on a fast clock: when it is "
    "finished, the load of each hour, call-backs and whether they are kept. Nothing is dialled or "
    "written"
)
EXAMPLE = "tstn rehearse --campaign phase-1-list-1 --hours 72 --agents 12 cps=8 max_channels=80"
_WHAT = {
    "answer": "share of dials that are picked up",
    "key_1": "share of those who pick up and press 1",
    "key_3": "share of those who pick up and press 3",
    "busy": "share of dials that are busy",
    "off": "share of dials to phones switched off or out of coverage",
    "invalid": "share of numbers that do not exist",
    "congestion": "share of dials that the network refuses",
}


def add_rehearsal(parser: ArgumentParser) -> None:
    """The options besides the campaign."""
    parser.add_argument(
        "--hours", type=float, required=True, metavar="H", help="how long to rehearse at most"
    )
    parser.add_argument("--from", dest="start", metavar="ISO", help="the beginning (default: now)")
    for field in fields(Rates):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}-rate",
            dest=f"{field.name}_rate",
            type=float,
            metavar="SHARE",
            help=f"{_WHAT[field.name]} (default: {field.default:g})",
        )
    parser.add_argument(
        "--agents", type=int, metavar="N", help="agents (default: those on duty now)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="the same seed gives the same result (default: 1)"
    )
    parser.add_argument(
        "pairs",
        nargs="*",
        metavar="KEY=VALUE",
        help="knobs to change, as for campaign tune: shown beside the present ones",
    )
