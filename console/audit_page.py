"""The audit: who did what, the newest first, a page by key. I/O."""

from aiohttp import web

from console.parts import parts
from console.render import page
from store import audit

_A_PAGE = 50


async def show(request: web.Request) -> web.StreamResponse:
    """A page of the audit; `before` is the key of the page before it."""
    given = request.query.get("before", "")
    before = int(given) if given.isdecimal() and len(given) <= 18 else None
    found = await parts(request).store.read(audit.before, before, _A_PAGE + 1)
    shown = found[:_A_PAGE]
    older = shown[-1].id if len(found) > _A_PAGE else None
    return page(request, "audit.html", {"entries": shown, "older": older, "before": before})
