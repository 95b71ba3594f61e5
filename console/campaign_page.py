"""One campaign before its operator: how it runs, knobs, figures, reasons, history; live. I/O."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console import brake_words, campaign_form, campaign_list, campaign_reasons, campaign_view
from console.campaign_tally import Tally
from console.campaign_view import Version
from console.live import Fragment, Render
from console.parts import Parts, parts
from console.render import fragment, page, say, word
from domain.errors import InputError
from domain.states import MAY_BECOME, CampaignState
from store import audit, campaign_changes, campaigns, limits
from store.models import Campaign

_UNPROCESSABLE = 422
_SHOWN = 12
MINUTES = (15, 60, 240)
"""For how long a brake may be left unheeded by one press."""
_MINUTES_A_ROW = 5  # in the table: the curves have them all


async def found(request: web.Request) -> Campaign:
    """The campaign of the address. Raises HTTPNotFound."""
    try:
        return await parts(request).store.read(
            campaigns.by_name, request.match_info["campaign"].lstrip("0")
        )
    except InputError:
        raise web.HTTPNotFound from None


async def show(request: web.Request) -> web.StreamResponse:
    """The campaign as it stands."""
    names = await _now(request)
    names |= await _knobs(request, names["campaign"]) | await history(request)
    names |= {"done": request.query.get("done", ""), "typed": ""}
    return page(request, "campaigns/detail.html", names)


async def stream(request: web.Request) -> web.StreamResponse:
    """Each piece as it changes."""
    await found(request)
    return await parts(request).live.stream(request, _FRAGMENTS)


async def _now(request: web.Request) -> dict[str, Any]:
    """How it runs: header, funnel, curves, causes, reasons."""
    it = parts(request)
    beats = await it.store.read(campaign_list.pulse, it.control, it.clock)
    campaign_id = int(request.match_info["campaign"])
    if campaign_id not in beats:
        raise web.HTTPNotFound
    line, versions = await asyncio.gather(
        campaign_list.line_of(it, beats[campaign_id]), _versions(it, beats[campaign_id].campaign)
    )
    tally, moment = line.tally, it.clock()
    state = CampaignState(line.campaign.state)
    return {
        "campaign": line.campaign,
        "line": line,
        "tally": tally,
        "moves": {str(next_state) for next_state in MAY_BECOME[state]},
        "is_recycling": it.recyclings.is_going(campaign_id),
        "is_slow": line.now.is_slow(line.campaign),
        "reasons": campaign_reasons.reasons(line.campaign, line.now, tally),
        "refused": campaign_reasons.refused(tally.waits) if tally else [],
        **brakes_shown(request, line.now.brakes),
        "versions": versions,
        "funnel": campaign_view.funnel(tally) if tally else [],
        "causes": campaign_view.causes(tally) if tally else [],
        "curves": _curves(tally, moment),
        "codes": tally.codes if tally else [],
        "retries": campaign_view.hours(tally, moment) if tally else [],
    }


async def _versions(it: Parts, campaign: Campaign) -> list[Version] | None:
    """The script versions of a campaign that compares some; None until they are counted."""
    if not campaign.variants:
        return []
    figures = await it.versions.of(campaign.id)
    return None if figures is None else campaign_view.versions(figures, campaign.variants)


def brakes_shown(request: web.Request, drawn: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Brakes as their panel names them, each with its reason in the visitor's language."""
    told = [_said(request)(one["reason"]) for one in drawn]
    return {"brakes": list(zip(drawn, told, strict=True)), "minutes": MINUTES}


def _said(request: web.Request) -> Callable[[str], str]:
    """Tells a brake's reason in the visitor's language."""
    return lambda reason: brake_words.said(reason, lambda text: say(request, text))


async def refused(
    request: web.Request, campaign: Campaign, problems: list[str]
) -> web.StreamResponse:
    """Why nothing was done, and the way back."""
    names = {"campaign": campaign, "problems": problems}
    return page(request, "campaigns/refused.html", names, status=_UNPROCESSABLE)


async def _knobs(request: web.Request, campaign: Campaign) -> dict[str, Any]:
    it = parts(request)
    return {
        "fields": campaign_form.present(campaign),
        "labels": campaign_form.LABELS,
        "must": campaign_form.MUST,
        "may_retry": campaign_form.MAY_RETRY,
        "rules": campaign_form.RULES,
        "caps": it.control.caps(await it.store.read(limits.read)),
        "scripts": sorted({*it.control.scripts(), campaign.script_version}),
    }


async def history(request: web.Request) -> dict[str, Any]:
    def read(connection: Connection) -> dict[str, Any]:
        campaign = campaigns.by_name(connection, str(int(request.match_info["campaign"])))
        change = campaign_changes.last_change(connection, campaign.id)
        return {
            "campaign": campaign,
            "change": change,
            "differences": campaign_form.differences(change.before, change.after) if change else [],
            "events": campaign_changes.events(connection, campaign.id, _SHOWN),
            "acts": audit.of_subject(connection, campaign.name, _SHOWN),
            "label": label_of(request),
            "reason_said": _said(request),
        }

    return await parts(request).store.read(read)


def told(request: web.Request, error: InputError) -> list[str]:
    """A refusal of the dialler in the visitor's language, a problem each."""
    return campaign_form.problems(
        str(error), lambda text: say(request, text), lambda value: word(request, value)
    )


def label_of(request: web.Request) -> Callable[[str], str]:
    """Names the columns of a campaign in the visitor's language."""
    return lambda name: campaign_form.label(
        name, lambda text: say(request, text), lambda value: word(request, value)
    )


def _curves(tally: Tally | None, moment: datetime) -> dict[str, Any] | None:
    """For the script and for the table."""
    if tally is None:
        return None
    columns = campaign_view.curves(tally, moment)
    moments = [datetime.fromtimestamp(at or 0, UTC) for at in columns[0]]
    rows = list(zip(moments, *columns[1:], strict=True))
    drawn = {"from": columns[0][0], "columns": columns[1:]}
    return {
        "text": json.dumps(drawn, separators=(",", ":")),
        "rows": rows[::-_MINUTES_A_ROW],
    }


def _piece(template: str, names: Callable[[web.Request], Awaitable[dict[str, Any]]]) -> Render:
    async def render(request: web.Request) -> str:
        return fragment(request, template, await names(request))

    return render


_FRAGMENTS = {
    "state": Fragment("campaigns", _piece("campaigns/state.html", _now)),
    "figures": Fragment("campaigns", _piece("campaigns/figures.html", _now)),
    "brakes": Fragment("campaigns", _piece("campaigns/brakes.html", _now)),
    "reasons": Fragment("campaigns", _piece("campaigns/reasons.html", _now)),
    "gate": Fragment("campaigns", _piece("campaigns/gate.html", _now)),
    "versions": Fragment("campaigns", _piece("campaigns/versions.html", _now)),
    "funnel": Fragment("campaigns", _piece("campaigns/funnel.html", _now)),
    "curves": Fragment("campaigns", _piece("campaigns/curves.html", _now)),
    "causes": Fragment("campaigns", _piece("campaigns/causes.html", _now)),
    "history": Fragment("campaigns", _piece("campaigns/history.html", history)),
}
