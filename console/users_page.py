"""The administrator's page: accounts, added, corrected, switched, given a new password. I/O."""

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
from store.users import Details, NewUser

_A_PAGE = 50
_DETAILS = ("name", "province", "phone")
_FIELDS = ("login", "role", *_DETAILS)


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
        _require_province(request, new.province)
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


async def show_change(request: web.Request) -> web.StreamResponse:
    """The form that corrects an account."""
    user = await _user(request)
    return _change_form(request, user, {name: getattr(user, name) or "" for name in _DETAILS})


async def change(request: web.Request) -> web.StreamResponse:
    """Correct name, province and phone; the audit keeps what stood before."""
    user = await _user(request)
    given = {name: await forms.text(request, name) for name in _DETAILS}
    new = Details(given["name"], given["province"] or None, given["phone"] or None)
    changed = users.difference(user, new)
    try:
        if "province" in changed:
            _require_province(request, new.province)
        if changed:
            await write(
                request,
                "user_changed",
                lambda connection: users.change(connection, user.id, new),
                subject=user.login,
                **changed,
            )
    except InputError as error:
        return _change_form(request, user, given, str(error))
    raise web.HTTPSeeOther("/users?done=user_changed")


async def switch_off(request: web.Request) -> web.StreamResponse:
    """Nobody locks himself out. The phone is free from then on; the audit keeps whose it was."""
    user = await _user(request)
    if user.id == session(request).user_id:
        raise web.HTTPConflict
    return await _switch(request, user, "user_deactivated", is_active=False, phone=user.phone)


async def switch_on(request: web.Request) -> web.StreamResponse:
    """Give an account back, without the phone that it had."""
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
    request: web.Request, user: User, action: str, *, is_active: bool, **data: Any
) -> web.StreamResponse:
    now = parts(request).clock()

    def switch(connection: Connection) -> bool:
        return users.set_active(connection, user.id, now, is_active=is_active)

    await write(request, action, switch, subject=user.login, **data)
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
        "provinces": parts(request).desk.places.provinces,
        "least": LEAST_PASSWORD,
        "problem": say(request, problem) if problem else "",
    }
    return page(request, "user_new.html", names, status=422 if problem else 200)


def _change_form(
    request: web.Request, user: User, given: dict[str, str], problem: str = ""
) -> web.Response:
    names: dict[str, Any] = {
        "user": user,
        "given": given,
        "provinces": parts(request).desk.places.provinces,
        "problem": say(request, problem) if problem else "",
    }
    return page(request, "user_change.html", names, status=422 if problem else 200)


def _require_province(request: web.Request, province: str | None) -> None:
    if province is not None and province not in parts(request).desk.places.provinces:
        raise InputError("choose a province of the list")


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
