"""The commands that steer a campaign, and the brakes, with their arguments. Pure."""

from typing import TYPE_CHECKING

from domain.states import BrakeCause
from runtime.cli.shapes import campaign, command

if TYPE_CHECKING:
    from runtime.cli.shapes import Commands


def add_control(commands: "Commands") -> None:
    """`tstn campaign preview`, `revert`, `test-call` and `recycle`."""
    preview = command(
        commands,
        "preview",
        "campaign_control:preview",
        "Show what knobs would come to before they are turned: finish, channels, call-backs a day "
        "against the agents; nothing is changed",
        "tstn campaign preview phase-1-list-1 cps=8",
    )
    campaign(preview).add_argument("pairs", nargs="*", metavar="KEY=VALUE", help="as for tune")
    revert = "Undo the last tuning; once more undoes the one before"
    example = "tstn campaign revert phase-1-list-1"
    campaign(command(commands, "revert", "campaign_control:revert", revert, example))
    trial = command(
        commands,
        "test-call",
        "trial:call",
        "Call your own phone with the script, by the running server; nothing comes of its keys, "
        "and it counts in no figure",
        "tstn campaign test-call phase-1-list-1 0901234567",
    )
    campaign(trial).add_argument("msisdn", nargs="+", metavar="MSISDN", help="in any form")
    trial.add_argument("--script", metavar="V", help="another script version than the campaign's")
    recycle = command(
        commands,
        "recycle",
        "campaign_control:recycle",
        "Dial numbers once more that are done with; never those that registered, opted out, "
        "stand on a do-not-call list, or were dialled max_attempts times",
        "tstn campaign recycle phase-1-list-1 --outcome no_answer,busy --preview",
    )
    campaign(recycle)
    recycle.add_argument(
        "--outcome", required=True, metavar="WORDS", help="such as no_answer,busy,phase_closed"
    )
    recycle.add_argument(
        "--province", metavar="P", help="only these: its official code, or its name in the file"
    )
    recycle.add_argument(
        "--ended-before",
        metavar="ISO",
        help="only those whose last dial ended before a day or a moment",
    )
    recycle.add_argument("--preview", action="store_true", help="only count, change nothing")


def add_brakes(commands: "Commands") -> None:
    """`tstn brakes …`."""
    shown = command(
        commands,
        "show",
        "brakes:show_all",
        "Show the brakes that are drawn, and why: all, or those that slow one campaign",
        "tstn brakes show phase-1-list-1",
    )
    shown.add_argument("campaign", nargs="?", metavar="CAMPAIGN", help="its name or number")
    override = command(
        commands,
        "override",
        "brakes:override",
        "Dial as if a brake were not drawn, for some time; history and audit say who did it",
        "tstn brakes override trunk:carrier congestion --minutes 30",
    )
    override.add_argument("--minutes", type=int, required=True, metavar="N", help="1 to 1440")
    release = command(
        commands,
        "release",
        "brakes:release",
        "Heed a brake again before its override has run out",
        "tstn brakes release phase-1-list-1 promise",
    )
    for each in (override, release):
        each.add_argument("scope", metavar="SCOPE", help="a campaign, or trunk:NAME")
        each.add_argument("cause", choices=[cause.value for cause in BrakeCause])
