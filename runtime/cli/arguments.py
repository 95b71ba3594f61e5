"""The commands of `tstn` with their arguments, help and examples. Pure.

A command names its handler as `module:function` of `runtime.cli`; main imports only that one. A
handler is `(arguments, settings) -> exit status | None`, plain or async.
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.cli import (
    access_arguments,
    audience_arguments,
    control_arguments,
    gate_arguments,
    upkeep_arguments,
)
from runtime.cli.rehearse_arguments import EXAMPLE, HELP, add_rehearsal
from runtime.cli.retention_arguments import add_retention
from runtime.cli.shapes import campaign as _campaign
from runtime.cli.shapes import command as _command
from runtime.cli.shapes import group as _group
from runtime.cli.shapes import shape as _shape

if TYPE_CHECKING:
    from runtime.cli.shapes import Commands

_PAIR = "KEY=VALUE"


def build_parser() -> ArgumentParser:
    """The parser of the whole command line."""
    description = "IVR and SMS server for SIM replacement at home"
    parser = ArgumentParser("tstn", **_shape(description, "tstn campaign create --help"))
    parser.set_defaults(config=None, json=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_server(commands)
    upkeep_arguments.add(commands)
    _add_campaign(
        _group(commands, "campaign", "Make, watch, start, pause, stop and tune campaigns")
    )
    rehearse = _command(commands, "rehearse", "rehearse:run", HELP, EXAMPLE)
    add_rehearsal(_campaign(rehearse, "--campaign"))
    _add_limits(_group(commands, "limits", "Rates and channels of the server and its trunks"))
    gate_arguments.add_do_not_call(
        _group(commands, "dnc", "The do-not-call lists, which every contact heeds")
    )
    gate_arguments.add_phases(
        _group(commands, "phases", "When districts and provinces are invited")
    )
    gate_arguments.add_subscriber(_group(commands, "subscriber", "All that is held on one number"))
    add_retention(_group(commands, "retention", "How long personal data is kept"))
    audience_arguments.add(_group(commands, "audience", "The numbers of a campaign"))
    control_arguments.add_brakes(_group(commands, "brakes", "What slows the dialler by itself"))
    _add_records(commands)
    _add_texts(_group(commands, "sms", "Texts to and from subscribers, and the SMSCs"))
    _add_keywords(_group(commands, "keywords", "What texts to the short code mean"))
    access_arguments.add_users(_group(commands, "user", "The accounts of the web pages"))
    access_arguments.add_tokens(
        _group(commands, "token", "The tokens by which programs use the JSON API")
    )
    _add_prompts(_group(commands, "prompts", "The audio of the call script"))
    _add_asterisk(_group(commands, "asterisk", "The configuration of Asterisk"))
    return parser


def _add_server(commands: "Commands") -> None:
    _command(commands, "migrate", "server:migrate", "Bring the database to this version's schema")
    _command(
        commands,
        "serve",
        "serve:serve",
        "Run the server until SIGTERM: it dials the running campaigns (--json: log lines as JSON)",
    )
    _command(
        commands,
        "health",
        "server:health",
        "Ask the running server how it is; exit status 1 if it can't work or does not answer",
    )
    _command(
        commands,
        "check-config",
        "server:check_config",
        "Check settings, replies and SMSC accounts, and print those in force, secrets hidden",
        "tstn --config /etc/tstn/tstn.toml check-config",
    )
    _command(
        commands,
        "install-check",
        "install_check:install_check",
        "Look at this host before the first start (programs, accounts, Asterisk's files, units, "
        "kernel): each line ok, warn or fail, with what to do; exit status 1 if one fails",
        "tstn install-check",
    )


def _add_campaign(commands: "Commands") -> None:
    create = _command(
        commands,
        "create",
        "campaign:create",
        "Make a draft from a file (its keys: config/campaigns/example.toml)",
        "tstn campaign create config/campaigns/example.toml",
    )
    create.add_argument("file", type=Path, metavar="FILE.toml", help="the campaign in TOML")
    _command(commands, "list", "campaign:list_all", "List all campaigns", "tstn campaign list")
    for name, handler, help_ in (
        ("show", "show_one", "Show state, knobs, and counts of targets and attempts"),
        ("start", "start", "Start dialling, or go on after a pause"),
        ("pause", "pause", "Stop new calls until the next start; live calls end by themselves"),
        ("stop", "stop", "End a campaign for good; live calls end by themselves"),
    ):
        example = f"tstn campaign {name} phase-1-list-1"
        _campaign(_command(commands, name, f"campaign:{handler}", help_, example))
    gate_arguments.add_why_not(commands)
    _campaign(
        _command(
            commands,
            "variants",
            "variants:compare",
            "Compare the script versions that a campaign plays: called, answered, keys, and the "
            "share of key 1 with its bounds of 95 %",
            "tstn campaign variants phase-1-list-1",
        )
    )
    tune = _command(
        commands,
        "tune",
        "campaign:tune",
        "Change knobs, also while it runs; they hold within two seconds",
        "tstn campaign tune phase-1-list-1 cps=8 retry.busy.delay_seconds=600 "
        'windows="08:00-11:30,13:30-17:00"',
    )
    _campaign(tune).add_argument(
        "pairs", nargs="+", metavar=_PAIR, help="as in the campaign's file"
    )
    control_arguments.add_control(commands)


def _add_limits(commands: "Commands") -> None:
    _command(commands, "show", "limits:show_all", "Show the limits in force", "tstn limits show")
    put = _command(
        commands,
        "set",
        "limits:put",
        "Set limits, also while it runs; they hold within two seconds",
        "tstn limits set trunk:carrier cps=30 channels=300",
    )
    undo = "Undo the last change of one scope's limits; once more undoes the one before"
    example = "tstn limits revert trunk:carrier"
    for each in (put, _command(commands, "revert", "limits:revert", undo, example)):
        each.add_argument("scope", metavar="SCOPE", help="global, or trunk:NAME")
    put.add_argument(
        "pairs", nargs="+", metavar=_PAIR, help="cps (calls a second), channels (calls at once)"
    )


def _add_records(commands: "Commands") -> None:
    _add_exports(
        _group(
            commands, "export", "Records, a JSON object a line (fields: store/export_columns.py)"
        )
    )
    timeline = _command(
        commands,
        "timeline",
        "records:timeline",
        "Tell everything that happened to one number, in order (--json: one object a line)",
        "tstn timeline 0901 234 567",
    )
    timeline.add_argument("msisdn", nargs="+", metavar="MSISDN", help="the number in any form")


def _add_exports(commands: "Commands") -> None:
    for kind, help_ in (
        ("attempts", "Print a campaign's dials with their keys, one JSON object a line"),
        ("registrations", "Print what a campaign's calls registered, one JSON object a line"),
        ("callbacks", "Print the call-backs a campaign's calls promised, one JSON object a line"),
    ):
        example = f"tstn export {kind} --campaign phase-1-list-1 > {kind}.jsonl"
        export = _command(commands, kind, "records:export", help_, example)
        export.set_defaults(kind=kind)
        _campaign(export, "--campaign")
    messages = _command(
        commands,
        "messages",
        "records:export_messages",
        "Print the texts of all numbers, those that came and then those posted, one JSON object a "
        "line",
        "tstn export messages --since 2026-03-26 > messages.jsonl",
    )
    messages.add_argument(
        "--since",
        metavar="ISO",
        help="a day or a moment, in Viet Nam's time where no zone is given (default: all)",
    )


def _add_texts(commands: "Commands") -> None:
    _command(
        commands,
        "status",
        "texts:status",
        "Show the binds of the running server, what waits, and how many texts came to what; what "
        "people have to look into is marked !!",
        "tstn sms status",
    )
    send = _command(
        commands,
        "send",
        "texts:send",
        "Post a text to one number; the running server sends it (tstn timeline NUMBER: what came "
        "of it)",
        'tstn sms send 0901234567 "Xin chào"',
    )
    send.add_argument("number", metavar="NUMBER", help="in any form, as one word")
    send.add_argument("text", metavar="TEXT", help="long ones go out in parts")
    send.add_argument(
        "--account", metavar="NAME", help="the SMSC account (needed where there are several)"
    )


def _add_keywords(commands: "Commands") -> None:
    attempt = _command(
        commands,
        "try",
        "keywords:attempt",
        "Show how a text would be understood; nothing is stored or sent",
        'tstn keywords try "Soạn tstn gửi 9231"',
    )
    attempt.add_argument("text", metavar="TEXT", help="as a subscriber might write it")


def _add_prompts(commands: "Commands") -> None:
    build = _command(
        commands,
        "build",
        "prompts:build",
        "Make the audio of every script, from recordings or by espeak-ng",
        "tstn prompts build --if-changed",
    )
    build.add_argument(
        "--if-changed", action="store_true", help="only those whose words or recording changed"
    )


def _add_asterisk(commands: "Commands") -> None:
    render = _command(
        commands,
        "render",
        "asterisk:render",
        "Write Asterisk's configuration from the settings; passwords are made once and kept",
        "tstn asterisk render /etc/asterisk",
    )
    render.add_argument("directory", type=Path, metavar="DIR", help="where the files go")
