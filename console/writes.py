"""The one way in which a page writes: the operation and its row of the audit, once a form. I/O."""

from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp import web
from sqlalchemy import Connection

from console import forms
from console.parts import parts, session
from store import audit
from store.audit import Act, Repeated

T = TypeVar("T")


async def write(
    request: web.Request,
    action: str,
    operation: Callable[[Connection], T],
    *,
    subject: str | Callable[[T], str | None] | None = None,
    **data: Any,
) -> T | None:
    """Run `operation` and leave "who did `action` to `subject`" in the same transaction.

    A form that is sent again (its `once` field) does nothing and gives None: answer as if it had
    been done, for it has. `subject` may be found in the operation's answer. `data` are JSON values
    and hold no secret. Raises what the operation raises, and HTTPBadRequest without a key.
    """
    it, who = parts(request), session(request)
    act = Act(
        action,
        who.user_id,
        subject=None if callable(subject) else subject,
        once=f"{who.id}:{await forms.key(request)}",
        data=data,
    )
    now = it.clock()

    def both(connection: Connection) -> T:
        return audit.perform(
            connection, act, now, operation, subject if callable(subject) else None
        )

    try:
        return await it.store.write(both)
    except Repeated:
        return None
