"""`/health`: whether the server can do its work now; beside it `/metrics`. I/O."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

Report = Callable[[], dict[str, Any]]
"""Gives the present state; its `ok` decides between 200 and 503."""

Exposition = Callable[[], Awaitable[bytes]]
"""Gives the metrics as Prometheus reads them."""


async def serve_health(
    host: str, port: int, report: Report, exposition: Exposition
) -> web.AppRunner:
    """Answer both until the runner is cleaned up. Raises OSError for a taken port."""

    async def health(_: web.Request) -> web.Response:
        state = report()
        return web.Response(
            body=orjson.dumps(state, option=orjson.OPT_INDENT_2),
            status=200 if state["ok"] else 503,
            content_type="application/json",
        )

    async def metrics(_: web.Request) -> web.Response:
        body = await exposition()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/health", health)
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
