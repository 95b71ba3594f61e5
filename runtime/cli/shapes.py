"""The shape of every command: its help, its example, the options that all of them take. Pure."""

from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    Commands = _SubParsersAction[ArgumentParser]

_HELP_WIDTH = 80


def campaign(parser: ArgumentParser, name: str = "campaign") -> ArgumentParser:
    """Add the campaign that a command is about, as an argument or as an option."""
    option: dict[str, Any] = {"required": True} if name.startswith("-") else {}
    parser.add_argument(name, metavar="C", help="name or number of a campaign", **option)
    return parser


def group(commands: "Commands", name: str, help_: str) -> "Commands":
    """Add a group of commands."""
    shown = shape(help_, f"tstn {name} COMMAND --help")
    return commands.add_parser(name, help=_plain(help_), **shown).add_subparsers(
        metavar="COMMAND", required=True
    )


def command(
    commands: "Commands", name: str, handler: str, help_: str, example: str = ""
) -> ArgumentParser:
    """Add a command; `handler` is `module:function`, `help_` a sentence without full stop."""
    shown = shape(help_, example or f"tstn {name}")
    parser = commands.add_parser(name, help=_plain(help_), **shown)
    parser.set_defaults(handler=handler)
    return parser


def _plain(help_: str) -> str:
    """For argparse, which fills in what stands behind a per cent sign."""
    return help_.replace("%", "%%")


def shape(description: str, example: str) -> dict[str, Any]:
    """What the parser of any command or group is made with."""
    return {
        "description": fill(f"{description}.", _HELP_WIDTH),
        "epilog": f"example:\n  {example}",
        "parents": [_everywhere()],
        "formatter_class": RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }


def _everywhere() -> ArgumentParser:
    """The options that stand before or after any command."""
    parser = ArgumentParser(add_help=False, argument_default=SUPPRESS)
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="settings (else TSTN_CONFIG, config/tstn.toml)"
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON, for programs")
    return parser
