"""Asterisk's REST interface as typed verbs over one pooled HTTP session. I/O.

A call costs about five requests, so each is kept cheap, by measurement: the headers are made once
(given, not "skipped": skipping costs more), URLs are already encoded, and what fits in a query
goes there, since a body costs aiohttp one more task. Verbs on a channel that may have hung up
meanwhile answer False instead of raising: 404 (gone), 409 (not in our app), 412 (not answered).

No POST is ever sent twice. aiohttp repeats a GET, PUT or DELETE once where a kept connection
turns out to be dead; the pool lets idle connections go after 8 s, well before Asterisk does.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from ivr.ari import resources
from ivr.ari.errors import AriError, AriUnavailable
from ivr.ari.origination import Endpoint, Originated, Origination, originate_body
from ivr.ari.resources import Application, Channel, NodeInfo

EventSocket = aiohttp.ClientWebSocketResponse[Literal[False]]
"""A websocket whose text frames are read as bytes."""

_JSON = {"Content-Type": "application/json"}
_GONE = frozenset({404, 409, 412})
# What ARI says of a channel that is there, while the place in the dialplan is not.
_NO_SUCH_LABEL = b"Requested label can not be found"
# Raised before the request is written: nothing of it can have reached Asterisk.
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class AriClient:
    """One Asterisk's ARI, for one Stasis app. Make it inside a running event loop.

    Args:
        url: where Asterisk's HTTP server listens, "http://127.0.0.1:8088".
        user, password: of `ari.conf`.
        app: the Stasis app's name.
        timeout_seconds: the longest a request may take, its answer included.

    Raises, from every verb but `originate` and where it says nothing else:
        AriUnavailable: no connection, no answer in time, or 503 (still booting).
        AriError: any other answer that no normal race explains.
    """

    def __init__(
        self, url: str, user: str, password: str, app: str, *, timeout_seconds: float = 5.0
    ) -> None:
        self.url = url.rstrip("/")
        self.app = app
        self._base = f"{self.url}/ari"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=32, keepalive_timeout=8),
            headers={
                "Authorization": aiohttp.encode_basic_auth(user, password),
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                "User-Agent": "tstn",
            },
            # `connect` counts the wait for a free connection too. It ends first, so that a
            # request that never left is known as such and not taken for a lost one.
            timeout=aiohttp.ClientTimeout(total=timeout_seconds, connect=timeout_seconds * 0.6),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections. Requests under way end as AriUnavailable or LOST."""
        await self._session.close()

    # -- calls

    async def originate(
        self,
        channel_id: str,
        endpoint: Endpoint,
        *,
        caller_id: str,
        timeout_seconds: int,
        variables: Mapping[str, str],
    ) -> Originated:
        """Ask Asterisk to dial; never raises for what the network or Asterisk does.

        Args:
            channel_id: ours, unique for ever; the answered channel enters the app with this id
                as the one argument of its StasisStart.
            timeout_seconds: how long it may ring.
            variables: by name; names are of `origination.ALLOWED_VARIABLES`.

        Raises:
            ValueError: an argument is not of its plain form (before anything is sent).
        """
        body = originate_body(
            self.app,
            channel_id,
            endpoint,
            caller_id=caller_id,
            timeout_seconds=timeout_seconds,
            variables=variables,
        )
        try:
            status, answer = await self._exchange("POST", f"/channels/{channel_id}", body)
        except _NOT_SENT as error:
            return Originated(Origination.REFUSED, None, _describe(error))
        except (aiohttp.ClientError, TimeoutError) as error:
            return Originated(Origination.LOST, None, _describe(error))
        taken = status < 300 or status == 409
        outcome = Origination.ACCEPTED if taken else Origination.REFUSED
        return Originated(outcome, status, "" if taken else _reason(answer))

    async def play(self, channel_id: str, playback_id: str, media: Sequence[str]) -> bool:
        """Play sounds ("sound:tstn/vi-1/notice") in a row, after those already under way.

        Returns False if the channel is gone.
        """
        sounds = ",".join(quote(sound, safe="") for sound in media)
        path = f"/channels/{_segment(channel_id)}/play/{_segment(playback_id)}?media={sounds}"
        return await self._act("POST", path)

    async def stop_playback(self, playback_id: str) -> bool:
        """Silence a playback; returns False if it is already over."""
        return await self._act("DELETE", f"/playbacks/{_segment(playback_id)}")

    async def hang_up(self, channel_id: str, reason: str = "normal") -> bool:
        """Hang up, in whatever state the channel is; returns False if it is gone.

        Args:
            reason: a word of ARI: normal, busy, congestion, no_answer …
        """
        path = f"/channels/{_segment(channel_id)}?reason={_segment(reason)}"
        return await self._act("DELETE", path)

    async def continue_in_dialplan(
        self, channel_id: str, context: str, extension: str, label: str
    ) -> bool:
        """Let the channel go on in the dialplan, once its playback is over.

        Returns False if the channel is gone.

        Raises:
            AriError: also if the dialplan has no such place; the channel then stays ours.
        """
        place = f"context={_segment(context)}&extension={_segment(extension)}"
        path = f"/channels/{_segment(channel_id)}/continue?{place}&label={_segment(label)}"
        status, answer = await self._call("POST", path)
        if status == 404 and _NO_SUCH_LABEL in answer:
            raise AriError(
                f"The dialplan of Asterisk at {self.url} has no label {label!r} at"
                f" {extension}@{context}: run `tstn asterisk render` and reload the dialplan",
                status,
            )
        return self._done("POST", path, status, answer)

    # -- reconciliation

    async def channel(self, channel_id: str) -> Channel | None:
        """Look one channel up; None if there is none."""
        found = await self._fetch(f"/channels/{_segment(channel_id)}")
        return None if found is None else _read(resources.read_channel, found)

    async def channels(self) -> list[Channel]:
        """All live channels of this Asterisk, whoever made them."""
        found = await self._fetch("/channels")
        return _read(lambda rows: [resources.read_channel(row) for row in rows], found)

    async def info(self) -> NodeInfo:
        """Version, identity and start-up time of this Asterisk."""
        found = await self._fetch("/asterisk/info?only=system,status")
        return _read(resources.read_node_info, found)

    async def application(self) -> Application | None:
        """Our app as Asterisk knows it; None while no websocket has registered it."""
        found = await self._fetch(f"/applications/{_segment(self.app)}")
        return None if found is None else _read(resources.read_application, found)

    async def subscribe(self, channel_id: str) -> bool:
        """Ask for a channel's events once more (harmless if it has been); False if it is gone."""
        source = f"eventSource=channel:{_segment(channel_id)}"
        path = f"/applications/{_segment(self.app)}/subscription?{source}"
        status, answer = await self._call("POST", path)
        if status == 422:  # "event source does not exist"
            return False
        return self._done("POST", path, status, answer)

    async def set_event_filter(self, allowed: Iterable[str]) -> None:
        """Get only these kinds of events. Asterisk forgets the filter when it forgets the app."""
        path = f"/applications/{_segment(self.app)}/eventFilter"
        wanted = {"allowed": [{"type": kind} for kind in allowed]}
        status, answer = await self._call("PUT", path, wanted)
        if status >= 300:
            raise self._fault("PUT", path, status, answer)

    async def open_events(self, heartbeat_seconds: float) -> EventSocket:
        """Open the app's event websocket, which registers the app with Asterisk.

        A peer that answers no ping for 1.5 heartbeats counts as gone.
        """
        url = URL(f"{self._base}/events?app={_segment(self.app)}", encoded=True)
        try:
            return await self._session.ws_connect(
                url, heartbeat=heartbeat_seconds, max_msg_size=0, decode_text=False
            )
        except aiohttp.WSServerHandshakeError as error:
            raise self._fault("GET", "/events", error.status, b"") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._absent(error) from error

    # -- plumbing

    async def _act(self, method: str, path: str) -> bool:
        status, answer = await self._call(method, path)
        return self._done(method, path, status, answer)

    def _done(self, method: str, path: str, status: int, answer: bytes) -> bool:
        if status < 300:
            return True
        if status in _GONE:
            return False
        raise self._fault(method, path, status, answer)

    async def _fetch(self, path: str) -> Any:
        status, answer = await self._call("GET", path)
        if status == 404:
            return None
        if status >= 300:
            raise self._fault("GET", path, status, answer)
        return _read(orjson.loads, answer)

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, bytes]:
        try:
            return await self._exchange(method, path, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._absent(error) from error

    async def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, bytes]:
        async with self._session.request(
            method,
            URL(self._base + path, encoded=True),
            data=None if body is None else orjson.dumps(body),
            headers=None if body is None else _JSON,
            allow_redirects=False,
        ) as response:
            return response.status, await response.read()

    def _absent(self, error: Exception) -> AriUnavailable:
        return AriUnavailable(f"Asterisk at {self.url} does not answer: {_describe(error)}")

    def _fault(self, method: str, path: str, status: int, answer: bytes) -> AriError:
        if status == 503:
            return AriUnavailable(f"Asterisk at {self.url} is still starting", status)
        if status in (401, 403):
            advice = "check [asterisk] ari_user and ari_password against its ari.conf"
            return AriError(f"Asterisk at {self.url} does not let us in ({status}): {advice}", status)
        where = path.partition("?")[0]
        text = f"Asterisk at {self.url} answered {method} {where} with {status} {_reason(answer)}"
        return AriError(text.rstrip(), status)


def _segment(text: str) -> str:
    return quote(text, safe="")


def _reason(answer: bytes) -> str:
    """The words of an ARI error answer, which are under `message` or `error`."""
    try:
        said = orjson.loads(answer)
        return str(said.get("message") or said.get("error") or "")
    except (AttributeError, ValueError):
        return answer[:80].decode(errors="replace")


def _describe(error: Exception) -> str:
    return str(error) or type(error).__name__
