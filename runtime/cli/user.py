"""Commands about accounts: user add, list, change, disable, password; the audit has each. I/O."""

import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from getpass import getpass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from console.passwords import Passwords
from console.places import read_places
from domain.accounts import check_account, check_password
from domain.clock import utc_now
from domain.errors import InputError
from domain.roles import Role
from runtime.cli.opened_store import opened_store
from runtime.cli.output import show, table
from runtime.settings import Settings
from store import audit, users
from store.audit import Act
from store.engine import Store
from store.models import User
from store.users import Details, NewUser

T = TypeVar("T")

_ALL = 1_000_000


async def add(arguments: Namespace, settings: Settings) -> None:
    """Add an account with a password from the terminal, a file, or stdin."""
    login, role = arguments.login.lower(), Role(arguments.role)
    province = _province(arguments, settings)
    check_account(login, arguments.name, role, province, arguments.phone)
    made = await _hash(_password(arguments))
    new = NewUser(login, arguments.name, role, made, province, arguments.phone)
    data = {"name": new.name, "role": role, "province": new.province, "phone": new.phone}
    async with opened_store(settings) as store:
        act = Act("user_added", None, subject=login, data=data)
        await _write(store, act, lambda connection: users.add(connection, new, utc_now()))
    show(arguments, {"login": login, "role": role}, f"{login} ({role}) may log in now")


async def list_all(arguments: Namespace, settings: Settings) -> None:
    """List all accounts in order of logins."""
    async with opened_store(settings) as store:
        found = await store.read(users.after, "", _ALL)
    rows = [_row(user) for user in found]
    headings = ("login", "name", "role", "province", "phone", "state")
    show(arguments, rows, table(headings, ([row[name] for name in headings] for row in rows)))


async def change(arguments: Namespace, settings: Settings) -> None:
    """Correct name, phone or province; the audit keeps what stood before."""
    province = _province(arguments, settings)
    async with opened_store(settings) as store:
        user = await _user(store, arguments.login)
        new = Details(
            user.name if arguments.name is None else arguments.name,
            user.province if province is None else province,
            user.phone if arguments.phone is None else arguments.phone or None,
        )
        if changed := users.difference(user, new):
            act = Act("user_changed", None, subject=user.login, data=changed)
            await _write(store, act, lambda connection: users.change(connection, user.id, new))
    told = f"{user.login} is changed" if changed else f"{user.login} stands so already"
    show(arguments, {"login": user.login, **asdict(new)}, told)


async def disable(arguments: Namespace, settings: Settings) -> None:
    """Switch an account off: its sessions end at once, and its phone is free."""
    async with opened_store(settings) as store:
        user = await _user(store, arguments.login)

        def switch_off(connection: Connection) -> bool:
            return users.set_active(connection, user.id, utc_now(), is_active=False)

        act = Act("user_deactivated", None, subject=user.login, data={"phone": user.phone})
        await _write(store, act, switch_off)
    show(arguments, {"login": user.login}, f"{user.login} can't log in any more")


async def password(arguments: Namespace, settings: Settings) -> None:
    """Give an account a new password, end a lock, and end its sessions at once."""
    async with opened_store(settings) as store:
        user = await _user(store, arguments.login)
        made = await _hash(_password(arguments))

        def give(connection: Connection) -> None:
            users.set_password(connection, user.id, made, utc_now())

        await _write(store, Act("password_reset", None, subject=user.login), give)
    show(arguments, {"login": user.login}, f"{user.login} has a new password")


async def _write(store: Store, act: Act, operation: Callable[[Connection], T]) -> T:
    return await store.write(audit.perform, act, utc_now(), operation)


async def _user(store: Store, login: str) -> User:
    found = await store.read(users.by_login, login.lower())
    if found is None:
        raise InputError(f"there is no account {login!r}: see `tstn user list`")
    return found


def _province(arguments: Namespace, settings: Settings) -> str | None:
    """The province as the list of places spells it. Raises InputError."""
    if arguments.province is None:
        return None
    return read_places(settings.console.districts).known_province(arguments.province)


async def _hash(typed: str) -> str:
    passwords = Passwords()
    try:
        return await passwords.make(typed)
    finally:
        await passwords.close()


def _password(arguments: Namespace) -> str:
    """Asked for twice on a terminal; else the first line of the file or of stdin."""
    if arguments.password_file is not None:
        typed = _first_line(arguments.password_file)
    elif sys.stdin.isatty():
        try:
            typed = getpass("password: ")
            if getpass("once more: ") != typed:
                raise InputError("the two passwords differ: nothing was changed")
        except EOFError:
            raise InputError("no password was given: nothing was changed") from None
    else:
        typed = sys.stdin.readline().removesuffix("\n")
    check_password(typed)
    return typed


def _first_line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0]
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise InputError(f"{file} is no UTF-8 text: nothing was changed") from None


def _row(user: User) -> dict[str, Any]:
    return {
        "login": user.login,
        "name": user.name,
        "role": user.role,
        "province": user.province,
        "phone": user.phone,
        "state": "active" if user.is_active else "switched off",
    }
