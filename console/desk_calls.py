"""Call and hang up from the agent's desk: the row first, then the line. I/O."""

from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web
from sqlalchemy import Connection

from console import desk_view, forms
from console.parts import parts, session
from console.render import fragment
from console.writes import write
from domain.errors import ClaimLost
from domain.msisdn import mask
from store import agent_desk, callback_calls, callback_queue
from store.agent_desk import Desk
from store.callback_calls import NewCall, OpenCall


async def call(request: web.Request) -> web.StreamResponse:
    """Ring the agent's phone, then the subscriber. A form that is sent again calls nobody."""
    it, who = parts(request), session(request)
    claim, line = await claim_of(request), it.desk.line
    if line is None or not who.phone:
        return await _said(request, "no_phone")
    now = it.clock()

    def begin(connection: Connection) -> OpenCall:
        require_own(connection, claim, who.user_id)
        callback_queue.renew(connection, claim, now, it.desk.lease)
        return callback_calls.begin(connection, NewCall(uuid4(), claim, line.node, now))

    try:
        begun = await write(request, "subscriber_called", begin, subject=_masked)
    except ClaimLost:
        return await _said(request, "call_not_begun")
    if begun is not None and not await line.place(begun.id, who.phone, begun.msisdn, now):
        return await _said(request, "phone_not_ringing")
    return await _said(request, "")


async def hang_up(request: web.Request) -> web.StreamResponse:
    """End both legs of the call in hand."""
    it, claim = parts(request), await claim_of(request)
    who = session(request).user_id

    def find(connection: Connection) -> UUID | None:
        require_own(connection, claim, who)
        return agent_desk.open_call(connection, claim)

    try:
        under_way = await write(request, "call_hung_up", find)
    except ClaimLost:
        return await _said(request, "claim_lost")
    if under_way is not None and it.desk.line is not None:
        await it.desk.line.hang_up(under_way)
    return await _said(request, "")


async def claim_of(request: web.Request) -> UUID:
    """The claim that a form was made for. Raises HTTPBadRequest."""
    try:
        return UUID(await forms.text(request, "claim"))
    except ValueError:
        raise web.HTTPBadRequest from None


def require_own(connection: Connection, claim: UUID, agent_id: int) -> str:
    """The number of an agent's claim; the store sees to claims that have ended.

    Raises ClaimLost for a claim of another agent.
    """
    msisdn = agent_desk.number_of(connection, claim, agent_id)
    if msisdn is None:
        raise ClaimLost("the call-back is no longer yours: take the next one")
    return msisdn


async def own_call(request: web.Request) -> object:
    """What the call's place shows: it is drawn anew only once that has changed."""
    desk = await desk_view.desk_of(request)
    own = None if desk.taken is None else desk.taken.claim_id
    return own, desk_view.call_view(desk.call, parts(request).desk.line)


async def render(request: web.Request) -> str:
    """The call for the stream."""
    return _fragment(request, await desk_view.desk_of(request))


def names(request: web.Request, desk: Desk, problem: str = "") -> dict[str, Any]:
    """What the template of the call is given."""
    line = parts(request).desk.line
    return {
        "desk": desk,
        "call": desk_view.call_view(desk.call, line),
        "can_call": line is not None and bool(session(request).phone),
        "problem": problem,
    }


async def _said(request: web.Request, problem: str) -> web.StreamResponse:
    """What went wrong in the call's place, where the page asks for that; else the whole desk.

    How the call stands comes by the stream alone: an answer that is overtaken by a newer state
    would stand in its place for good.
    """
    parts(request).live.push("desk")
    if "HX-Request" not in request.headers:
        raise web.HTTPSeeOther(f"/desk?said={problem}" if problem else "/desk")
    if not problem:
        return web.Response(status=HTTPStatus.NO_CONTENT)
    desk = await desk_view.desk_of(request)
    return web.Response(text=_fragment(request, desk, problem), content_type="text/html")


def _fragment(request: web.Request, desk: Desk, problem: str = "") -> str:
    return fragment(request, "desk/call.html", names(request, desk, problem))


def _masked(begun: OpenCall) -> str:
    return mask(begun.msisdn)
