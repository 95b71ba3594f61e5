"""What slows campaigns by itself: listed, not heeded for a while, heeded again. I/O."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console.api import control_answers as answers
from console.api.bearer import bearer
from console.api.problems import Refused
from console.api.route import given
from console.api.schema import OfBrake, Override
from console.api.writes import answer, write
from console.parts import parts
from domain.brake_alarms import alarms
from domain.errors import InputError
from store import brakes, campaigns
from store.brakes import Scope

Rows = list[dict[str, Any]]


async def list_brakes(request: web.Request) -> web.StreamResponse:
    """Every brake that is drawn, overridden ones too."""
    it = parts(request)
    return answer(_shown(await it.store.read(brakes.all_of), request))


async def override_brake(request: web.Request) -> web.StreamResponse:
    """Take no notice of a brake for some minutes; a trunk's one on every node."""
    scope, now = await _scope(request), parts(request).clock()
    minutes, by = given(request, Override).minutes, f"token {bearer(request).name}"

    def work(connection: Connection) -> Rows:
        brakes.override(connection, scope, by, now + timedelta(minutes=minutes), now)
        return brakes.all_of(connection)

    return await _write(request, "brake_overridden", work, scope, minutes=minutes)


async def release_brake(request: web.Request) -> web.StreamResponse:
    """Heed a brake again before its override has run out."""
    scope, now = await _scope(request), parts(request).clock()
    by = f"token {bearer(request).name}"

    def work(connection: Connection) -> Rows:
        brakes.release(connection, scope, by, now)
        return brakes.all_of(connection)

    return await _write(request, "brake_released", work, scope)


async def _scope(request: web.Request) -> Scope:
    """What the brake of the address slows. Raises Refused where there is none."""
    try:
        return await parts(request).store.read(brakes.scope_of, given(request, OfBrake).brake)
    except InputError:
        raise Refused(HTTPStatus.NOT_FOUND, "there is no such brake") from None


async def _write(
    request: web.Request,
    action: str,
    work: Callable[[Connection], Rows],
    scope: Scope,
    **data: Any,
) -> web.StreamResponse:
    return await write(
        request,
        action,
        work,
        lambda rows: _shown(rows, request),
        subject=await _subject(request, scope),
        cause=str(scope.cause),
        **data,
    )


async def _subject(request: web.Request, scope: Scope) -> str:
    """What the audit calls it: by its name the campaign's page finds it."""
    if scope.campaign_id is None:
        return f"trunk:{scope.trunk}"
    campaign = await parts(request).store.read(campaigns.by_name, str(scope.campaign_id))
    return campaign.name


def _shown(rows: Rows, request: web.Request) -> answers.Brakes:
    drawn = alarms(rows, parts(request).clock())
    return answers.Brakes(items=[answers.Brake.model_validate(one) for one in drawn])
