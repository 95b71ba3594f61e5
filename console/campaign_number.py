"""Why one number of a campaign is not dialled: the gate's verdict, and all it looked at. I/O."""

from datetime import datetime

from aiohttp import web
from sqlalchemy import Connection

from console import forms
from console.campaign_control import Control
from console.campaign_page import found
from console.campaign_reasons import refusal_word
from console.messages import marked as _
from console.parts import allowed, parts
from console.render import page, say
from console.writes import write
from domain.msisdn import BadNumber, mask, parse_msisdn
from domain.roles import Permission
from store import why_not
from store.models import Campaign
from store.why_not import Finding, Trail

_BAD = _("Type one Vietnamese mobile number: 0 and 9 digits.")


async def show(request: web.Request) -> web.StreamResponse:
    """The empty form."""
    return await _page(request, "")


async def ask(request: web.Request) -> web.StreamResponse:
    """One number's verdict in plain words; the question is in the audit."""
    campaign, it = await found(request), parts(request)
    typed = await forms.text(request, "number")
    try:
        msisdn = parse_msisdn(typed)
    except BadNumber:
        return await _page(request, typed, problem=say(request, _BAD))
    await write(
        request,
        "number_looked_up",
        lambda connection: None,
        subject=mask(msisdn),
        campaign=campaign.name,
    )
    trail, one = await it.store.read(judged, it.control, campaign, msisdn, it.clock())
    whole = allowed(request, Permission.NUMBERS_SEE_WHOLE)
    return await _page(request, typed, trail=trail, one=one, msisdn=msisdn, whole=whole)


def judged(
    connection: Connection, control: Control, campaign: Campaign, msisdn: str, now: datetime
) -> tuple[Trail, Finding]:
    """All that the gate looks at for a number, and what it comes to."""
    trail = why_not.trail(connection, campaign.id, msisdn, now)
    return trail, why_not.finding(trail, control.closed(connection, campaign, now), now)


async def _page(
    request: web.Request,
    typed: str,
    *,
    problem: str = "",
    trail: Trail | None = None,
    one: Finding | None = None,
    msisdn: str = "",
    whole: bool = False,
) -> web.StreamResponse:
    names = {
        "campaign": await found(request),
        "typed": typed,
        "problem": problem,
        "trail": trail,
        "one": one,
        "reason": refusal_word(one.reason) if one and one.reason else "",
        "msisdn": msisdn,
        "whole": whole,
    }
    return page(request, "campaigns/number.html", names, status=422 if problem else 200)
