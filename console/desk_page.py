"""The agent's desk: duty, the next call-back, and its page kept live and claimed. I/O."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from aiohttp import web
from sqlalchemy import Connection

from console import desk_calls, desk_view, forms
from console.access import is_alive
from console.desk_topics import QUEUE
from console.desk_view import Queue
from console.live import Fragment
from console.parts import parts, session
from console.render import fragment, page
from console.writes import write
from domain.errors import ClaimLost, NotOnDuty, StoreUnavailable
from domain.msisdn import mask
from domain.states import Duty
from store import agent_desk, callback_queue, duty
from store.callback_queue import Taken

log = logging.getLogger(__name__)

PAUSES = ("short_break", "meal", "training", "meeting", "technical_fault")
_RENEWALS_A_LEASE = 4


class _NoneReady(Exception):
    """Nothing to take, and so nothing for the audit."""


async def show(request: web.Request) -> web.StreamResponse:
    """The desk: the call-back in hand, or the way to the next one."""
    return await answer(request, request.query.get("said", ""))


async def answer(
    request: web.Request,
    said: str = "",
    given: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    """The whole desk; `given` and `wrong` are those of a result that can't be taken."""
    desk = await desk_view.desk_of(request)
    names: dict[str, Any] = {"desk": desk, "queue": await desk_view.queue_of(request)}
    names |= {"said": said, "pauses": PAUSES, "wrong": wrong or {}, "is_typed": bool(given)}
    if desk.taken is None:
        return page(request, "desk/ready.html", names, status)
    names |= await desk_view.work(request, desk.taken, given or {})
    names |= desk_calls.names(request, desk)
    return page(request, "desk/work.html", names, status)


async def set_duty(request: web.Request) -> web.StreamResponse:
    """On, pause with its reason, or off: then what is in hand goes back to the queue."""
    chosen = await forms.text(request, "duty")
    if chosen not in set(Duty):
        raise web.HTTPBadRequest
    wanted, who, now = Duty(chosen), session(request).user_id, parts(request).clock()
    given = await forms.text(request, "reason")
    reason = given if wanted is Duty.PAUSED and given in PAUSES else None

    def change(connection: Connection) -> None:
        duty.set_duty(connection, who, wanted, now, reason)

    await write(request, f"duty_{wanted}", change, reason=reason)
    if "HX-Request" not in request.headers:
        raise web.HTTPSeeOther("/desk")
    desk = await desk_view.desk_of(request)
    return html(request, "desk/duty.html", {"desk": desk, "pauses": PAUSES})


async def take(request: web.Request) -> web.StreamResponse:
    """Claim the next call-back; who has one keeps it."""
    it, who = parts(request), session(request).user_id
    now = it.clock()

    def claim(connection: Connection) -> Taken:
        taken = callback_queue.take_next(connection, who, now, it.desk.lease, it.desk.hours)
        if taken is None:
            raise _NoneReady
        return taken

    try:
        await write(request, "callback_taken", claim, subject=_masked)
    except NotOnDuty:
        raise web.HTTPSeeOther("/desk?said=not_on_duty") from None
    except _NoneReady:
        why = "none_ready" if it.desk.hours.is_open(now) else "closed_hours"
        raise web.HTTPSeeOther(f"/desk?said={why}") from None
    it.live.push("desk")
    raise web.HTTPSeeOther("/desk")


async def give_back(request: web.Request) -> web.StreamResponse:
    """Put the call-back in hand back into the queue; its call ends."""
    it, who = parts(request), session(request).user_id
    claim, now = await desk_calls.claim_of(request), it.clock()

    def back(connection: Connection) -> UUID | None:
        desk_calls.require_own(connection, claim, who)
        callback_queue.give_back(connection, claim, now)
        return agent_desk.open_call(connection, claim)

    with suppress(ClaimLost):
        under_way = await write(request, "callback_given_back", back)
        if under_way is not None and it.desk.line is not None:
            await it.desk.line.hang_up(under_way)
    it.live.push("desk")
    raise web.HTTPSeeOther("/desk?said=given_back")


async def stream(request: web.Request) -> web.StreamResponse:
    """The queue, the call's state, and whether the call-back is still this agent's.

    While the page is open and its session lives, the claim is renewed.
    """
    fragments = {
        "queue": Fragment(QUEUE, _queue, _figures),
        "claim": Fragment("desk", _claim, _own_claim),
    }
    if "claim" in request.query:
        fragments["call"] = Fragment("desk", desk_calls.render, desk_calls.own_call)
    else:
        fragments["upcoming"] = Fragment(QUEUE, _upcoming)
    async with _renewing(request):
        return await parts(request).live.stream(request, fragments)


@asynccontextmanager
async def _renewing(request: web.Request) -> AsyncIterator[None]:
    task = asyncio.create_task(_renew(request), name="lease")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _renew(request: web.Request) -> None:
    """An open page is no sign of life for the session: the lease ends with it."""
    it, who = parts(request), session(request).user_id

    def hold(connection: Connection) -> None:
        own = callback_queue.current(connection, who)
        if own is not None:
            callback_queue.renew(connection, own.claim_id, it.clock(), it.desk.lease)

    while True:
        try:
            if await is_alive(request):
                await it.store.write(hold)
        except StoreUnavailable as error:
            log.warning("a claim was not renewed: %s", error)
        await asyncio.sleep(it.desk.lease.total_seconds() / _RENEWALS_A_LEASE)


async def _queue(request: web.Request) -> str:
    desk = await desk_view.desk_of(request)
    return fragment(request, "desk/queue.html", {"desk": desk, "queue": _queue_seen(request)})


async def _figures(request: web.Request) -> object:
    desk = await desk_view.desk_of(request)
    return desk.results_today, _queue_seen(request).counts


async def _upcoming(request: web.Request) -> str:
    return fragment(request, "desk/upcoming.html", {"queue": _queue_seen(request)})


def _queue_seen(request: web.Request) -> Queue:
    """The queue as the look that woke all pages has read it: fifty pages do not count anew."""
    seen: Queue = parts(request).live.seen(QUEUE)
    return seen


async def _own_claim(request: web.Request) -> str:
    desk = await desk_view.desk_of(request)
    return "" if desk.taken is None else str(desk.taken.claim_id)


async def _claim(request: web.Request) -> str:
    """Says so where another call-back is in hand than the page was made for."""
    names = {"own": await _own_claim(request), "shown": request.query.get("claim", "")}
    return fragment(request, "desk/claim.html", names)


def html(request: web.Request, template: str, names: dict[str, Any]) -> web.Response:
    """A piece of the page for who asked for just that."""
    return web.Response(text=fragment(request, template, names), content_type="text/html")


def _masked(taken: Taken) -> str:
    return mask(taken.msisdn)
