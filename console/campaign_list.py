"""The list of campaigns: what runs, how far it is, why one does not dial. I/O."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console import campaign_reasons, campaign_view
from console.campaign_control import Control
from console.campaign_reasons import RATE_SECONDS, Now, Reason
from console.campaign_tally import Tally
from console.counting import Counting
from console.live import Fragment, Topic
from console.parts import Parts, Report, parts
from console.render import fragment, page
from domain.brake_alarms import alarms
from domain.clock import Clock
from domain.errors import StoreUnavailable
from domain.gate import Shut
from domain.states import CampaignKind, CampaignState
from store import attempts, brakes, campaign_figures, campaigns
from store.engine import Store
from store.models import Campaign
from store.variants import VersionFigures

_ENDED = (CampaignState.STOPPED, CampaignState.FINISHED)


@dataclass(frozen=True, slots=True)
class Line:
    """A campaign in the list."""

    campaign: Campaign
    now: Now
    tally: Tally | None
    progress: float | None
    why: Reason | None


@dataclass(frozen=True, slots=True)
class Beat:
    """What is cheap to know of a campaign at any moment."""

    campaign: Campaign
    channels: int
    rate: float
    closed: Shut | None
    brakes: Sequence[Mapping[str, Any]]


def pulse(connection: Connection, control: Control, clock: Clock) -> dict[int, Beat]:
    """All campaigns as they run now; cheap."""
    in_use: dict[int, int] = {}
    for (campaign_id, _), count in attempts.open_channels(connection).items():
        in_use[campaign_id] = in_use.get(campaign_id, 0) + count
    now = clock()
    drawn = alarms(brakes.all_of(connection), now)
    found = {}
    for row in campaigns.all_of(connection):
        is_running, dials = row.state == CampaignState.RUNNING, 0
        if is_running or row.id in in_use:
            since = now - timedelta(seconds=RATE_SECONDS)
            dials = campaign_figures.dials_since(connection, row.id, since)
        found[row.id] = Beat(
            row,
            in_use.get(row.id, 0),
            dials / RATE_SECONDS,
            control.closed(connection, row, now) if is_running else None,
            brakes_on(row, drawn),
        )
    return found


def brakes_on(row: Campaign, drawn: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that slow a running campaign: its own, and of a trunk that it may call by."""
    if row.state != CampaignState.RUNNING:
        return []
    own = [one for one in drawn if one["trunk"] is None and one["campaign_id"] == row.id]
    of_trunks = [one for one in drawn if one["trunk"] is not None]
    return own + (of_trunks if row.kind == CampaignKind.CALL else [])


def topic(
    store: Store,
    control: Control,
    tallies: Counting[Tally],
    versions: Counting[list[VersionFigures]],
    clock: Clock,
    report: Report,
) -> Topic:
    """All that the campaigns' pages show, as it stands."""

    async def look() -> object:
        beats = await store.read(pulse, control, clock)
        for campaign_id, beat in beats.items():
            if beat.campaign.state not in _ENDED:
                tallies.want(campaign_id)
        told = [
            (one.campaign.state, *knobs_of(one.campaign), one.channels, one.rate, *_held(one))
            for one in beats.values()
        ]
        counted = [(_mark(tallies.known(one)), versions.known(one)) for one in beats]
        return told, counted, report().get("why_idle")

    return Topic("campaigns", look)


async def look_ahead(it: Parts) -> None:
    """Count what runs when the server starts, so that the first page waits for nothing new."""
    with suppress(StoreUnavailable):
        beats = await it.store.read(pulse, it.control, it.clock)
        for campaign_id, beat in beats.items():
            if beat.campaign.state == CampaignState.RUNNING:
                it.tallies.want(campaign_id)


def _held(beat: Beat) -> tuple[object, ...]:
    return (beat.closed and beat.closed.reason, beat.brakes)


def knobs_of(row: Campaign) -> tuple[Any, ...]:
    """What an operator may have changed."""
    return (
        *(row.cps, row.max_channels, row.max_attempts, row.windows, row.call_on_holidays),
        *(row.priority, sorted(row.variants.items()), sorted(row.retry.items())),
    )


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
    beats = await it.store.read(pulse, it.control, it.clock)
    lines = await asyncio.gather(*(line_of(it, one) for one in beats.values()))
    order = list(CampaignState)
    return {
        "lines": sorted(lines, key=lambda line: (_rank(line.campaign, order), -line.campaign.id))
    }


async def line_of(it: Parts, beat: Beat) -> Line:
    """A campaign with its last count."""
    row, tally = beat.campaign, await it.tallies.of(beat.campaign.id)
    why_idle = campaign_reasons.idle_of(it.report(), row.name)
    now = Now(beat.channels, beat.rate, why_idle, beat.closed, beat.brakes)
    is_asked = row.state == CampaignState.RUNNING and now.is_slow(row)
    why = campaign_reasons.reasons(row, now, tally) if is_asked else []
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
    counted = (tally.audience, tally.waits, dict(tally.attempts), dict(tally.keys))
    return (*counted, tally.registered, tally.confirmed, tally.at.replace(second=0, microsecond=0))
