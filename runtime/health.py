"""`/health`: whether the server can do its work now, and what it waits for. I/O."""

from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

Report = Callable[[], dict[str, Any]]
"""Gives the present state; its `ok` decides between 200 and 503."""


async def serve_health(host: str, port: int, report: Report) -> web.AppRunner:
    """Answer `GET /health` until the runner is cleaned up. Raises OSError for a taken port."""

    async def health(_: web.Request) -> web.Response:
        state = report()
        return web.Response(
            body=orjson.dumps(state, option=orjson.OPT_INDENT_2),
            status=200 if state["ok"] else 503,
            content_type="application/json",
        )

    app = web.Application()
    app.router.add_get("/health", health)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
