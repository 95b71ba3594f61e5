"""The OpenAPI 3.1 document, made of the routes and of what checks their requests. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from console.api.answers import Problem
from console.api.problems import PROBLEM_TYPE
from console.api.route import CSV_TYPE, FORM_TYPE, JSON_TYPE, NDJSON_TYPE, ApiRoute
from console.api.schema import Given
from console.api.writes import KEY_HEADER, KEY_PATTERN

_REF = "#/components/schemas/{model}"
_OFTEN = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
_GUARDED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_SENT = (
    *(HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)


def document(routes: Sequence[ApiRoute], prefix: str) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TSTN",
            "version": "1",
            "description": "Campaigns, numbers and call-backs of SIM replacement at home.",
        },
        "servers": [{"url": prefix}],
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _schemas(routes: Iterable[ApiRoute]) -> dict[str, Any]:
    """Every model that a body or an answer names, with those inside them."""
    models: dict[type[BaseModel], None] = {Problem: None}
    for route in routes:
        models |= dict.fromkeys(model for model in (route.body, route.answer) if model)
    _, made = models_json_schema([(m, "validation") for m in models], ref_template=_REF)
    found: dict[str, Any] = made["$defs"]
    return found


def _operation(route: ApiRoute) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": (route.handler.__doc__ or "").partition("\n")[0].rstrip("."),
        "security": [] if route.needs is None else [{"token": []}],
        "responses": _responses(route),
    }
    parameters = [*_parameters(route.params, "path"), *_parameters(route.query, "query")]
    if route.takes_key:
        parameters.append(_KEY)
    if parameters:
        made["parameters"] = parameters
    if route.body is not None:
        made["requestBody"] = {"required": True, "content": {JSON_TYPE: _ref(route.body)}}
    if route.is_upload:
        made["requestBody"] = {"required": True, "content": _UPLOAD}
    if route.needs is not None:
        made["description"] = f"Needs `{route.needs}`."
    return made


def _responses(route: ApiRoute) -> dict[str, Any]:
    lines: dict[str, Any] = {CSV_TYPE if route.is_csv else NDJSON_TYPE: {}}
    content = lines if route.answer is None else {JSON_TYPE: _ref(route.answer)}
    made: dict[str, Any] = {
        str(int(route.status)): {"description": route.status.phrase, "content": content}
    }
    for status in sorted(_refusals(route)):
        problem = {PROBLEM_TYPE: _ref(Problem)}
        made[str(int(status))] = {"description": status.phrase, "content": problem}
    return made


def _refusals(route: ApiRoute) -> Iterator[HTTPStatus]:
    yield from _OFTEN
    if route.needs is not None:
        yield from _GUARDED
    if route.params is not None:
        yield HTTPStatus.NOT_FOUND
    if route.body is not None or route.is_upload:
        yield from _SENT
    if route.may_conflict:
        yield HTTPStatus.CONFLICT


def _parameters(model: type[Given] | None, where: str) -> Iterator[dict[str, Any]]:
    """A model's fields as parameters of the path or the query."""
    if model is None:
        return
    shape = model.model_json_schema(ref_template=_REF)
    for name, field in shape["properties"].items():
        described = {"description": field.pop("description")} if "description" in field else {}
        schema = shape["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field
        is_required = name in shape.get("required", ())
        yield {"name": name, "in": where, "required": is_required, "schema": schema, **described}


def _ref(model: type[BaseModel]) -> dict[str, Any]:
    return {"schema": {"$ref": _REF.format(model=model.__name__)}}


_KEY = {
    "name": KEY_HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": KEY_PATTERN},
    "description": "The same request with the same key is done once, and answered alike for a day.",
}
_UPLOAD = {
    CSV_TYPE: {"schema": {"type": "string", "minLength": 1}},
    FORM_TYPE: {
        "schema": {
            "type": "object",
            "properties": {"file": {"type": "string", "format": "binary"}},
            "required": ["file"],
        }
    },
}
