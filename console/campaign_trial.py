"""A call of a campaign's script to one's own phone: asked for, and followed as it goes on. I/O."""

from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console import forms
from console.campaign_page import found
from console.live import Fragment, Topic, of_store
from console.messages import marked as _
from console.parts import parts, session
from console.render import fragment, page, say
from console.writes import write
from domain.errors import ConfigError, InputError
from domain.msisdn import BadNumber, mask, parse_msisdn
from domain.states import CampaignKind
from store import trial_calls
from store.engine import Store
from store.models import Campaign
from store.trial_calls import Asked

_UNPROCESSABLE = 422
_SHOWN = 10
_NUMBER = _("Type one Vietnamese mobile number: 0 and 9 digits.")
_OWN = _("Say that it is your own phone: nobody else is called for a test.")
_NO_SCRIPT = _("This server can't say the words of that script: see `tstn prompts build`.")


def topic(store: Store) -> Topic:
    """The newest test calls, as far as they have come."""
    return Topic("trials", of_store(store, _mark))


async def show(request: web.Request) -> web.StreamResponse:
    """The form, and the last calls."""
    return await _page(request, await _calling(request))


async def stream(request: web.Request) -> web.StreamResponse:
    """The calls as they go on."""
    campaign = await _calling(request)

    async def render(_: web.Request) -> str:
        return fragment(request, "campaigns/trials.html", await _calls(request, campaign))

    return await parts(request).live.stream(request, {"trials": Fragment("trials", render)})


async def ask(request: web.Request) -> web.StreamResponse:
    """Write the call down, for a server to dial. A form that is sent again calls nobody."""
    campaign, it = await _calling(request), parts(request)
    typed, script = await forms.text(request, "number"), await forms.text(request, "script")
    given = {"number": typed, "script": script}
    problem, msisdn = "", ""
    try:
        it.control.require_script(script)
        msisdn = parse_msisdn(typed)
    except BadNumber:
        problem = _NUMBER
    except (ConfigError, InputError):
        problem = _NO_SCRIPT
    if not problem and await forms.text(request, "own") != "yes":
        problem = _OWN
    if problem:
        return await _page(request, campaign, given, problem)
    asked, now = Asked(campaign, msisdn, script, session(request).name), it.clock()

    def operation(connection: Connection) -> None:
        trial_calls.ask(connection, asked, now)

    subject = campaign.name
    told = {"script": script, "number": mask(msisdn)}
    try:
        await write(request, "trial_call_asked", operation, subject=subject, **told)
    except InputError as error:
        return await _page(request, campaign, given, str(error))
    it.live.push("trials")
    raise web.HTTPSeeOther(f"/campaigns/{campaign.id}/test-call")


async def _calling(request: web.Request) -> Campaign:
    """The campaign of the address. Raises HTTPNotFound, for one that sends texts too."""
    campaign = await found(request)
    if campaign.kind != CampaignKind.CALL:
        raise web.HTTPNotFound
    return campaign


async def _calls(request: web.Request, campaign: Campaign) -> dict[str, Any]:
    store = parts(request).store
    rows = await store.read(trial_calls.newest, campaign.id, _SHOWN)
    return {"campaign": campaign, "calls": rows}


async def _page(
    request: web.Request,
    campaign: Campaign,
    given: dict[str, str] | None = None,
    problem: str = "",
) -> web.StreamResponse:
    names = await _calls(request, campaign) | {
        "given": given or {"number": "", "script": campaign.script_version},
        "scripts": parts(request).control.scripts(),
        "problem": say(request, problem) if problem else "",
    }
    status = _UNPROCESSABLE if problem else 200
    return page(request, "campaigns/trial.html", names, status=status)


def _mark(connection: Connection) -> object:
    rows = trial_calls.newest(connection, None, _SHOWN)
    return [(row.id, row.node, row.answered_at, row.keys, row.ended_at) for row in rows]
