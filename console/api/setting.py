"""What the routes of the API share beside the console's own parts. Pure."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from console.api.operation import Operation

OPERATION = web.AppKey("operation", Operation)
IN_HAND = web.AppKey("in_hand", set[tuple[int, str]])
"""The keys of the imports that go on now."""
DOCUMENT: web.AppKey[Callable[[], dict[str, Any]]] = web.AppKey("document")
"""Makes the OpenAPI document when it is first asked for."""


def operation_of(request: web.Request) -> Operation:
    """The dialler's side."""
    return request.config_dict[OPERATION]
