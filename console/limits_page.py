"""The limits of the server and of its trunks: changed after a preview, reverted at once. I/O."""

from dataclasses import dataclass

from aiohttp import web
from sqlalchemy import Connection

from console import campaign_form, forms
from console.campaign_page import told
from console.messages import marked as _
from console.parts import parts
from console.render import page, say
from console.writes import write
from domain.errors import InputError
from store import limits
from store.limits import GLOBAL, Caps, Change

_UNPROCESSABLE = 422
_SERVER, _TRUNK = _("The whole server"), _("Trunk")
_NOTHING = _("Nothing was changed: the fields hold what is set already.")
_CHANGED = _("The limits were changed again meanwhile: nothing was reverted. Look at what stands.")
_FIELDS = ("cps", "channels")


@dataclass(frozen=True, slots=True)
class _Line:
    """The limits of one scope, and the change that a press reverts."""

    scope: str
    name: str
    caps: Caps
    is_set: bool
    change: Change | None


async def show(request: web.Request) -> web.StreamResponse:
    """All limits that hold."""
    it = parts(request)

    def read(connection: Connection) -> list[_Line]:
        stored = limits.read(connection)
        return [
            _Line(
                scope,
                _name(request, scope),
                caps,
                scope in stored,
                limits.last_change(connection, scope),
            )
            for scope, caps in it.control.limits(stored).items()
        ]

    lines = await it.store.read(read)
    return page(
        request, "limits/show.html", {"lines": lines, "done": request.query.get("done", "")}
    )


async def preview(request: web.Request) -> web.StreamResponse:
    """What other limits would bring to each campaign that runs, and a button that sets them."""
    it, (scope, present) = parts(request), await _found(request)
    given = campaign_form.names_of(request.query, _FIELDS)
    now = dict(zip(_FIELDS, _shown(present), strict=True))
    pairs = [f"{name}={value}" for name, value in given.items() if value and value != now[name]]
    if not pairs:
        return _refused(request, scope, [say(request, _NOTHING)])
    try:
        caps = it.control.changed_limits(present, pairs)
    except InputError as error:
        return _refused(request, scope, told(request, error))
    names = {
        "scope": scope,
        "name": _name(request, scope),
        "pairs": pairs,
        "differences": [
            (name, before, after)
            for name, before, after in zip(_FIELDS, _shown(present), _shown(caps), strict=True)
            if before != after
        ],
        "label": lambda name: say(request, campaign_form.LABELS[name]),
        "effects": await it.control.preview_limits(it.store, scope, caps, it.clock()),
    }
    return page(request, "limits/preview.html", names)


async def put(request: web.Request) -> web.StreamResponse:
    """Set what was previewed."""
    it, (scope, _present) = parts(request), await _found(request)
    pairs = [value for value in (await request.post()).getall("pair", []) if type(value) is str]
    now = it.clock()

    def operation(connection: Connection) -> None:
        present = it.control.limits(limits.to_change(connection))[scope]
        limits.put(connection, scope, it.control.changed_limits(present, pairs), now)

    try:
        await write(request, "limits_set", operation, subject=scope, pairs=pairs)
    except InputError as error:
        return _refused(request, scope, told(request, error))
    raise web.HTTPSeeOther("/limits?done=limits_set")


async def revert(request: web.Request) -> web.StreamResponse:
    """Undo the last change of a scope: the one that the page showed, and no later one."""
    scope, _present = await _found(request)
    given, now = await forms.text(request, "change"), parts(request).clock()
    change_id = int(given) if given.isdecimal() and len(given) < 19 else 0

    def operation(connection: Connection) -> None:
        limits.revert(connection, scope, now, change_id)

    try:
        await write(request, "limits_reverted", operation, subject=scope)
    except InputError:
        return _refused(request, scope, [say(request, _CHANGED)])
    raise web.HTTPSeeOther("/limits?done=limits_reverted")


async def _found(request: web.Request) -> tuple[str, Caps]:
    """The scope of the address and its limits. Raises HTTPNotFound."""
    it, scope = parts(request), request.match_info["scope"]
    caps = it.control.limits(await it.store.read(limits.read)).get(scope)
    if caps is None:
        raise web.HTTPNotFound
    return scope, caps


def _shown(caps: Caps) -> tuple[str, str]:
    """What the fields of a scope hold."""
    return campaign_form.shown(caps.cps), campaign_form.shown(caps.max_channels)


def _name(request: web.Request, scope: str) -> str:
    if scope == GLOBAL:
        return say(request, _SERVER)
    return f"{say(request, _TRUNK)} {scope.partition(':')[2]}"


def _refused(request: web.Request, scope: str, problems: list[str]) -> web.StreamResponse:
    names = {"name": _name(request, scope), "problems": problems}
    return page(request, "limits/refused.html", names, status=_UNPROCESSABLE)
