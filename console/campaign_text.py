"""One text campaign before its operator: cost, flow, outcomes, settings, history; live. I/O.

Each of the addresses that campaigns of both kinds have is answered here for those that send texts,
and by the pages of calls for the others.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from console import campaign_acts, campaign_form, campaign_list, campaign_page, campaign_view
from console.campaign_page import found, label_of
from console.campaign_tally import Tally
from console.live import Fragment, Topic
from console.messages import marked as _
from console.parts import parts
from console.render import fragment, page
from domain.brake_alarms import alarms
from domain.clock import Clock
from domain.errors import InputError
from domain.states import MAY_BECOME, CampaignKind, CampaignState, TextOutcome
from store import brakes, text_figures
from store.engine import Store
from store.models import Campaign

_SHOWN_FIRST = (TextOutcome.SENT, TextOutcome.DELIVERED, TextOutcome.FAILED)
_NOT_RUNNING = {
    CampaignState.DRAFT: _("It is a draft: import an audience, then start it"),
    CampaignState.PAUSED: _("It is paused: resume it to go on"),
    CampaignState.STOPPED: _("It is stopped for good"),
    CampaignState.FINISHED: _("It is finished: no number is left to text"),
}
# The engine's reasons, by how its line begins.
_IDLE = {
    "outside the window of texts": _("Outside the hours in which texts may go out"),
    "this server has no SMSC account": _("This server has not its SMSC account"),
    "slowed to": _("Call-backs would come too late"),
}
_KNOBS = ("cps", "windows", "call_on_holidays")


def topic(store: Store, counted: Callable[[int], Tally | None], clock: Clock) -> Topic:
    """How texts flow by now, and what was counted last of their campaigns."""

    async def look() -> object:
        flows = await store.read(text_figures.flows, clock())
        tallies = [(one, counted(one)) for one in flows]
        return sorted(flows.items()), [
            (one, tally and (tally.audience, tally.waits.done, tally.registered, tally.confirmed))
            for one, tally in tallies
        ]

    return Topic("texts", look)


async def show(request: web.Request) -> web.StreamResponse:
    """The campaign as it stands."""
    campaign = await found(request)
    if campaign.kind != CampaignKind.TEXT:
        return await campaign_page.show(request)
    names = await _now(request) | await campaign_page.history(request)
    names |= {"fields": campaign_form.present(campaign), "done": request.query.get("done", "")}
    return page(request, "campaigns/text.html", names)


async def stream(request: web.Request) -> web.StreamResponse:
    """Each piece as it changes."""
    campaign = await found(request)
    if campaign.kind != CampaignKind.TEXT:
        return await campaign_page.stream(request)
    return await parts(request).live.stream(request, _FRAGMENTS)


async def preview(request: web.Request) -> web.StreamResponse:
    """What changed settings would bring, and a button that applies them."""
    campaign, it = await found(request), parts(request)
    given = {name: value.strip() for name, value in request.query.items() if name in _KNOBS}
    pairs = campaign_form.changed(campaign, given)
    if campaign.kind != CampaignKind.TEXT or not pairs:
        return await campaign_acts.preview(request)
    tally = await it.tallies.of(campaign.id)
    left = tally.audience.ready if tally else 0
    knobs = {name: getattr(campaign, name) for name in (*_KNOBS, "purpose", "kind")}
    finish, now = it.control.texts.finishes_at, it.clock()
    try:
        after = it.control.tuned(pairs, campaign.retry)
        ends = [finish(one, left, now) for one in (knobs, knobs | after)]
    except InputError:
        return await campaign_acts.preview(request)  # it says what is wrong
    names = {
        "campaign": campaign,
        "pairs": pairs,
        "differences": campaign_form.differences({name: knobs[name] for name in after}, after),
        "label": label_of(request),
        "left": left,
        "ends": ends,
    }
    return page(request, "campaigns/text_preview.html", names)


async def _now(request: web.Request) -> dict[str, Any]:
    """How it runs."""
    campaign, it = await found(request), parts(request)
    tally = await it.tallies.of(campaign.id)
    flow = await it.store.read(text_figures.flow, campaign.id, it.clock())
    drawn = alarms(await it.store.read(brakes.all_of), it.clock())
    left = tally.audience.ready if tally else 0
    return {
        **campaign_page.brakes_shown(request, campaign_list.brakes_on(campaign, drawn)),
        "campaign": campaign,
        "tally": tally,
        "flow": flow,
        "moves": {str(next_state) for next_state in MAY_BECOME[CampaignState(campaign.state)]},
        "cost": it.control.texts.cost(str(campaign.text), str(campaign.account), left),
        "outcomes": _outcomes(tally.waits.done) if tally else [],
        "why": _why(request, campaign),
        "progress": campaign_view.progress(tally),
    }


def _outcomes(counts: Mapping[str, int]) -> list[tuple[str, int, float]]:
    """Sent, delivered and failed always; then what else there is, the most frequent first."""
    whole = sum(counts.values()) or 1
    others = sorted(set(counts) - set(_SHOWN_FIRST), key=lambda word: (-counts[word], word))
    words = [*map(str, _SHOWN_FIRST), *others]
    return [(word, counts.get(word, 0), counts.get(word, 0) / whole) for word in words]


def _why(request: web.Request, campaign: Campaign) -> tuple[str, datetime | None]:
    """What keeps a campaign from sending, and until when; empty where nothing does."""
    state = CampaignState(campaign.state)
    if state is not CampaignState.RUNNING:
        return _NOT_RUNNING[state], None
    line = str(parts(request).report().get("why_idle", {}).get(campaign.name, ""))
    said = next((text for start, text in _IDLE.items() if line.startswith(start)), line)
    _before, until, moment = line.partition(" until ")
    return said, datetime.fromisoformat(moment) if until else None


def _piece(
    template: str, names: Callable[[web.Request], Awaitable[dict[str, Any]]] = _now
) -> Callable[[web.Request], Awaitable[str]]:
    async def render(request: web.Request) -> str:
        return fragment(request, template, await names(request))

    return render


_FRAGMENTS = {
    "state": Fragment("campaigns", _piece("campaigns/text_state.html")),
    "figures": Fragment("texts", _piece("campaigns/text_figures.html")),
    "brakes": Fragment("campaigns", _piece("campaigns/brakes.html")),
    "outcomes": Fragment("campaigns", _piece("campaigns/text_outcomes.html")),
    "history": Fragment("campaigns", _piece("campaigns/history.html", campaign_page.history)),
}
