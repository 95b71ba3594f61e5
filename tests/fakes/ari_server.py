"""An Asterisk that does as told: ARI over real sockets, for faults a real one cannot show. I/O.

Left alone it behaves like a small Asterisk: channels that were originated are listed, played to
and hung up; gone ones answer 404. A test scripts what shall differ: the next answer of a path, an
answer held back, a connection reset, all of it 503 (`booting`), a websocket that answers no ping
(`deaf`).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import WSMsgType, web
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from tests.fakes.running import Running

APP = "tstn"
STARTED_AT = "2026-01-05T08:00:00.000+0700"

Act = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Request:
    """One request as it came: path below /ari, decoded query, decoded JSON body."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    by_websocket: bool = False


@dataclass
class FakeAri(Running):
    """Use as `async with FakeAri() as asterisk`; `stop` and `start` keep the port."""

    requests: list[Request] = field(default_factory=list)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    playbacks: set[str] = field(default_factory=set)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    booting: bool = False
    deaf: bool = False
    has_lane: bool = False
    pongs: int = 0
    answered: int = 0
    port: int = 0
    _script: dict[tuple[str, str], deque[Act]] = field(default_factory=dict)
    _event_transports: list[asyncio.Transport] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/ari/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Go away as a killed Asterisk does: all connections are cut, channels are no more."""
        self.drop()
        self.channels.clear()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # -- what a test scripts

    def will_answer(self, method: str, path: str, status: int, body: Any = None) -> None:
        """The next such request gets this; bytes as they are, all else as JSON.

        A redirect leads to the same place again.
        """
        raw = body if isinstance(body, bytes) else orjson.dumps(body or {})

        async def act(request: web.Request) -> web.StreamResponse:
            there = {"Location": str(request.url)} if 300 <= status < 400 else None
            return web.Response(
                status=status, body=raw, content_type="application/json", headers=there
            )

        self._next(method, path, act)

    def will_reset(self, method: str, path: str) -> None:
        """The next such request is read, and then its connection is cut."""

        async def act(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        self._next(method, path, act)

    def will_hold(self, method: str, path: str) -> asyncio.Event:
        """The next such request is answered as usual, but only once the event is set."""
        go_on = asyncio.Event()

        async def act(request: web.Request) -> web.StreamResponse:
            await go_on.wait()
            return self._usual(self._last())

        self._next(method, path, act)
        return go_on

    async def send(self, *frames: bytes | dict[str, Any]) -> None:
        """Send text frames on the newest websocket."""
        for frame in frames:
            raw = frame if isinstance(frame, bytes) else orjson.dumps(frame)
            await self.sockets[-1].send_frame(raw, WSMsgType.TEXT)

    async def caught_up(self) -> None:
        """Wait until the newest websocket's peer has read all that was sent so far."""
        before = self.pongs
        await self.sockets[-1].ping()
        await self.until(lambda: self.pongs > before)

    def freeze(self) -> None:
        """Read no more of any websocket, as a stopped process."""
        for transport in self._event_transports:
            transport.pause_reading()

    def drop(self) -> None:
        """Cut all websockets without a closing handshake."""
        for transport in self._event_transports:
            transport.abort()
        self._event_transports.clear()
        self.sockets.clear()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until requests, pongs or websockets have made this true."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(happened)

    def seen(self, method: str, path: str) -> list[Request]:
        return [r for r in self.requests if (r.method, r.path) == (method, path)]

    # -- the server

    def _next(self, method: str, path: str, act: Act) -> None:
        self._script.setdefault((method, path), deque()).append(act)

    def _last(self) -> Request:
        return self.requests[-1]

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        path = "/" + request.match_info["path"]
        body = orjson.loads(raw) if raw else None
        now = Request(request.method, path, dict(request.query), body, dict(request.headers))
        self.requests.append(now)
        await self._tell()
        if self.booting:
            return web.json_response({"message": "Asterisk not booted"}, status=503)
        script = self._script.get((request.method, path))
        if script:
            return await script.popleft()(request)
        if path == "/events":
            return await self._events(request)
        return self._usual(now)

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        assert request.transport is not None
        self._event_transports.append(request.transport)
        self.sockets.append(socket)
        await self._tell()
        async for frame in socket:
            if frame.type is WSMsgType.PING and not self.deaf:
                await socket.pong(frame.data)
            self.pongs += frame.type is WSMsgType.PONG
            if frame.type is WSMsgType.TEXT and self.has_lane:
                await self._command(socket, orjson.loads(frame.data))
            await self._tell()
        if socket in self.sockets:
            self.sockets.remove(socket)
        await self._tell()
        return socket

    async def _command(self, socket: web.WebSocketResponse, command: dict[str, Any]) -> None:
        target = URL(f"/{command['uri']}", encoded=True)
        method, path = command["method"], target.path
        self.requests.append(Request(method, path, dict(target.query), None, {}, by_websocket=True))
        await self._tell()
        script = self._script.get((method, path))
        act = script.popleft() if script else None
        request = make_mocked_request(method, f"/ari{target}")
        answer = self._usual(self._last()) if act is None else await act(request)
        assert isinstance(answer, web.Response)
        words = {"request_id": command["request_id"], "status_code": answer.status}
        if answer.text:
            words |= {"content_type": "application/json", "message_body": answer.text}
        await socket.send_frame(orjson.dumps(event("RESTResponse", **words)), WSMsgType.TEXT)
        self.answered += 1

    def _usual(self, request: Request) -> web.Response:
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["channels"]:
                return web.json_response(list(self.channels.values()))
            case "GET", ["asterisk", "ping"]:
                return web.json_response({"ping": "pong"})
            case "GET", ["asterisk", "info"]:
                return web.json_response(node_info())
            case "GET", ["applications", name]:
                return web.json_response({"name": name, "channel_ids": list(self.channels)})
            case "PUT", ["applications", _, "eventFilter"]:
                return web.json_response({})
            case "POST", ["applications", _, "subscription"]:
                source = request.query["eventSource"].removeprefix("channel:")
                return web.json_response({}, status=200 if source in self.channels else 422)
            case "GET", ["playbacks", playback_id] if playback_id in self.playbacks:
                return web.json_response({"id": playback_id, "state": "playing"})
            case "DELETE", ["playbacks", playback_id]:
                there = playback_id in self.playbacks
                self.playbacks.discard(playback_id)
                return _done() if there else _missing("Playback not found")
            case method, ["channels", channel_id, *verb]:
                return self._channel(method, channel_id, verb, request.body)
        return _missing("Invalid method")

    def _channel(self, method: str, channel_id: str, verb: list[str], body: Any) -> web.Response:
        if method == "POST" and not verb:
            if channel_id in self.channels:
                text = "Channel with given unique ID already exists"
                return web.json_response({"message": text}, status=409)
            self.channels[channel_id] = channel(channel_id, state="Down", app_name="AppDial2")
            return web.json_response(self.channels[channel_id])
        if channel_id not in self.channels:
            return _missing("Channel not found")
        match method, verb:
            case "GET", []:
                return web.json_response(self.channels[channel_id])
            case "DELETE", []:
                del self.channels[channel_id]
            case "POST", ["play", playback_id]:
                self.playbacks.add(playback_id)
                return web.json_response({"id": playback_id, "state": "queued"}, status=201)
        return _done()


def _done() -> web.Response:
    return web.Response(status=204)


def _missing(text: str) -> web.Response:
    return web.json_response({"message": text}, status=404)


def channel(channel_id: str, *, state: str = "Up", app_name: str = "Stasis") -> dict[str, Any]:
    """A Channel as ARI writes it."""
    return {
        "id": channel_id,
        "name": "PJSIP/carrier-00000001",
        "state": state,
        "protocol_id": "p",
        "caller": {"name": "", "number": "9090"},
        "connected": {"name": "", "number": ""},
        "accountcode": "",
        "dialplan": {
            "context": "",
            "exten": "s",
            "priority": 1,
            "app_name": app_name,
            "app_data": "",
        },
        "creationtime": "2026-01-05T09:00:00.123+0700",
        "language": "vi",
    }


def node_info() -> dict[str, Any]:
    """An AsteriskInfo as ARI writes it."""
    return {
        "system": {"version": "22.10.1", "entity_id": "00:11:22:33:44:55"},
        "status": {"startup_time": STARTED_AT, "last_reload_time": STARTED_AT},
    }


def event(kind: str, **fields: Any) -> dict[str, Any]:
    """An event frame; give its own fields, and `timestamp` or `application` to differ."""
    return {
        "type": kind,
        "application": APP,
        "timestamp": "2026-01-05T02:00:01.500+0000",
        "asterisk_id": "00:11:22:33:44:55",
        **fields,
    }


def key(channel_id: str, digit: str) -> dict[str, Any]:
    """A ChannelDtmfReceived frame."""
    return event("ChannelDtmfReceived", channel=channel(channel_id), digit=digit, duration_ms=120)
