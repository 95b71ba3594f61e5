"""A new text campaign from a form: its words, what they cost, with and without diacritics. I/O."""

import re
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console import campaign_form, forms
from console.messages import marked as _
from console.parts import parts
from console.render import fragment, page, say, word
from console.text_port import TextControl, TextCost
from console.writes import write
from domain.errors import ConfigError, InputError
from domain.states import CampaignKind, Purpose
from store import campaigns
from store.models import Campaign

_UNPROCESSABLE = 422
_FIELDS = ("name", "purpose", "text", "account", "cps", "windows", "call_on_holidays")
_MOST_LENGTH = {"text": 2000}
_USUAL_LENGTH = 400
_USUAL_NUMBERS, _MOST_NUMBERS = "10000", 9
_PLAIN = ("plain", "numbers")
"""What is asked beside the campaign's columns."""
_NO_ACCOUNT = _("No SMSC account is set up on this server: see config/smsc.toml.")


async def show(request: web.Request) -> web.StreamResponse:
    """The form with what is usual."""
    usual = {"cps": "5", "windows": "07:00-22:00", "call_on_holidays": "false"}
    fields = dict.fromkeys((*_FIELDS, *_PLAIN), "") | usual | {"numbers": _USUAL_NUMBERS}
    return await _page(request, fields)


async def size(request: web.Request) -> web.StreamResponse:
    """What the words come to while they are written."""
    names = _sizes(parts(request).control.texts, await _given(request))
    html = fragment(request, "campaigns/text_size.html", names)
    return web.Response(text=html, content_type="text/html")


async def make(request: web.Request) -> web.StreamResponse:
    """Make the draft, and go to it."""
    it, now = parts(request), parts(request).clock()
    given = await _given(request)
    fields = {name: given[name] for name in _FIELDS}
    if given["plain"] == "yes":
        fields["text"] = it.control.texts.plain(fields["text"])

    def operation(connection: Connection) -> Campaign:
        values = it.control.draft(fields | {"kind": str(CampaignKind.TEXT)})
        return campaigns.create(connection, values, now)

    try:
        made = await write(request, "campaign_created", operation, subject=_name)
    except InputError as error:
        return await _page(request, given, _told(request, error))
    except ConfigError:
        return await _page(request, given, [say(request, _NO_ACCOUNT)])
    if made is None:  # the form was sent twice
        made = await it.store.read(campaigns.by_name, fields["name"])
    it.live.push("campaigns")
    raise web.HTTPSeeOther(f"/campaigns/{made.id}?done=campaign_created")


async def _given(request: web.Request) -> dict[str, str]:
    given = {name: await forms.text(request, name) for name in (*_FIELDS, *_PLAIN)}
    given["text"] = given["text"].replace("\r\n", "\n")  # browsers send it so
    return {name: text[: _MOST_LENGTH.get(name, _USUAL_LENGTH)] for name, text in given.items()}


def _sizes(texts: TextControl, given: dict[str, str]) -> dict[str, Any]:
    """As it is written, and without diacritics; nothing where nothing is written."""
    typed = given["numbers"]
    numbers = int(typed) if typed.isdecimal() and len(typed) <= _MOST_NUMBERS else 0
    costs: list[tuple[str, TextCost]] = []
    if text := given["text"]:
        ways = ((_("As it is written"), text), (_("Without diacritics"), texts.plain(text)))
        costs = [(label, texts.cost(words, given["account"], numbers)) for label, words in ways]
    return {"costs": costs, "plain_text": texts.plain(given["text"])}


def _name(made: Campaign) -> str:
    return made.name


def _told(request: web.Request, error: InputError) -> list[str]:
    line = re.sub(r"\bcps:", "cps_of_texts:", str(error))
    return campaign_form.problems(
        line, lambda text: say(request, text), lambda value: word(request, value)
    )


async def _page(
    request: web.Request, fields: dict[str, str], problems: list[str] | None = None
) -> web.StreamResponse:
    texts = parts(request).control.texts
    names: dict[str, Any] = {
        "fields": fields,
        "labels": campaign_form.LABELS,
        "must": campaign_form.MUST,
        "purposes": list(Purpose),
        "accounts": texts.accounts(),
        "problems": problems or [],
        **_sizes(texts, fields),
    }
    return page(
        request, "campaigns/new_text.html", names, status=_UNPROCESSABLE if problems else 200
    )
