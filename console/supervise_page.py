"""The supervisor's desk: figures, forecast, agents and the queue, all of it live. I/O."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy import Connection

from console import agent_lines
from console.live import Fragment, Render, Topic, of_store
from console.parts import allowed, parts
from console.render import fragment, page
from console.supervision import Forecast, Supervision
from domain.clock import Clock, to_local
from domain.roles import Permission
from domain.sla import SlaState, sla_bounds
from store import agents, callback_figures, callback_views, sla
from store.callback_statistics import together, work_of_agents
from store.callback_views import Place
from store.engine import Store

_A_PAGE = 50
_MOST_DIGITS = 18
_MOST_POINTS = 36  # in the table: the curve has them all


def topics(supervision: Supervision, store: Store, clock: Clock) -> list[Topic]:
    """What the desk looks at, once a second for all who watch."""

    def queue(connection: Connection) -> object:
        return callback_figures.pulse(connection, sla_bounds(clock(), supervision.at_risk))

    def people(connection: Connection) -> object:
        return agents.present(connection), callback_figures.last_ending(connection)

    async def forecast() -> object:
        seen = await supervision.forecast(clock())
        clears_at = seen.clears_at and seen.clears_at.replace(second=0, microsecond=0)
        misses = len(seen.misses_target), len(seen.misses_promise)
        return clears_at, misses, [count for _, count in seen.curve]

    return [
        Topic("queue", of_store(store, queue)),
        Topic("agents", of_store(store, people)),
        Topic("forecast", forecast),
    ]


async def show(request: web.Request) -> web.StreamResponse:
    """The desk as it stands."""
    names = await _queue(request) | await _agents(request) | await _forecast(request)
    names["done"] = request.query.get("done", "")
    return page(request, "supervise/desk.html", names)


async def stream(request: web.Request) -> web.StreamResponse:
    """Each piece as it changes; the queue with the filter of the page that listens."""
    return await parts(request).live.stream(request, _FRAGMENTS)


async def _queue(request: web.Request) -> dict[str, Any]:
    it, chosen, after = parts(request), _chosen(request), _place_of(request.query.get("after", ""))
    bounds = sla_bounds(it.clock(), it.supervision.at_risk)

    def read(connection: Connection) -> dict[str, Any]:
        found = callback_views.queue(connection, bounds, _A_PAGE, chosen, after)
        holders = {row["claimed_by"] for row in found.rows if row["claimed_by"] is not None}
        return {
            "figures": callback_figures.figures(connection, bounds),
            "rows": found.rows,
            "next_place": found.next and _place_text(found.next),
            "holders": agents.names(connection, holders),
        }

    address = {"sla": chosen or "", "after": request.query.get("after", "") if after else ""}
    return await it.store.read(read) | {
        "chosen": chosen,
        "is_first": after is None,
        "states": list(SlaState),
        "address": urlencode({name: value for name, value in address.items() if value}),
        "whole": allowed(request, Permission.NUMBERS_SEE_WHOLE),
    }


async def _agents(request: web.Request) -> dict[str, Any]:
    it = parts(request)
    now = it.clock()
    start, end = sla.local_day(to_local(now).date())

    def read(connection: Connection) -> dict[str, Any]:
        works = work_of_agents(connection, start, end, now)
        present = agents.present(connection)
        return {"agents": agent_lines.lines(present, works), "total": together(works)}

    return await it.store.read(read)


async def _forecast(request: web.Request) -> dict[str, Any]:
    it = parts(request)
    now = it.clock()
    seen = await it.supervision.forecast(now)
    points = list(zip(seen.curve, seen.allowed_by_target, seen.allowed_by_promise, strict=True))
    return {
        "forecast": seen,
        "points": points[:: len(points) // _MOST_POINTS + 1],
        "curve": json.dumps(_columns(seen)),
        "is_today": _is_same_day(seen.clears_at, now),
    }


def _piece(template: str, names: Callable[[web.Request], Awaitable[dict[str, Any]]]) -> Render:
    async def render(request: web.Request) -> str:
        return fragment(request, template, await names(request))

    return render


def _columns(seen: Forecast) -> list[list[int]]:
    """The curves as uPlot takes them: the moments in seconds, then each line."""
    return [
        [int(at.timestamp()) for at, _ in seen.curve],
        [count for _, count in seen.curve],
        list(seen.allowed_by_target),
        list(seen.allowed_by_promise),
    ]


def _is_same_day(at: datetime | None, now: datetime) -> bool:
    return at is not None and to_local(at).date() == to_local(now).date()


def _chosen(request: web.Request) -> SlaState | None:
    given = request.query.get("sla", "")
    return SlaState(given) if given in set(SlaState) else None


def _place_text(place: Place) -> str:
    """Where a page of the queue ended, for its address."""
    target_at, promise_at, identity = place
    return f"{target_at.isoformat()},{promise_at.isoformat()},{identity}"


def _place_of(text: str) -> Place | None:
    """The same read back; None for none, or what is no place."""
    match text.split(","):
        case [target, promise, identity] if identity.isdecimal() and len(identity) <= _MOST_DIGITS:
            with suppress(ValueError):
                return _moment(target), _moment(promise), int(identity)
    return None


def _moment(text: str) -> datetime:
    """Raises ValueError for what is no moment, or is nowhere in time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


_FRAGMENTS = {
    "figures": Fragment("queue", _piece("supervise/figures.html", _queue)),
    "queue": Fragment("queue", _piece("supervise/queue.html", _queue)),
    "agents": Fragment("agents", _piece("supervise/agents.html", _agents)),
    "clears": Fragment("forecast", _piece("supervise/clears.html", _forecast)),
    "forecast": Fragment("forecast", _piece("supervise/forecast.html", _forecast)),
}
