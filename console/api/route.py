"""One way into the API: declared once, checked by that, and described by that. I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from aiohttp import web
from pydantic import ValidationError

from console.api.answers import Shown
from console.api.bearer import BEARER, find_bearer
from console.api.problems import Handler, Refused
from console.api.schema import Given
from domain.roles import Permission, may

G = TypeVar("G", bound=Given)

JSON_TYPE, NDJSON_TYPE = "application/json", "application/x-ndjson"
CSV_TYPE, FORM_TYPE = "text/csv", "multipart/form-data"
_GIVEN = web.RequestKey("given", dict[type, Given])


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """A way in. `needs` None is for everybody, `answer` None a stream of JSON lines, or of CSV.

    The handler's name and its first line are those of the operation in the document.
    """

    method: str
    path: str
    handler: Handler
    needs: Permission | None
    answer: type[Shown] | None
    status: HTTPStatus = HTTPStatus.OK
    params: type[Given] | None = None
    query: type[Given] | None = None
    body: type[Given] | None = None
    is_upload: bool = False
    takes_key: bool = False
    may_conflict: bool = False
    is_csv: bool = False

    def guarded(self) -> Handler:
        """The handler behind its checks: token, permission, address, query, body."""

        async def guard(request: web.Request) -> web.StreamResponse:
            if self.needs is not None:
                who = request[BEARER] = await find_bearer(request)
                if not may(who.role, self.needs):
                    raise Refused(
                        HTTPStatus.FORBIDDEN, f"this needs {self.needs}, which {who.role} has not"
                    )
            request[_GIVEN] = {}
            self._read_address(request)
            if self.body is not None:
                _keep(request, _read_json(self.body, await _json_text(request)))
            return await self.handler(request)

        return guard

    def _read_address(self, request: web.Request) -> None:
        if self.params is not None:
            try:
                _keep(request, self.params.model_validate(dict(request.match_info)))
            except ValidationError as error:
                raise Refused(HTTPStatus.NOT_FOUND, _sentence(error)) from None
        if self.query is not None:
            try:
                _keep(request, self.query.model_validate(_query(request)))
            except ValidationError as error:
                raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, _sentence(error)) from None
        elif request.query:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "this address takes no query")


def given(request: web.Request, kind: type[G]) -> G:
    """What the request gave of that kind, checked."""
    found = request[_GIVEN][kind]
    assert isinstance(found, kind)  # noqa: S101 (kept under its own type)
    return found


def _keep(request: web.Request, what: Given) -> None:
    request[_GIVEN][type(what)] = what


def _query(request: web.Request) -> Mapping[str, str]:
    pairs = list(request.query.items())
    if len(pairs) != len(dict(pairs)):
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "a name stands twice in the query")
    return dict(pairs)


async def _json_text(request: web.Request) -> bytes:
    if request.content_type != JSON_TYPE:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send the body as {JSON_TYPE}")
    return await request.read()


def _read_json(kind: type[Given], text: bytes) -> Given:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        is_json = all(problem["type"] != "json_invalid" for problem in error.errors())
        status = HTTPStatus.UNPROCESSABLE_ENTITY if is_json else HTTPStatus.BAD_REQUEST
        raise Refused(status, _sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    """All that is wrong, in one line; what was sent is not repeated."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(
        ".".join(map(str, (*problem["loc"], ""))).rstrip(".") + ": " + problem["msg"]
        if problem["loc"]
        else problem["msg"]
        for problem in problems
    )
