"""Whatever does not work is told as a problem in JSON (RFC 9457), in one clear sentence. I/O."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from console.api.answers import Problem
from domain.errors import StoreUnavailable, TstnError

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PROBLEM_TYPE = "application/problem+json"
_SAID = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address: see /api/v1/openapi.json",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is too large",
}


class Refused(Exception):
    """A request that is answered with a status and one sentence."""

    def __init__(self, status: HTTPStatus, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what a handler raises into a problem. What is not foreseen is logged, and a 500."""
    try:
        return await handler(request)
    except Refused as refused:
        return _problem(refused.status, refused.detail, refused.headers)
    except web.HTTPException as error:
        return _of_aiohttp(request, error)
    except StoreUnavailable as error:
        log.warning("%s %s: %s", request.method, request.path, error)
        detail = "the database does not answer: try again in some seconds"
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "5"})
    except TstnError as error:
        return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, " ".join(str(error).split()))
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of ours: it is in the log")


def _of_aiohttp(request: web.Request, error: web.HTTPException) -> web.Response:
    """An unknown address, a method that it has not, a body beyond all bounds."""
    status = HTTPStatus(error.status)
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return _problem(status, f"{request.method} is not for this address", {"Allow": allowed})
    return _problem(status, _SAID.get(status, status.phrase))


def _problem(
    status: HTTPStatus, detail: str, headers: dict[str, str] | None = None
) -> web.Response:
    problem = Problem(title=status.phrase, status=status, detail=detail)
    return web.Response(
        status=status,
        body=problem.model_dump_json().encode(),
        headers={"Content-Type": PROBLEM_TYPE, **(headers or {})},
    )
