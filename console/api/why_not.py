"""Why a campaign, or one number of it, is not dialled now. I/O."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from console.api import control_answers as answers
from console.api.bearer import bearer
from console.api.campaigns import found
from console.api.route import given
from console.api.schema import NumberAsked
from console.api.writes import answer
from console.campaign_number import judged
from console.campaign_reasons import idle_of
from console.parts import parts
from domain.msisdn import mask, parse_msisdn
from domain.roles import Permission, may
from domain.states import CampaignState
from store import audit, why_not
from store.audit import Act


async def tell_why_not(request: web.Request) -> web.StreamResponse:
    """Why a campaign is not dialling: what it waits for, and its numbers by what they wait for."""
    campaign, it = await found(request), parts(request)
    now = it.clock()
    closed = await it.store.read(it.control.closed, campaign, now)
    counted = await it.store.read(why_not.counts, campaign.id, now)
    told = answers.WhyNot(
        state=CampaignState(campaign.state),
        reason=None if closed is None else closed.reason,
        words=None if closed is None else closed.words,
        until=None if closed is None else closed.until,
        server=idle_of(it.report(), campaign.name),
        targets=answers.Waits.model_validate(asdict(counted)),
    )
    return answer(told)


async def ask_why_not(request: web.Request) -> web.StreamResponse:
    """Why one number is not dialled: the verdict, and all that it is judged by."""
    msisdn, who = parse_msisdn(given(request, NumberAsked).msisdn), bearer(request)
    campaign, it = await found(request), parts(request)
    about = {"campaign": campaign.name}
    act = Act("number_looked_up", who.user_id, mask(msisdn), token_id=who.id, data=about)
    await it.store.write(audit.add, act, it.clock())
    trail, one = await it.store.read(judged, it.control, campaign, msisdn, it.clock())
    is_whole = may(who.role, Permission.NUMBERS_SEE_WHOLE)
    told = answers.WhyNotNumber(
        msisdn=msisdn if is_whole else mask(msisdn),
        stand=one.stand,
        reason=one.reason,
        until=one.until,
        target=_of(answers.TargetWaiting, trail.target),
        has_opted_out=trail.opted_out,
        do_not_call=trail.do_not_call,
        registered_at=None if trail.registration is None else trail.registration.registered_at,
        phase=_of(answers.PhaseShown, trail.phase),
        dials=[answers.Dial.model_validate(dial) for dial in trail.dials],
    )
    return answer(told)


def _of(kind: type[answers.S], row: Any) -> answers.S | None:
    """The fields of a shape from a row that has more."""
    if row is None:
        return None
    return kind.model_validate({name: row[name] for name in kind.model_fields})
