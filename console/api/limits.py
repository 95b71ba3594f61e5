"""Rates and channels of the whole server and of its trunks. I/O."""

from collections.abc import Mapping

from aiohttp import web
from sqlalchemy import Connection

from console.api.answers import CapsInForce, Limits
from console.api.operation import Operation
from console.api.route import given
from console.api.schema import Caps, OfScope
from console.api.setting import operation_of
from console.api.writes import answer, write
from console.parts import parts
from store import limits
from store.limits import GLOBAL


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


def _in_force(stored: Mapping[str, limits.Caps], operation: Operation) -> Limits:
    defaults = dict.fromkeys((GLOBAL, operation.trunk), operation.default_caps)
    return Limits(
        scopes={
            scope: CapsInForce(cps=caps.cps, channels=caps.max_channels, is_set=scope in stored)
            for scope, caps in {**defaults, **stored}.items()
        }
    )
