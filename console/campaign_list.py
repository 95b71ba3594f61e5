"""The list of campaigns: what runs, how far it is, why one does not dial. I/O."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console import campaign_view
from console.campaign_tally import Tallies, Tally
from console.campaign_view import RATE_SECONDS, Now, Reason
from console.live import Fragment, Topic
from console.parts import Parts, Report, parts
from console.render import fragment, page
from domain.clock import Clock
from domain.states import CampaignState
from store import attempts, campaign_figures, campaigns
from store.engine import Store
from store.models import Campaign

_ENDED = (CampaignState.STOPPED, CampaignState.FINISHED)


@dataclass(frozen=True, slots=True)
class Line:
    """A campaign in the list."""

    campaign: Campaign
    now: Now
    tally: Tally | None
    progress: float | None
    why: Reason | None


def pulse(connection: Connection, clock: Clock) -> dict[int, tuple[Campaign, int, float]]:
    """All campaigns with their channels in use and their rate of now; cheap."""
    in_use: dict[int, int] = {}
    for (campaign_id, _), count in attempts.open_channels(connection).items():
        in_use[campaign_id] = in_use.get(campaign_id, 0) + count
    since = clock() - timedelta(seconds=RATE_SECONDS)
    found = {}
    for row in campaigns.all_of(connection):
        dials = 0
        if row.state == CampaignState.RUNNING or row.id in in_use:
            dials = campaign_figures.dials_since(connection, row.id, since)
        found[row.id] = (row, in_use.get(row.id, 0), dials / RATE_SECONDS)
    return found


def topic(store: Store, tallies: Tallies, clock: Clock, report: Report) -> Topic:
    """All that the campaigns' pages show, as it stands."""

    async def look() -> object:
        rows = await store.read(pulse, clock)
        for campaign_id, (row, _, _) in rows.items():
            if row.state not in _ENDED:
                tallies.want(campaign_id)
        told = [(row.state, *knobs_of(row), use, rate) for row, use, rate in rows.values()]
        counted = [_mark(tallies.known(campaign_id)) for campaign_id in rows]
        return told, counted, report().get("why_idle")

    return Topic("campaigns", look)


def knobs_of(row: Campaign) -> tuple[Any, ...]:
    """What an operator may have changed."""
    rules = sorted(row.retry.items())
    return (row.cps, row.max_channels, row.max_attempts, row.windows, row.call_on_holidays, rules)


async def show(request: web.Request) -> web.StreamResponse:
    """The list as it stands."""
    return page(request, "campaigns/list.html", await _names(request))


async def stream(request: web.Request) -> web.StreamResponse:
    """The lines as they change."""
    return await parts(request).live.stream(request, {"rows": Fragment("campaigns", _render)})


async def _render(request: web.Request) -> str:
    return fragment(request, "campaigns/rows.html", await _names(request))


async def _names(request: web.Request) -> dict[str, Any]:
    it = parts(request)
    rows = await it.store.read(pulse, it.clock)
    lines = [await line_of(it, *one) for one in rows.values()]
    order = list(CampaignState)
    lines.sort(key=lambda line: (_rank(line.campaign, order), -line.campaign.id))
    return {"lines": lines}


async def line_of(it: Parts, row: Campaign, channels: int, rate: float) -> Line:
    """A campaign with its last count."""
    tally = await it.tallies.of(row.id)
    now = Now(channels, rate, campaign_view.idle_of(it.report(), row.name))
    is_asked = row.state == CampaignState.RUNNING and now.is_slow(row)
    why = campaign_view.reasons(row, now, tally, it.clock()) if is_asked else []
    return Line(row, now, tally, campaign_view.progress(tally), why[0] if why else None)


def _rank(row: Campaign, order: list[CampaignState]) -> int:
    """Running and paused ones first, then drafts, then what has ended."""
    state = CampaignState(row.state)
    return (
        order.index(state)
        if state is not CampaignState.DRAFT
        else order.index(CampaignState.PAUSED)
    )


def _mark(tally: Tally | None) -> object:
    """What changes when a campaign has been counted anew with another result."""
    if tally is None:
        return None
    counted = (tally.audience, dict(tally.attempts), dict(tally.keys))
    return (*counted, tally.registered, tally.confirmed, tally.at.replace(second=0, microsecond=0))
