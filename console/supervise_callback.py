"""One call-back before its supervisor: its story, handing it to an agent, taking it back. I/O."""

from typing import Any
from uuid import UUID

from aiohttp import web
from sqlalchemy import Connection

from console import forms
from console.messages import marked as _
from console.parts import allowed, parts
from console.render import page, say
from console.writes import write
from domain.errors import InputError, NotOnDuty
from domain.msisdn import mask, mask_all
from domain.roles import Permission
from domain.sla import sla_state
from domain.states import ClaimEnd, Duty
from store import agents, callback_queue, callback_views
from store.callback_views import Story

_MOST_REASON = 200
_GONE = _("The agent no longer holds this call-back: nothing was changed. Look at what stands now.")
_OFF_DUTY = _("This agent is not on duty: choose another one.")


async def show(request: web.Request) -> web.StreamResponse:
    """The call-back, what may be done with it, and what that means."""
    return await _page(request, await _story(request))


async def hand_over(request: web.Request) -> web.StreamResponse:
    """Give it to one agent who is on duty, whoever holds it now."""
    it, story = parts(request), await _story(request)
    callback_id, msisdn = story.callback["id"], story.callback["msisdn"]
    chosen = await forms.text(request, "agent")
    now = it.clock()
    names = {one.agent_id: one.name for one in await it.store.read(agents.present)}
    agent_id = int(chosen) if chosen.isdecimal() else 0
    act = {"agent": names.get(agent_id), "before": names.get(story.callback["claimed_by"])}

    def operation(connection: Connection) -> None:
        if agent_id not in names:
            raise InputError("choose an agent")
        callback_queue.assign(connection, callback_id, agent_id, now, it.supervision.lease)

    try:
        await write(request, "callback_handed_over", operation, subject=mask(msisdn), **act)
    except NotOnDuty:
        return await _page(request, story, say(request, _OFF_DUTY))
    except InputError as error:
        return await _page(request, story, say(request, str(error)))
    return _done(request, "callback_handed_over")


async def take_back(request: web.Request) -> web.StreamResponse:
    """End one agent's claim: the one that the page showed, and no later one."""
    it, story = parts(request), await _story(request)
    claim_id = await _claim_id(request)
    reason = (await forms.text(request, "reason"))[:_MOST_REASON]
    now = it.clock()
    names = await it.store.read(agents.names, {story.callback["claimed_by"] or 0})
    act = {"before": names.get(story.callback["claimed_by"]), "reason": mask_all(reason)}

    def operation(connection: Connection) -> None:
        if not callback_queue.give_back(
            connection, claim_id, now, reason or None, ClaimEnd.RELEASED
        ):
            raise InputError(_GONE)

    subject = mask(story.callback["msisdn"])
    try:
        await write(request, "callback_taken_back_by", operation, subject=subject, **act)
    except InputError as error:
        return await _page(request, await _story(request), say(request, str(error)))
    return _done(request, "callback_taken_back_by")


async def _story(request: web.Request) -> Story:
    identity = int(request.match_info["callback"])
    story = await parts(request).store.read(callback_views.story, identity)
    if story is None:
        raise web.HTTPNotFound
    return story


async def _claim_id(request: web.Request) -> UUID:
    try:
        return UUID(await forms.text(request, "claim"))
    except ValueError:
        raise web.HTTPBadRequest from None


def _done(request: web.Request, action: str) -> web.Response:
    for topic in ("queue", "agents"):
        parts(request).live.push(topic)
    raise web.HTTPSeeOther(f"/supervise?done={action}")


async def _page(request: web.Request, story: Story, problem: str = "") -> web.Response:
    it, row = parts(request), story.callback
    known = {claim["agent_id"] for claim in story.claims}
    present = await it.store.read(agents.present)
    free = [one for one in present if one.duty is Duty.ON and one.callback_id is None]
    names: dict[str, Any] = {
        "row": row,
        "claims": story.claims,
        "calls": story.calls,
        "is_in_call": any(call["ended_at"] is None for call in story.calls),
        "sla": sla_state(row["target_at"], row["promise_at"], it.clock(), it.supervision.at_risk),
        "names": await it.store.read(agents.names, known | {row["claimed_by"] or 0}),
        "free": free,
        "whole": allowed(request, Permission.NUMBERS_SEE_WHOLE),
        "problem": problem,
    }
    return page(request, "supervise/callback.html", names, status=422 if problem else 200)
