"""What `tstn user` and `tstn token` take. Pure."""

from pathlib import Path
from typing import TYPE_CHECKING

from domain.roles import Role
from runtime.cli.shapes import command

if TYPE_CHECKING:
    from runtime.cli.shapes import Commands


def add_users(commands: "Commands") -> None:
    """Add user add, list, change, disable and password."""
    add = command(
        commands,
        "add",
        "user:add",
        "Add an account; the password is asked for, or read from a file or stdin",
        'tstn user add lan --role agent --name "Nguyễn Thị Lan" --phone agent1',
    )
    add.add_argument("login", metavar="LOGIN", help="small letters, digits, dots, - and _")
    add.add_argument("--role", required=True, choices=[role.value for role in Role])
    add.add_argument("--name", required=True, help="the user's name, as colleagues see it")
    add.add_argument("--phone", metavar="EXT", help="an agent's own SIP extension")
    add.add_argument("--province", metavar="P", help="the province a specialist works for")
    command(commands, "list", "user:list_all", "List all accounts", "tstn user list")
    right = "Correct an account's name, phone or province; what is not named stays"
    example = "tstn user change lan --phone agent2"
    change = command(commands, "change", "user:change", right, example)
    change.add_argument("--name", help="the user's name, as colleagues see it")
    change.add_argument("--phone", metavar="EXT", help='an agent\'s own SIP extension; "" for none')
    change.add_argument("--province", metavar="P", help="the province a specialist works for")
    off = "Switch an account off, log it out and free its phone; rows go on naming it"
    disable = command(commands, "disable", "user:disable", off, "tstn user disable lan")
    anew = "Give an account a new password, end its lock, and log it out"
    password = command(commands, "password", "user:password", anew, "tstn user password lan")
    for parser in (change, disable, password):
        parser.add_argument("login", metavar="LOGIN")
    for parser in (add, password):
        parser.add_argument(
            "--password-file", type=Path, metavar="FILE", help="its first line is the password"
        )


def add_tokens(commands: "Commands") -> None:
    """Add token create, list and revoke."""
    create = command(
        commands,
        "create",
        "token:create",
        "Make a token and print it, this once: the store keeps its hash only",
        "tstn token create nightly-report --role operator",
    )
    create.add_argument("name", metavar="NAME", help="what the audit calls it")
    whose = create.add_mutually_exclusive_group(required=True)
    whose.add_argument(
        "--role",
        choices=[role.value for role in Role if role is not Role.SPECIALIST],
        help="it may do what the role may",
    )
    whose.add_argument(
        "--user", metavar="LOGIN", help="it may do what the account may, while that is active"
    )
    command(commands, "list", "token:list_all", "List all tokens", "tstn token list")
    end = "Revoke a token; from then on it opens nothing"
    revoke = command(commands, "revoke", "token:revoke", end, "tstn token revoke nightly-report")
    revoke.add_argument("name", metavar="NAME")
