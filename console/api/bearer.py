"""Who asks: the living token of `Authorization: Bearer …`. I/O."""

import re
from datetime import timedelta
from http import HTTPStatus

from aiohttp import web

from console.api.guesses import WITHIN, Guesses
from console.api.problems import Refused
from console.cookies import hashed
from console.parts import parts
from store import tokens
from store.tokens import Bearer

GUESSES = web.AppKey("guesses", Guesses)
BEARER = web.RequestKey("bearer", Bearer)
_HEADER = re.compile(r"bearer +([!-~]{1,200})", re.IGNORECASE)
_USED_EVERY = timedelta(minutes=1)


async def find_bearer(request: web.Request) -> Bearer:
    """Raises Refused: 401 for no token and for any wrong one, 429 after too many of those.

    A token is looked up by the hash of its 256 random bits: how long that takes tells nothing of
    it, and one that never was takes the same way as one that is revoked.
    """
    it, guesses = parts(request), request.config_dict[GUESSES]
    found = _HEADER.fullmatch(request.headers.get("Authorization", "").strip())
    if found is None:
        raise _unknown()
    token_hash, address, now = hashed(found[1]), request.remote or "", it.clock()
    if guesses.is_locked(address, token_hash, now):
        raise Refused(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too many wrong tokens came from this address: wait a minute",
            Retry_After=str(int(WITHIN.total_seconds())),
        )
    who = await it.store.read(tokens.bearer, token_hash)
    if who is None:
        guesses.wrong(address, token_hash, now)
        raise _unknown()
    guesses.right(token_hash)
    if who.last_used_at is None or now - who.last_used_at >= _USED_EVERY:
        await it.store.write(tokens.used, who.id, now)
    return who


def bearer(request: web.Request) -> Bearer:
    """Who asks; KeyError on a route that is open to everybody."""
    return request[BEARER]


def _unknown() -> Refused:
    return Refused(
        HTTPStatus.UNAUTHORIZED,
        "send a living token: `Authorization: Bearer …` (tstn token create)",
        WWW_Authenticate="Bearer",
    )
