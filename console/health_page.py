"""Health: what stands how, live. The shortest example of a live page. I/O."""

from aiohttp import web

from console.live import Fragment
from console.parts import parts
from console.render import fragment, page


async def show(request: web.Request) -> web.StreamResponse:
    """The page with its first state."""
    return page(request, "health.html", _names(request))


async def stream(request: web.Request) -> web.StreamResponse:
    """The lines whenever one of them changes."""
    return await parts(request).live.stream(request, {"lines": Fragment("health", _render)})


async def _render(request: web.Request) -> str:
    return fragment(request, "health_lines.html", _names(request))


def _names(request: web.Request) -> dict[str, object]:
    it = parts(request)
    return {"lines": it.watch.observe(it.report(), it.clock()), "calls": it.report()["calls"]}
