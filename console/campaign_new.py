"""A new campaign from a form, with the checks of its file. I/O."""

from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console import campaign_form, forms
from console.parts import parts
from console.render import page, say, word
from console.writes import write
from domain.errors import InputError
from domain.states import Purpose
from store import campaigns, following, limits
from store.models import Campaign

_UNPROCESSABLE = 422
_FIELDS = (
    *("name", "purpose", "cps", "max_channels", "priority", "max_attempts"),
    *("ring_timeout_seconds", "windows", "call_on_holidays"),
    *("by_phase", "script_version", "variants"),
)
_FOLLOWING = ("follows", "follow_after_hours")
_MOST_LENGTH = 400


async def show(request: web.Request) -> web.StreamResponse:
    """The form with what is usual."""
    usual = parts(request).control.draft({"name": "x"}) | {"name": "", "purpose": ""}
    fields = {name: campaign_form.shown(usual[name]) for name in _FIELDS}
    fields |= dict.fromkeys(_FOLLOWING, "")
    return await _page(request, fields)


async def make(request: web.Request) -> web.StreamResponse:
    """Make the draft, and go to it."""
    it, now = parts(request), parts(request).clock()
    names = (*_FIELDS, *_FOLLOWING)
    fields = {name: (await forms.text(request, name))[:_MOST_LENGTH] for name in names}
    if not fields["follows"]:
        fields["follow_after_hours"] = ""

    def operation(connection: Connection) -> Campaign:
        values = it.control.draft(fields | {"variants": campaign_form.weights(fields["variants"])})
        if values["follows"] is not None:
            following.require_followed(connection, values["follows"])
        return campaigns.create(connection, values, now)

    try:
        made = await write(request, "campaign_created", operation, subject=_name)
    except InputError as error:
        return await _page(request, fields, _told(request, error))
    if made is None:  # the form was sent twice
        made = await it.store.read(campaigns.by_name, fields["name"])
    it.live.push("campaigns")
    raise web.HTTPSeeOther(f"/campaigns/{made.id}?done=campaign_created")


def _name(made: Campaign) -> str:
    return made.name


def _told(request: web.Request, error: InputError) -> list[str]:
    return campaign_form.problems(
        str(error), lambda text: say(request, text), lambda value: word(request, value)
    )


async def _page(
    request: web.Request, fields: dict[str, str], problems: list[str] | None = None
) -> web.StreamResponse:
    it = parts(request)
    names: dict[str, Any] = {
        "fields": fields,
        "labels": campaign_form.LABELS,
        "must": campaign_form.MUST,
        "purposes": list(Purpose),
        "scripts": it.control.scripts(),
        "text_campaigns": await it.store.read(following.may_be_followed),
        "caps": it.control.caps(await it.store.read(limits.read)),
        "problems": problems or [],
    }
    status = _UNPROCESSABLE if problems else 200
    return page(request, "campaigns/new.html", names, status=status)
