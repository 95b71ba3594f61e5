"""The administrator's page: accounts, added, switched off and on, given a new password. I/O."""

from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console import forms
from console.parts import parts, session
from console.render import page, say
from console.writes import write
from domain.accounts import LEAST_PASSWORD
from domain.errors import InputError
from domain.roles import Role
from store import users
from store.models import User
from store.users import NewUser

_A_PAGE = 50
_FIELDS = ("login", "name", "role", "province", "phone")


async def show(request: web.Request) -> web.StreamResponse:
    """The accounts in order of logins, a page by key."""
    after = request.query.get("after", "")
    found = await parts(request).store.read(users.after, after, _A_PAGE + 1)
    shown = found[:_A_PAGE]
    names = {
        "users": shown,
        "after": after,
        "next_after": shown[-1].login if len(found) > _A_PAGE else None,
        "done": request.query.get("done", ""),
    }
    return page(request, "users.html", names)


async def show_new(request: web.Request) -> web.StreamResponse:
    """The form of a new account."""
    return _form(request, dict.fromkeys(_FIELDS, ""))


async def add(request: web.Request) -> web.StreamResponse:
    """Add an account; what is wrong with the form is said above it."""
    it = parts(request)
    given = {name: await forms.text(request, name) for name in _FIELDS}
    try:
        new = _read(given, await it.passwords.make(await forms.password(request, "password")))
        now = it.clock()
        shown = {"name": new.name, "role": new.role, "province": new.province, "phone": new.phone}
        await write(
            request,
            "user_added",
            lambda connection: users.add(connection, new, now),
            subject=new.login,
            **shown,
        )
    except InputError as error:
        return _form(request, given, str(error))
    raise web.HTTPSeeOther("/users?done=user_added")


async def switch_off(request: web.Request) -> web.StreamResponse:
    """Nobody locks himself out."""
    user = await _user(request)
    if user.id == session(request).user_id:
        raise web.HTTPConflict
    return await _switch(request, user, "user_deactivated", is_active=False)


async def switch_on(request: web.Request) -> web.StreamResponse:
    """Give an account back."""
    return await _switch(request, await _user(request), "user_activated", is_active=True)


async def show_password(request: web.Request) -> web.StreamResponse:
    """The form of a new password."""
    return page(request, "user_password.html", {"user": await _user(request), "problem": ""})


async def set_password(request: web.Request) -> web.StreamResponse:
    """Give a new password; the account's sessions end."""
    it, user = parts(request), await _user(request)
    try:
        made = await it.passwords.make(await forms.password(request, "password"))
    except InputError as error:
        names = {"user": user, "problem": say(request, str(error))}
        return page(request, "user_password.html", names, status=422)
    now = it.clock()
    await write(
        request,
        "password_reset",
        lambda connection: users.set_password(connection, user.id, made, now),
        subject=user.login,
    )
    raise web.HTTPSeeOther("/users?done=password_reset")


async def _switch(
    request: web.Request, user: User, action: str, *, is_active: bool
) -> web.StreamResponse:
    now = parts(request).clock()

    def switch(connection: Connection) -> bool:
        return users.set_active(connection, user.id, now, is_active=is_active)

    await write(request, action, switch, subject=user.login)
    raise web.HTTPSeeOther(f"/users?done={action}")


async def _user(request: web.Request) -> User:
    found = await parts(request).store.read(users.by_id, int(request.match_info["id"]))
    if found is None:
        raise web.HTTPNotFound
    return found


def _form(request: web.Request, given: dict[str, str], problem: str = "") -> web.Response:
    names: dict[str, Any] = {
        "given": given,
        "roles": list(Role),
        "least": LEAST_PASSWORD,
        "problem": say(request, problem) if problem else "",
    }
    return page(request, "user_new.html", names, status=422 if problem else 200)


def _read(given: dict[str, str], password_hash: str) -> NewUser:
    """The account of a form. Raises InputError."""
    if given["role"] not in set(Role):
        raise InputError("choose a role")
    return NewUser(
        given["login"].lower(),
        given["name"],
        Role(given["role"]),
        password_hash,
        given["province"] or None,
        given["phone"] or None,
    )
