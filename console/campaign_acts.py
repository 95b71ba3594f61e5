"""What an operator does to a campaign: start, pause, stop, tune after a preview, revert. I/O."""

from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console import campaign_form, forms
from console.campaign_page import found, label_of, refused, told
from console.messages import marked as _
from console.parts import parts
from console.render import page, say
from console.writes import write
from domain.errors import ConfigError, InputError
from domain.states import CampaignKind, CampaignState
from store import campaign_changes, campaigns
from store.models import Campaign

_NO_PURPOSE = _("It has no purpose: the law asks for one before the first call.")
_OLD_LIST = _(
    "It advertises, and the do-not-call list is missing or too old: see `tstn dnc import`."
)
_NO_PROMPTS = _("This server can't say the words of its script: see `tstn prompts build`.")
_NO_ACCOUNT = _("No SMSC account is set up on this server: see config/smsc.toml.")
_NOT_SENDABLE = _(
    "It can't be sent: an advertisement begins with [QC] and ends with how to refuse, and it needs "
    "a do-not-call list that is new enough (`tstn dnc import`)."
)
_NOT_NOW = _("The campaign stands differently by now: look at it and try again.")
_NOTHING = _("Nothing was changed: the fields hold what is set already.")
_CHANGED = _("The campaign was changed again meanwhile: nothing was reverted. Look at what stands.")
_MOVES = {
    "start": CampaignState.RUNNING,
    "pause": CampaignState.PAUSED,
    "stop": CampaignState.STOPPED,
}


async def move(request: web.Request) -> web.StreamResponse:
    """Start or resume, pause, stop for good."""
    campaign, it = await found(request), parts(request)
    state = _MOVES[request.match_info["move"]]
    now = it.clock()

    def operation(connection: Connection) -> None:
        row = campaigns.by_name(connection, str(campaign.id))
        campaigns.move(connection, row, state, now)

    try:
        if state is CampaignState.RUNNING:
            await _require_ready(request, campaign)
        await write(request, f"campaign_{state}", operation, subject=campaign.name)
    except InputError:
        return await refused(request, campaign, [say(request, _NOT_NOW)])
    except _Refused as refusal:
        return await refused(request, campaign, [str(refusal)])
    return _done(request, campaign, f"campaign_{state}")


async def confirm_stop(request: web.Request) -> web.StreamResponse:
    """Stopping can't be undone: ask once more."""
    return page(request, "campaigns/stop.html", {"campaign": await found(request)})


async def preview(request: web.Request) -> web.StreamResponse:
    """What the changed knobs would bring, and a button that applies them."""
    campaign, it = await found(request), parts(request)
    given = {name: value.strip() for name, value in request.query.items()}
    pairs = campaign_form.changed(campaign, given)
    try:
        after = it.control.tuned(pairs, campaign.retry)
        if not after:
            return await refused(request, campaign, [say(request, _NOTHING)])
        before, then = await it.control.preview(it.store, str(campaign.id), after, it.clock())
    except InputError as error:
        return await refused(request, campaign, told(request, error))
    names = {
        "campaign": campaign,
        "pairs": pairs,
        "differences": campaign_form.differences(_present(campaign, after), after),
        "changed": after,
        "label": label_of(request),
        "before": before,
        "then": then,
    }
    return page(request, "campaigns/preview.html", names)


async def tune(request: web.Request) -> web.StreamResponse:
    """Apply what was previewed."""
    campaign, it = await found(request), parts(request)
    pairs = [value for value in (await request.post()).getall("pair", []) if type(value) is str]
    now = it.clock()

    def operation(connection: Connection) -> None:
        row = campaigns.to_change(connection, str(campaign.id))
        campaigns.tune(connection, row, it.control.tuned(pairs, row.retry), now)

    try:
        await write(request, "campaign_tuned", operation, subject=campaign.name, pairs=pairs)
    except InputError as error:
        return await refused(request, campaign, told(request, error))
    return _done(request, campaign, "campaign_tuned")


async def revert(request: web.Request) -> web.StreamResponse:
    """Undo the last tuning: the one that the page showed, and no later one."""
    campaign, it = await found(request), parts(request)
    given, now = await forms.text(request, "change"), it.clock()
    change_id = int(given) if given.isdecimal() and len(given) < 19 else 0

    def operation(connection: Connection) -> None:
        row = campaigns.to_change(connection, str(campaign.id))
        campaign_changes.revert(connection, row, now, change_id)

    try:
        await write(request, "campaign_reverted", operation, subject=campaign.name)
    except InputError:
        return await refused(request, campaign, [say(request, _CHANGED)])
    return _done(request, campaign, "campaign_reverted")


class _Refused(Exception):
    """A start that can't be; says why in the visitor's language."""


async def _require_ready(request: web.Request, campaign: Campaign) -> None:
    if campaign.purpose is None:
        raise _Refused(say(request, _NO_PURPOSE))
    it, is_text = parts(request), campaign.kind == CampaignKind.TEXT
    try:
        await it.store.read(it.control.require_startable, campaign, it.clock())
    except InputError:
        raise _Refused(say(request, _NOT_SENDABLE if is_text else _OLD_LIST)) from None
    except ConfigError:
        raise _Refused(say(request, _NO_ACCOUNT if is_text else _NO_PROMPTS)) from None


def _present(campaign: Campaign, after: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(campaign, name) for name in after}


def _done(request: web.Request, campaign: Campaign, action: str) -> web.StreamResponse:
    parts(request).live.push("campaigns")
    raise web.HTTPSeeOther(f"/campaigns/{campaign.id}?done={action}")
