"""Forms: only ours are taken, and what they hold is read once and in one way. I/O."""

import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

from aiohttp import BodyPartReader, web

from console.cookies import VISIT_COOKIE
from console.parts import SESSION

TOKEN_FIELD = "csrf"  # noqa: S105 (the name of a field)
TOKEN_HEADER = "X-CSRF-Token"  # noqa: S105
KEY_FIELD = "once"
_KEY_LENGTH = 32
_MOST_FIELDS, _LONGEST_FIELD = 8, 4096


@dataclass(frozen=True, slots=True)
class _Upload:
    """A form with a file: the fields that stand before it, and the file, not yet read."""

    fields: dict[str, str]
    file: BodyPartReader | None


_UPLOAD = web.RequestKey("upload", _Upload)


def token(request: web.Request) -> str:
    """What a form for this visitor must bring back; empty for who has no cookie of ours."""
    who = request.get(SESSION)
    return request.cookies.get(VISIT_COOKIE, "") if who is None else who.csrf


def new_key() -> str:
    """The idempotency key of one form on one page: sent twice, it does its work once."""
    return uuid4().hex


async def require_form_of_ours(request: web.Request, *, takes_file: bool = False) -> None:
    """Raises HTTPForbidden for a form of another site, or without its token.

    With `takes_file` the token is looked for before the file, of which nothing is read.
    """
    if not _comes_from_us(request):
        raise web.HTTPForbidden
    if takes_file and request.content_type == "multipart/form-data":
        request[_UPLOAD] = await _opened(request)
    wanted = token(request)
    given = request.headers.get(TOKEN_HEADER) or await text(request, TOKEN_FIELD)
    if not wanted or not hmac.compare_digest(wanted.encode(), given.encode()):
        raise web.HTTPForbidden


def _comes_from_us(request: web.Request) -> bool:
    """By what browsers say of themselves and scripts can't change (Fetch standard)."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin is None:
        return False
    if site not in (None, "same-origin"):
        return False
    return origin is None or urlsplit(origin).netloc == request.host


def upload(request: web.Request) -> BodyPartReader | None:
    """The file of a form, to be read once; None where it has none."""
    return request[_UPLOAD].file if _UPLOAD in request else None


async def _opened(request: web.Request) -> _Upload:
    """The fields before the file. Raises HTTPBadRequest for what is no form of ours."""
    fields: dict[str, str] = {}
    try:
        reader = await request.multipart()
        while len(fields) < _MOST_FIELDS:
            part = await reader.next()
            if part is None:
                return _Upload(fields, None)
            if not isinstance(part, BodyPartReader):
                break
            if part.filename is not None:
                return _Upload(fields, part)
            fields[part.name or ""] = (await part.read_chunk(_LONGEST_FIELD)).decode()
    except ValueError:
        pass
    raise web.HTTPBadRequest


async def text(request: web.Request, name: str) -> str:
    """A field without the space around it; empty where the form has none."""
    if _UPLOAD in request:
        return request[_UPLOAD].fields.get(name, "").strip()
    value = (await request.post()).get(name, "")
    return value.strip() if isinstance(value, str) else ""


async def password(request: web.Request, name: str) -> str:
    """A field as it was typed: spaces count in a password."""
    value = (await request.post()).get(name, "")
    return value if isinstance(value, str) else ""


async def key(request: web.Request) -> str:
    """The form's idempotency key. Raises HTTPBadRequest where it has none."""
    given = await text(request, KEY_FIELD)
    if len(given) != _KEY_LENGTH or not given.isalnum():
        raise web.HTTPBadRequest
    return given
