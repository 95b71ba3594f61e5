"""Rates and channels of the whole server and of its trunks. I/O."""

from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus

from aiohttp import web
from sqlalchemy import Connection

from console.api.answers import CapsInForce, Limits
from console.api.operation import Operation
from console.api.problems import Refused
from console.api.route import given
from console.api.schema import Caps, OfScope
from console.api.setting import operation_of
from console.api.writes import answer, answered, asked_once, write
from console.parts import parts
from domain.errors import InputError
from store import limits


async def list_limits(request: web.Request) -> web.StreamResponse:
    """The limits in force, by scope."""
    return answer(_in_force(await parts(request).store.read(limits.read), operation_of(request)))


async def put_limits(request: web.Request) -> web.StreamResponse:
    """Set the limits of one scope; they hold within two seconds."""
    scope, caps = given(request, OfScope).scope, given(request, Caps)
    now = parts(request).clock()

    def put(connection: Connection) -> dict[str, limits.Caps]:
        limits.put(connection, scope, limits.Caps(caps.cps, caps.channels), now)
        return limits.read(connection)

    def shown(stored: Mapping[str, limits.Caps]) -> Limits:
        return _in_force(stored, operation_of(request))

    data = caps.model_dump()
    return await write(request, "limits_set", put, shown, subject=scope, **data)


async def revert_limits(request: web.Request) -> web.StreamResponse:
    """Undo the last change of a scope's limits; once more undoes the one before."""
    scope, now = given(request, OfScope).scope, parts(request).clock()
    asked = await asked_once(request, sha256(await request.read()).hexdigest())
    if (before := await answered(request, asked)) is not None:
        return before

    def revert(connection: Connection) -> dict[str, limits.Caps]:
        try:
            limits.revert(connection, scope, now)
        except InputError as error:
            raise Refused(HTTPStatus.CONFLICT, str(error)) from None
        return limits.read(connection)

    def shown(stored: Mapping[str, limits.Caps]) -> Limits:
        return _in_force(stored, operation_of(request))

    return await write(request, "limits_reverted", revert, shown, subject=scope, asked=asked)


def _in_force(stored: Mapping[str, limits.Caps], operation: Operation) -> Limits:
    return Limits(
        scopes={
            scope: CapsInForce(cps=caps.cps, channels=caps.max_channels, is_set=scope in stored)
            for scope, caps in operation.limits(stored).items()
        }
    )
