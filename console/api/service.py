"""The API as a part of the console's server: routes behind their guards, problems as JSON. I/O."""

from collections.abc import Callable
from functools import cache
from typing import Any

from aiohttp import web

from console.api.bearer import GUESSES
from console.api.guesses import Guesses
from console.api.openapi import document
from console.api.operation import Operation
from console.api.problems import problems
from console.api.routes import PREFIX, ROUTES
from console.api.setting import DOCUMENT, IN_HAND, OPERATION


def add_api(app: web.Application, operation: Operation) -> None:
    """Answer under /api/v1 too."""
    api = web.Application(middlewares=[problems])
    api[OPERATION] = operation
    api[GUESSES] = Guesses()
    api[IN_HAND] = set()
    made: Callable[[], dict[str, Any]] = _document
    api[DOCUMENT] = made
    for route in ROUTES:
        api.router.add_route(route.method, route.path, route.guarded())
    app.add_subapp(PREFIX, api)


@cache
def _document() -> dict[str, Any]:
    return document(ROUTES, PREFIX)
