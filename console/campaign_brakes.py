"""The brakes of a campaign before its operator: not heeded for a while, or heeded again. I/O."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console import forms
from console.campaign_page import MINUTES, found, refused
from console.messages import marked as _
from console.parts import parts, session
from console.render import say
from console.writes import write
from domain.errors import InputError
from store import brakes
from store.brakes import Scope

_GONE = _("There is no such brake any more: look at what stands.")
_NO_TIME = _("Choose for how long the brake is not to be heeded.")


async def override(request: web.Request) -> web.StreamResponse:
    """Take no notice of a brake for some minutes."""
    given, now = await forms.text(request, "minutes"), parts(request).clock()
    if given not in map(str, MINUTES):
        return await refused(request, await found(request), [say(request, _NO_TIME)])
    until, by = now + timedelta(minutes=int(given)), session(request).login

    def work(connection: Connection, scope: Scope) -> None:
        brakes.override(connection, scope, by, until, now)

    return await _done(request, "brake_overridden", work, minutes=int(given))


async def release(request: web.Request) -> web.StreamResponse:
    """Heed a brake again."""
    by, now = session(request).login, parts(request).clock()

    def work(connection: Connection, scope: Scope) -> None:
        brakes.release(connection, scope, by, now)

    return await _done(request, "brake_released", work)


async def _done(
    request: web.Request, action: str, work: Callable[[Connection, Scope], None], **data: Any
) -> web.StreamResponse:
    campaign, it = await found(request), parts(request)
    identity = int(request.match_info["brake"])

    def operation(connection: Connection) -> None:
        work(connection, brakes.scope_of(connection, identity))

    try:
        scope = await it.store.read(brakes.scope_of, identity)
        about = {"cause": str(scope.cause), "trunk": scope.trunk, **data}
        await write(request, action, operation, subject=campaign.name, **about)
    except InputError:
        return await refused(request, campaign, [say(request, _GONE)])
    it.live.push("campaigns")
    raise web.HTTPSeeOther(f"/campaigns/{campaign.id}?done={action}")
