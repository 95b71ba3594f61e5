"""In and out: login, logout, where each role begins, and the language. I/O."""

from aiohttp import web
from sqlalchemy import Connection

from console import forms
from console.cookies import (
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    VISIT_COOKIE,
    hashed,
    new_token,
    put,
)
from console.messages import LANGUAGES
from console.navigation import home_of
from console.parts import SESSION, Parts, parts, session
from console.passwords import TooManyChecks
from console.render import page
from domain.roles import Permission, Role, may
from domain.states import Duty
from store import audit, duty, sessions, users
from store.audit import Act
from store.models import User
from store.sessions import Present

_MOST_LOGIN = 40


async def home(request: web.Request) -> web.StreamResponse:
    """To the first page of the role."""
    raise web.HTTPSeeOther(home_of(session(request).role))


async def show(request: web.Request) -> web.StreamResponse:
    """The login; who is in already goes on."""
    if SESSION in request:
        return await home(request)
    return _form(request, ended="ended" in request.query)


async def log_in(request: web.Request) -> web.StreamResponse:
    """Check login and password. One answer for all that may be wrong, after about one time."""
    it = parts(request)
    login = (await forms.text(request, "login")).lower()[:_MOST_LOGIN]
    user = await it.store.read(users.by_login, login)
    may_enter = user is not None and users.may_enter(user, it.clock())
    try:
        fits = await it.passwords.fits(
            user.password_hash if user else None, await forms.password(request, "password")
        )
    except TooManyChecks:
        return _form(request, busy=True, login=login, status=503)
    if user is not None and may_enter and fits:
        cookie = new_token()
        if await it.store.write(_begin, it, user, cookie, request.get(SESSION)):
            raise _entered(request, Role(user.role), cookie)
        may_enter = False
    await it.store.write(_refuse, it, user if may_enter else None)
    return _form(request, wrong=True, login=login, status=422)


def _form(
    request: web.Request,
    *,
    ended: bool = False,
    wrong: bool = False,
    busy: bool = False,
    login: str = "",
    status: int = 200,
) -> web.Response:
    names = {"ended": ended, "wrong": wrong, "busy": busy, "login": login}
    return page(request, "login.html", names | {"next": _next(request)}, status=status)


def _begin(
    connection: Connection, it: Parts, checked: User, cookie: str, before: Present | None
) -> bool:
    """Always a new session: an id that somebody planted before the login is worth nothing.

    False where the account was locked, switched off or given another password while this one
    waited to be checked: of guesses sent all at once no more count than of those sent one by one.
    """
    now = it.clock()
    user = users.locked_row(connection, checked.id)
    if user is None or not users.may_enter(user, now):
        return False
    if user.password_hash != checked.password_hash:
        return False
    if before is not None:
        sessions.end(connection, before.id, now)
    users.login_succeeded(connection, user.id)
    sessions.start(connection, user.id, hashed(cookie), new_token(), now)
    audit.add(connection, Act("logged_in", user.id), now)
    return True


def _entered(request: web.Request, role: Role, cookie: str) -> web.HTTPSeeOther:
    back = _next(request)
    response = web.HTTPSeeOther(home_of(role) if back == "/" else back)
    put(request, response, SESSION_COOKIE, cookie)
    response.del_cookie(VISIT_COOKIE)
    return response


async def log_out(request: web.Request) -> web.StreamResponse:
    """End the session's row; the cookie alone is worth nothing then. An agent goes off duty."""
    it, who = parts(request), session(request)

    def end(connection: Connection) -> None:
        now = it.clock()
        if may(who.role, Permission.CALLBACKS_WORK):
            duty.set_duty(connection, who.user_id, Duty.OFF, now)
        sessions.end(connection, who.id, now)
        audit.add(connection, Act("logged_out", who.user_id), now)

    await it.store.write(end)
    response = web.HTTPSeeOther("/login")
    response.del_cookie(SESSION_COOKIE)
    raise response


async def choose_language(request: web.Request) -> web.StreamResponse:
    """Keep the language for a year, and go back to the page."""
    chosen = await forms.text(request, "language")
    if chosen not in LANGUAGES:
        raise web.HTTPBadRequest
    response = web.HTTPSeeOther(_ours(await forms.text(request, "next")))
    put(request, response, LANGUAGE_COOKIE, chosen, stays=True)
    raise response


def _refuse(connection: Connection, it: Parts, user: User | None) -> None:
    """Count a wrong password. For an unknown or locked account there is nothing to count."""
    now = it.clock()
    if user is None:
        audit.add(connection, Act("login_failed", None), now)
        return
    locks = users.login_failed(connection, user.id, it.setting.login, now)
    act = Act("login_locked" if locks else "login_failed", None, subject=user.login)
    audit.add(connection, act, now)


def _next(request: web.Request) -> str:
    return _ours(request.query.get("next", "/"))


def _ours(path: str) -> str:
    """A path of this site, else the home page: nobody is sent elsewhere by a link to us."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_ours and path.isprintable() else "/"
