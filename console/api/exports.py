"""A campaign's records as JSON lines, streamed in constant memory, on from any row. I/O.

Numbers are masked, and what subscribers told is left out, where the role does not dial.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

import orjson
from aiohttp import web

from console.api.bearer import bearer
from console.api.campaigns import found
from console.api.route import NDJSON_TYPE, given
from console.api.schema import AttemptsAsked, RowsAsked
from console.parts import parts
from domain.errors import StoreUnavailable
from domain.msisdn import mask
from domain.roles import Permission, may
from store import exports

log = logging.getLogger(__name__)

_PRIVATE = ("address", "evidence")
_BYTES_A_CHUNK = 2**16

Rows = AsyncIterator[dict[str, Any]]


async def export_attempts(request: web.Request) -> web.StreamResponse:
    """Every dial with its keys, by number, then by start."""
    after = given(request, AttemptsAsked).after
    campaign = await found(request)
    rows = exports.attempts(parts(request).store, campaign.id, UUID(after) if after else None)
    return await _stream(request, rows)


async def export_registrations(request: web.Request) -> web.StreamResponse:
    """What the campaign's calls registered, by id; on from `after`, what is new."""
    campaign, asked = await found(request), given(request, RowsAsked)
    rows = exports.registrations(parts(request).store, campaign.id, asked.after or 0)
    return await _stream(request, rows)


async def export_callbacks(request: web.Request) -> web.StreamResponse:
    """The call-backs that the campaign promised, by id; on from `after`, what is new."""
    campaign, asked = await found(request), given(request, RowsAsked)
    rows = exports.callbacks(parts(request).store, campaign.id, asked.after or 0)
    return await _stream(request, rows)


async def _stream(request: web.Request, rows: Rows) -> web.StreamResponse:
    """A line a row. Where the store goes away the stream is cut: it does not end as if whole."""
    whole = may(bearer(request).role, Permission.NUMBERS_SEE_WHOLE)
    buffer = bytearray(await _next(rows, whole=whole))  # what is refused is so before the head
    response = web.StreamResponse(headers={"Content-Type": NDJSON_TYPE})
    await response.prepare(request)
    try:
        while line := await _next(rows, whole=whole):
            buffer += line
            if len(buffer) >= _BYTES_A_CHUNK:
                await response.write(bytes(buffer))
                buffer.clear()
    except StoreUnavailable as error:
        log.warning("%s was cut: %s", request.path, error)
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof(bytes(buffer))
    return response


async def _next(rows: Rows, *, whole: bool) -> bytes:
    """The next row as a line; empty after the last one."""
    row = await anext(rows, None)
    if row is None:
        return b""
    return orjson.dumps(row if whole else _hidden(row), option=orjson.OPT_APPEND_NEWLINE)


def _hidden(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name not in _PRIVATE}
    return shown | {"msisdn": mask(row["msisdn"])}
