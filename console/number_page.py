"""Number look-up: all that stands for a number, and all that happened to it, as the role may see.

The number goes in a form, never in an address: addresses are kept by proxies and browsers. Each
look-up is in the audit. I/O.
"""

from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console import forms, timeline
from console.messages import marked as _
from console.parts import allowed, parts, session
from console.render import page, say
from console.timeline import Group
from domain.msisdn import BadNumber, mask, parse_msisdn
from domain.roles import OF_ONE_PROVINCE, Permission
from store import audit, history, numbers
from store.audit import Act
from store.numbers import Standing
from store.sessions import Present


async def show(request: web.Request) -> web.StreamResponse:
    """The empty form."""
    return _page(request, "")


async def look_up(request: web.Request) -> web.StreamResponse:
    """Everything of one number, oldest first."""
    typed = await forms.text(request, "number")
    try:
        msisdn = parse_msisdn(typed)
    except BadNumber:
        problem = say(request, _("Type one Vietnamese mobile number: 0 and 9 digits."))
        return _page(request, typed, status=422, problem=problem)
    # The desk's form stays on its page: one key comes with many numbers, and each is written down.
    act = Act("number_looked_up", session(request).user_id, mask(msisdn))
    await parts(request).store.write(audit.add, act, parts(request).clock())
    standing, entries = await parts(request).store.read(_all_of, msisdn)
    if not _is_for(session(request), standing):
        problem = say(request, _("This number is not in your province."))
        return _page(request, typed, status=403, problem=problem)
    whole = allowed(request, Permission.NUMBERS_SEE_WHOLE)
    chosen = await forms.text(request, "group")
    group = Group(chosen) if chosen in set(Group) else None
    return _page(
        request,
        typed,
        msisdn=msisdn,
        whole=whole,
        standing=standing,
        lines=timeline.lines(entries, whole=whole, group=group),
        total=len(entries),
        group=chosen if group else "",
    )


def _all_of(connection: Connection, msisdn: str) -> tuple[Standing, list[dict[str, Any]]]:
    return numbers.standing(connection, msisdn), history.timeline(connection, msisdn)


def _is_for(who: Present, standing: Standing) -> bool:
    """Whether the number is one of theirs, where a role sees one province only."""
    return who.role not in OF_ONE_PROVINCE or standing.is_in(who.province)


def _page(request: web.Request, typed: str, status: int = 200, **found: Any) -> web.Response:
    names = {"typed": typed, "problem": "", "standing": None, "groups": list(Group), "group": ""}
    return page(request, "number.html", names | found, status=status)
