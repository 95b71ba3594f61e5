"""The console's cookies: the session's, a visitor's before the login, the language's. Pure."""

from datetime import timedelta
from hashlib import sha256
from ipaddress import ip_address
from secrets import token_urlsafe

from aiohttp import web

from console.messages import DEFAULT, LANGUAGES
from console.parts import parts

SESSION_COOKIE = "tstn_session"
VISIT_COOKIE = "tstn_visit"
LANGUAGE_COOKIE = "tstn_language"
_A_YEAR = timedelta(days=365)


def new_token() -> str:
    """256 random bits for a cookie or a form."""
    return token_urlsafe(32)


def hashed(token: str) -> str:
    """What the store keeps of a cookie: who reads the store can't log in by it."""
    return sha256(token.encode()).hexdigest()


def language(request: web.Request) -> str:
    """The language the visitor has chosen, else Vietnamese."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else DEFAULT


def put(
    request: web.Request,
    response: web.StreamResponse,
    name: str,
    value: str,
    *,
    stays: bool = False,
) -> None:
    """Set a cookie that no script reads and no other site's page sends; it goes with the browser.

    `stays` keeps it for a year.
    """
    response.set_cookie(
        name,
        value,
        max_age=int(_A_YEAR.total_seconds()) if stays else None,
        httponly=True,
        samesite="Strict",
        secure=parts(request).setting.secure_cookies and not _is_loopback(request),
    )


def _is_loopback(request: web.Request) -> bool:
    """Whether the browser sits on this machine: a proxy in between passes its own name on."""
    host = request.url.host or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
