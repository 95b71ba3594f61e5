"""Commands about the JSON API's tokens: token create, list, revoke. Each write is audited. I/O."""

from argparse import Namespace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from console.cookies import hashed, new_token
from domain.accounts import check_token_name
from domain.clock import to_local, utc_now
from domain.errors import InputError
from domain.roles import Role
from runtime.cli.opened_store import opened_store
from runtime.cli.output import show, table
from runtime.settings import Settings
from store import audit, tokens, users
from store.audit import Act

_PREFIX = "tstn_"
"""By this, people and scanners for secrets know what it is."""


async def create(arguments: Namespace, settings: Settings) -> None:
    """Make a token of a role or an account, and print it."""
    name, token = arguments.name, _PREFIX + new_token()
    check_token_name(name)
    whose = {"role": arguments.role} if arguments.role else {"login": arguments.user.lower()}
    act = Act("token_created", None, subject=name, data=whose)

    def add(connection: Connection) -> int:
        role = Role(arguments.role) if arguments.role else None
        user_id = None if role else _user_id(connection, arguments.user)
        return tokens.add(connection, name, hashed(token), utc_now(), role=role, user_id=user_id)

    async with opened_store(settings) as store:
        await store.write(audit.perform, act, utc_now(), add)
    show(arguments, {"name": name, **whose, "token": token}, token)


async def list_all(arguments: Namespace, settings: Settings) -> None:
    """List all tokens, revoked ones too, in order of names."""
    async with opened_store(settings) as store:
        rows = [_row(row) for row in await store.read(tokens.all_of)]
    headings = ("name", "role", "login", "created_at", "last_used_at", "revoked_at")
    cells = ([_shown(row[name]) for name in headings] for row in rows)
    show(arguments, rows, table([name.replace("_", " ") for name in headings], cells))


async def revoke(arguments: Namespace, settings: Settings) -> None:
    """End a token at once."""
    name = arguments.name
    act = Act("token_revoked", None, subject=name)
    async with opened_store(settings) as store:
        changed = await store.write(
            audit.perform,
            act,
            utc_now(),
            lambda connection: tokens.revoke(connection, name, utc_now()),
        )
    text = f"{name} opens nothing any more" if changed else f"{name} was revoked before"
    show(arguments, {"name": name, "changed": changed}, text)


def _user_id(connection: Connection, login: str) -> int:
    user = users.by_login(connection, login.lower())
    if user is None:
        raise InputError(f"there is no account {login!r}: see `tstn user list`")
    return user.id


def _row(row: RowMapping) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("id", "user_id")}


def _shown(value: Any) -> Any:
    return f"{to_local(value):%d/%m/%Y %H:%M}" if isinstance(value, datetime) else value
