"""What a visitor sees when something does not work, and the headers of every answer. I/O."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from console.access import find_session
from console.parts import SESSION
from console.render import page
from domain.errors import StoreUnavailable

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # no-referrer would make browsers hide a form's origin
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_KNOWN = {400, 403, 404, 405, 409, 413}
_UNAVAILABLE, _FAULT = 503, 500


@web.middleware
async def error_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what a handler raises into a page that says what it is and what to do next."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < web.HTTPBadRequest.status_code:
            raise
        return await _known_page(request, error.status if error.status in _KNOWN else _FAULT)
    except StoreUnavailable as error:
        log.warning("%s %s: %s", request.method, request.path, error)
        return _page(request, _UNAVAILABLE)
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return _page(request, _FAULT)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For every answer, streams and redirects too: pages are not kept by anybody."""
    for name, value in _HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")


async def _known_page(request: web.Request, status: int) -> web.Response:
    """With the way around for who is logged in: no route, so no guard, has looked for that."""
    if SESSION not in request:
        try:
            who = await find_session(request)
        except StoreUnavailable:
            who = None
        if who is not None:
            request[SESSION] = who
    return _page(request, status)


def _page(request: web.Request, status: int) -> web.Response:
    return page(request, "error.html", {"status": status}, status=status)
