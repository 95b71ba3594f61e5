"""The subscriber tells the agent that they want no more invitations: in force at once. I/O."""

from dataclasses import replace

from aiohttp import web
from sqlalchemy import Connection

from console import desk_page
from console.desk_calls import claim_of, require_own
from console.parts import parts, session
from console.writes import write
from domain.errors import ClaimLost
from domain.msisdn import mask
from domain.states import Channel
from store import callback_claims, consent, outbox
from store.consent import OptedOut
from store.facts import OptOutAsked


async def refuse(request: web.Request) -> web.StreamResponse:
    """Write the refusal down and post its confirmation, once. The call-back stays in hand."""
    it, who, now = parts(request), session(request), parts(request).clock()
    claim = await claim_of(request)

    def operation(connection: Connection) -> OptedOut:
        require_own(connection, claim, who.user_id)
        msisdn = callback_claims.held(connection, claim)["msisdn"]
        was_confirmed = msisdn in consent.opted_out(connection, [msisdn])
        source = f"{Channel.AGENT}:{claim}"
        [refusal] = consent.opt_out(
            connection, [OptOutAsked(msisdn, now, source)], now, by=who.name
        )
        told = it.desk.confirm_refusal(refusal)
        if told is not None and not was_confirmed:
            outbox.post(connection, [replace(told, once=f"opted_out:{source}")], now)
        return refusal

    try:
        await write(request, "subscriber_opted_out", operation, subject=_masked)
    except ClaimLost:
        return await _said(request, "claim_lost")
    it.live.push("desk")
    return await _said(request, "opted_out")


async def _said(request: web.Request, said: str) -> web.StreamResponse:
    """The place of the button anew: what was typed on the page stays."""
    if "HX-Request" not in request.headers:
        raise web.HTTPSeeOther(f"/desk?said={said}")
    return desk_page.html(request, "desk/refusal.html", {"refusal": said})


def _masked(refusal: OptedOut) -> str:
    return mask(refusal.msisdn)
