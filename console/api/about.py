"""What the API says of itself and of the server. I/O."""

import asyncio

from aiohttp import web

from console.api.answers import Health, HealthPart
from console.api.setting import DOCUMENT
from console.api.writes import answer
from console.parts import parts


async def get_document(request: web.Request) -> web.StreamResponse:
    """This description, OpenAPI 3.1."""
    return web.json_response(await asyncio.to_thread(request.config_dict[DOCUMENT]))


async def get_health(request: web.Request) -> web.StreamResponse:
    """What stands how, since when, and what to do."""
    it = parts(request)
    report = it.report()
    return answer(
        Health(
            ok=report["ok"],
            calls=report["calls"],
            parts=[
                HealthPart(
                    part=line.part,
                    name=line.name,
                    state=line.mood.value,
                    said=line.said,
                    advice=line.advice,
                    since=line.since,
                )
                for line in it.watch.observe(report, it.clock())
            ],
        )
    )
