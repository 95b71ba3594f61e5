"""Numbers that are done with are dialled once more: chosen, looked at, put back, audited. I/O."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from multidict import MultiMapping
from sqlalchemy import Connection

from console.campaign_page import found
from console.campaign_reasons import refusal_word
from console.messages import marked as _
from console.parts import parts
from console.render import page, say
from console.writes import write
from domain.clock import read_moment
from domain.errors import InputError
from domain.states import CampaignKind, CampaignState
from store import campaigns, recycling
from store.models import Campaign
from store.recycling import RECYCLABLE, Batch, Choice, Look

_UNPROCESSABLE = 422
_LONGEST = 80
_STOPPED = _("The campaign is stopped for good: nothing of it is dialled again.")
_TEXTS = _("The campaign sends texts: nobody is sent one twice.")
_NO_OUTCOME = _("Choose at least one reason why they are done with.")
_NO_DAY = _("Choose the day from the calendar.")
_NO_PROVINCE = _("Write the province by its name or its code.")


async def show(request: web.Request) -> web.StreamResponse:
    """The filter; once it is set, how many numbers it would put back."""
    campaign, given = await found(request), _given(request.query)
    if not request.query:
        return await _page(request, campaign, given)
    try:
        chosen = _choice(campaign, given)
    except InputError as error:
        return await _page(request, campaign, given, problem=str(error))
    it = parts(request)
    preview = await it.store.read(recycling.preview, chosen, it.clock())
    return await _page(request, campaign, given, preview=preview)


async def recycle(request: web.Request) -> web.StreamResponse:
    """Put back what was looked at; a long list goes on beside the pages."""
    campaign, it = await found(request), parts(request)
    given, now = _given(await request.post()), it.clock()
    asked = given | {"outcomes": ", ".join(given["outcomes"])}

    def first(connection: Connection) -> tuple[Choice, Batch]:
        chosen = _choice(campaigns.by_name(connection, str(campaign.id)), given)
        return chosen, recycling.recycle(connection, chosen, now)

    try:
        begun = await write(request, "campaign_recycled", first, subject=campaign.name, **asked)
    except InputError as error:
        return await _page(request, campaign, given, problem=str(error))
    if begun is not None and begun[1].last is not None:
        it.recyclings.go_on(*begun, now)
    it.live.push("campaigns")
    raise web.HTTPSeeOther(f"/campaigns/{campaign.id}?done=campaign_recycled")


def _given(form: MultiMapping[Any]) -> dict[str, Any]:
    """The fields of the filter; JSON values."""
    words = [str(word) for word in form.getall("outcome", [])]
    return {
        "outcomes": [word for word in RECYCLABLE if word in words],
        "province": str(form.get("province", "")).strip()[:_LONGEST],
        "ended_before": str(form.get("ended_before", "")).strip()[:_LONGEST],
    }


def _choice(campaign: Campaign, given: Mapping[str, Any]) -> Choice:
    """Raises InputError, with what is shown."""
    if campaign.state == CampaignState.STOPPED:
        raise InputError(_STOPPED)
    if campaign.kind == CampaignKind.TEXT:
        raise InputError(_TEXTS)
    if not given["outcomes"]:
        raise InputError(_NO_OUTCOME)
    if not given["province"].isprintable():
        raise InputError(_NO_PROVINCE)
    try:
        before = read_moment(given["ended_before"]) if given["ended_before"] else None
    except InputError:
        raise InputError(_NO_DAY) from None
    return recycling.choice(campaign, given["outcomes"], given["province"] or None, before)


async def _page(
    request: web.Request,
    campaign: Campaign,
    given: Mapping[str, Any],
    *,
    problem: str = "",
    preview: Look | None = None,
) -> web.StreamResponse:
    it = parts(request)
    tally = await it.tallies.of(campaign.id)
    names = {
        "campaign": campaign,
        "given": given,
        "recyclable": RECYCLABLE,
        "said": refusal_word,
        "provinces": it.desk.places.provinces,
        "done": None if tally is None else tally.waits.done,
        "preview": preview,
        "problem": say(request, problem) if problem else "",
    }
    return page(request, "campaigns/recycle.html", names, status=_UNPROCESSABLE if problem else 200)
