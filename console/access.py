"""Who may ask what: each route is declared with what it needs, and guarded by that. I/O."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from urllib.parse import quote

from aiohttp import web

from console import live
from console.cookies import SESSION_COOKIE, hashed
from console.forms import require_form_of_ours
from console.parts import SESSION, allowed, parts
from domain.roles import Permission
from store import sessions
from store.sessions import Present

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_SEEN_EVERY = timedelta(seconds=30)


class Open(Enum):
    """Routes that need no permission."""

    TO_EVERYBODY = "to everybody"
    TO_USERS = "to users"
    """Whoever is logged in."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way in."""

    method: str
    path: str
    handler: Handler
    needs: Permission | Open
    takes_file: bool = False

    def guarded(self) -> Handler:
        """The handler behind its checks: session, permission, and the form's token."""

        async def guard(request: web.Request) -> web.StreamResponse:
            who = await find_session(request)
            if who is not None:
                request[SESSION] = who
            if self.needs is not Open.TO_EVERYBODY:
                if who is None:
                    return await _to_login(request)
                if isinstance(self.needs, Permission) and not allowed(request, self.needs):
                    raise web.HTTPForbidden
            if self.method == "POST":
                await require_form_of_ours(request, takes_file=self.takes_file)
            return await self.handler(request)

        return guard


async def find_session(request: web.Request) -> Present | None:
    """The living session of the request's cookie; somebody's click keeps it alive."""
    token = request.cookies.get(SESSION_COOKIE)
    if token is None:
        return None
    it = parts(request)
    now, idle = it.clock(), it.setting.idle
    who = await it.store.read(sessions.present, hashed(token), now, idle)
    if who is None or live.is_stream(request):
        return who
    if now - who.last_seen_at > min(_SEEN_EVERY, idle / 10):
        await it.store.write(sessions.seen, who.id, now)
    return who


async def is_alive(request: web.Request) -> bool:
    """Whether the session of an open stream lives on."""
    return await find_session(request) is not None


async def _to_login(request: web.Request) -> web.StreamResponse:
    if live.is_stream(request):
        return await live.ended(request)
    had_one = "&ended=1" if SESSION_COOKIE in request.cookies else ""
    if "HX-Request" in request.headers:
        return web.Response(status=401, headers={"HX-Redirect": f"/login?{had_one.lstrip('&')}"})
    back = quote(request.path) if request.method == "GET" else "/"
    raise web.HTTPSeeOther(f"/login?next={back}{had_one}")
