"""One pooled HTTP session to Asterisk: cheap requests, faults in our own words. I/O.

A call costs about five requests; where the lane is open, one of them comes here. Measured, a
request takes 0.16 ms of our CPU, nearly all of it aiohttp's own (0.04 ms over a bare socket);
headers made once, URLs that come encoded and no cookie jar are what can be saved of it.

No POST is ever sent twice. aiohttp repeats a GET, PUT or DELETE once where a kept connection turns
out to be dead; the pool lets idle connections go after 8 s, well before Asterisk (15 s) does.
"""

import os
from collections.abc import Mapping
from typing import Any, Literal

import aiohttp
import orjson
from yarl import URL

from ivr.ari.errors import AriError, AriUnavailable

EventSocket = aiohttp.ClientWebSocketResponse[Literal[False]]
"""A websocket whose text frames are read as bytes."""

LOST = (aiohttp.ClientError, TimeoutError)
"""What `exchange` raises where no answer came, or only a part of one."""
NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""Those of `LOST` that come before the request is written: Asterisk has seen nothing of it."""

_JSON = {"Content-Type": "application/json"}


class AriTransport:
    """Sends requests below `/ari`. Make it inside a running event loop, and close it."""

    def __init__(self, url: str, user: str, password: str, timeout_seconds: float) -> None:
        self.url = url.rstrip("/")
        self._base = f"{self.url}/ari"
        self._timeout_seconds = timeout_seconds
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=32, keepalive_timeout=8),
            headers={
                "Authorization": aiohttp.encode_basic_auth(user, password),
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                "User-Agent": "tstn",
            },
            # `connect` covers the wait for a free connection too. It ends first, so that a
            # request that never left is known as such and not taken for a lost one.
            timeout=aiohttp.ClientTimeout(total=timeout_seconds, connect=timeout_seconds * 0.6),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, bytes]:
        """Send one request and read its whole answer: the HTTP status and the raw body.

        Args:
            path: below `/ari`, encoded, with its query.

        Raises:
            One of `LOST`.
        """
        async with self._session.request(
            method,
            URL(self._base + path, encoded=True),
            data=None if body is None else orjson.dumps(body),
            headers=None if body is None else _JSON,
            allow_redirects=False,
        ) as response:
            return response.status, await response.read()

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, bytes]:
        """As `exchange`, but a missing answer is raised as AriUnavailable."""
        try:
            return await self.exchange(method, path, body)
        except LOST as error:
            raise self._absent(error) from error

    async def open_socket(self, path: str, heartbeat_seconds: float) -> EventSocket:
        """Open a websocket. A peer that answers no ping for 1.5 heartbeats counts as gone.

        Raises:
            AriUnavailable, AriError: as for a request.
        """
        url = URL(self._base + path, encoded=True)
        try:
            return await self._session.ws_connect(
                url, heartbeat=heartbeat_seconds, max_msg_size=0, decode_text=False
            )
        except aiohttp.WSServerHandshakeError as error:
            raise self.fault("GET", path, error.status, b"") from error
        except LOST as error:
            raise self._absent(error) from error

    def fault(self, method: str, path: str, status: int, answer: bytes) -> AriError:
        """Put an answer that was not hoped for into words for the operator."""
        if status == 503:
            return AriUnavailable(f"Asterisk at {self.url} is still starting", status)
        if status in (401, 403):
            advice = "check [asterisk] ari_user and ari_password against its ari.conf"
            return AriError(
                f"Asterisk at {self.url} does not let us in ({status}): {advice}", status
            )
        where = path.partition("?")[0]
        text = f"Asterisk at {self.url} answered {method} {where} with {status} {reason(answer)}"
        return AriError(text.rstrip(), status)

    def describe(self, error: Exception) -> str:
        """Say in a few words why no answer came."""
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return "its host name is not known"
        if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
            return os.strerror(error.os_error.errno).lower()
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return "no free connection in time"
        if isinstance(error, TimeoutError):
            return f"no answer in {self._timeout_seconds:g} s"
        return str(error) or type(error).__name__

    def _absent(self, error: Exception) -> AriUnavailable:
        return AriUnavailable(f"Asterisk at {self.url} does not answer: {self.describe(error)}")


def reason(answer: bytes) -> str:
    """The words of an ARI error answer, which stand under `message` or `error`."""
    try:
        said = orjson.loads(answer)
        return str(said.get("message") or said.get("error") or "")
    except (AttributeError, ValueError):
        return answer[:80].decode(errors="replace")
