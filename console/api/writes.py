"""The one way in which the API writes: the operation, its row of the audit, its answer kept. I/O.

With an Idempotency-Key the three are one transaction, so that a repeat does nothing and is
answered like the first, for a day.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web
from sqlalchemy import Connection

from console.api.answers import Shown
from console.api.bearer import bearer
from console.api.problems import Refused
from console.api.route import JSON_TYPE
from console.parts import parts
from store import audit, tokens
from store.audit import Act
from store.tokens import Answer, Asked, KeyReused, KeyTaken

T = TypeVar("T")

KEY_HEADER = "Idempotency-Key"
KEY_PATTERN = "^[!-~]{1,80}$"
_key = re.compile(KEY_PATTERN)


async def write(
    request: web.Request,
    action: str,
    operation: Callable[[Connection], T],
    shown: Callable[[T], Shown],
    *,
    subject: str,
    status: HTTPStatus = HTTPStatus.OK,
    asked: Asked | None = None,
    **data: Any,
) -> web.Response:
    """Run `operation` and leave "who did `action` to `subject`"; answer with what it gave.

    `data` are JSON values and hold no secret. Raises what the operation raises; then nothing is
    kept, not even the key.
    """
    it, who = parts(request), bearer(request)
    now = it.clock()
    act = Act(action, who.user_id, subject=subject, token_id=who.id, data=data)

    def work(connection: Connection) -> Answer:
        made = shown(audit.perform(connection, act, now, operation))
        return Answer(status, made.model_dump_json())

    if asked is None:
        return sent(await it.store.write(work))
    try:
        return sent(await it.store.write(tokens.once, asked, now, work))
    except KeyTaken:  # another was faster, and has committed
        found = await answered(request, asked)
        if found is None:
            raise Refused(HTTPStatus.CONFLICT, "this request is being worked on") from None
        return found


def answer(shown: Shown) -> web.Response:
    """An answer that changes nothing."""
    return sent(Answer(HTTPStatus.OK, shown.model_dump_json()))


def sent(one: Answer) -> web.Response:
    """An answer on its way."""
    return web.Response(status=one.status, body=one.body.encode(), content_type=JSON_TYPE)


async def asked_once(request: web.Request, body: str) -> Asked | None:
    """The request with its key; `body` is the hash of what it sends. None where it has no key."""
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return None
    if not _key.fullmatch(key):
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"{KEY_HEADER}: 1 to 80 plain characters")
    whole = "\n".join((request.method, request.path_qs, body))
    return Asked(bearer(request).id, key, sha256(whole.encode()).hexdigest())


async def answered(request: web.Request, asked: Asked | None) -> web.Response | None:
    """What the same request was answered before."""
    if asked is None:
        return None
    try:
        found = await parts(request).store.read(tokens.answer_of, asked)
    except KeyReused as error:
        raise Refused(HTTPStatus.CONFLICT, str(error)) from None
    return None if found is None else sent(found)
