"""The queue of call-backs for supervisors: its figures, its rows, its forecast. I/O."""

from http import HTTPStatus

from aiohttp import web
from sqlalchemy import Connection

from console.api.answers import (
    CallbackFigures,
    CallbackForecast,
    CallbackPage,
    CallbackWaiting,
    Point,
)
from console.api.bearer import bearer
from console.api.problems import Refused
from console.api.route import given
from console.api.schema import CallbacksAsked
from console.api.writes import answer
from console.parts import parts
from domain.msisdn import mask
from domain.roles import Permission, may
from domain.sla import sla_bounds
from store import api_lists, callback_figures, callback_views
from store.callback_views import Page


async def list_callbacks(request: web.Request) -> web.StreamResponse:
    """The call-backs still to be made, the earliest deadline first."""
    it, asked = parts(request), given(request, CallbacksAsked)
    bounds = sla_bounds(it.clock(), it.supervision.at_risk)

    def read(connection: Connection) -> Page:
        after = api_lists.place_of(connection, asked.after) if asked.after else None
        if asked.after and after is None:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "after: there is no such call-back")
        return callback_views.queue(connection, bounds, asked.limit, asked.sla, after)

    page = await it.store.read(read)
    whole = may(bearer(request).role, Permission.NUMBERS_SEE_WHOLE)
    items = []
    for row in page.rows:
        fields = {name: row[name] for name in CallbackWaiting.model_fields}
        hidden = {} if whole else {"msisdn": mask(row["msisdn"])}
        items.append(CallbackWaiting.model_validate(fields | hidden))
    return answer(CallbackPage(items=items, next=page.next[2] if page.next else None))


async def count_callbacks(request: web.Request) -> web.StreamResponse:
    """How many call-backs stand where against their deadlines."""
    it = parts(request)
    bounds = sla_bounds(it.clock(), it.supervision.at_risk)
    return answer(
        CallbackFigures.model_validate(await it.store.read(callback_figures.figures, bounds))
    )


async def forecast_callbacks(request: web.Request) -> web.StreamResponse:
    """What becomes of the queue if the agents who are on duty now stay."""
    it = parts(request)
    seen = await it.supervision.forecast(it.clock())
    points = zip(seen.curve, seen.allowed_by_target, seen.allowed_by_promise, strict=True)
    return answer(
        CallbackForecast(
            clears_at=seen.clears_at,
            misses_target=len(seen.misses_target),
            misses_promise=len(seen.misses_promise),
            curve=[
                Point(at=at, open=open_, allowed_by_target=target, allowed_by_promise=promise)
                for (at, open_), target, promise in points
            ],
        )
    )
