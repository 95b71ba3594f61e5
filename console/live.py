"""Live pages: what has changed is looked up once a second for all listeners together; each page's
one stream sends its own fragments, rendered for its user. Rows are the truth, pushes are hints.

How a page goes live (console/health_page.py is the shortest example):

1. A topic says cheaply whether anything is new. Two equal answers mean there is nothing to show:
       Topic("queue", of_store(store, callback_queue.newest))        # in console/service.py
2. The page's stream names its fragments, and is a route with the permission of its page:
       FRAGMENTS = {"figures": Fragment("queue", render_figures)}    # async (request) -> HTML
       async def stream(request): return await parts(request).live.stream(request, FRAGMENTS)
3. Its template opens one stream, and says where each fragment goes. The same partial template
   draws the fragment at first:
       {% block live %}hx-ext="sse" sse-connect="/supervisor/stream"{% endblock %}
       <div sse-swap="figures">{% include "supervisor/figures.html" %}</div>
4. Whoever writes may call `live.push("queue")`, so that listeners need not wait for the second.

A stream that says nothing for five seconds counts as lost in the browser (static/console.js), so
it beats every two. It stops beating while its topics can't be read: the page is then not live. The
last event id holds the versions that were sent, so that a browser that comes back gets only what
is new. A session that has ended gets the event `ended`, and its page goes to the login, unless
something typed there is to be kept (static/desk.js). I/O.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2s
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from domain.errors import StoreUnavailable
from store.engine import Store

log = logging.getLogger(__name__)

Render = Callable[[web.Request], Awaitable[str]]
IsAlive = Callable[[web.Request], Awaitable[bool]]

EVERY_SECONDS = 1.0
BEAT_SECONDS = 2.0
_LEAST_GAP_SECONDS = 0.1
_BEATS_A_CHECK = 8
_BEAT = b"event: beat\ndata:\n\n"
_ENDED = b"event: ended\ndata:\n\n"
_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that changes: `look` gives a small value that differs once it has changed."""

    name: str
    look: Callable[[], Awaitable[Any]]
    is_always_looked_at: bool = False
    """Even while nobody listens: what is shown of it depends on when it changed."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a page: when its topic changes, it is rendered and sent."""

    topic: str
    render: Render
    part: Callable[[web.Request], Awaitable[object]] | None = None
    """What of the topic concerns this page: the piece is sent again only once that has changed."""


def of_store(store: Store, operation: Callable[[Connection], Any]) -> Callable[[], Awaitable[Any]]:
    """A look at the store; the operation must be cheap, it runs every second."""

    async def look() -> Any:
        return await store.read(operation)

    return look


@dataclass(slots=True, eq=False)
class _Listener:
    topics: frozenset[str]
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Live:
    """The streams of a console. `run` must run; `close` lets every stream end."""

    def __init__(
        self, topics: Iterable[Topic], is_alive: IsAlive, beat_seconds: float = BEAT_SECONDS
    ) -> None:
        self._topics = {topic.name: topic for topic in topics}
        self._versions: dict[str, str] = {}
        self._seen: dict[str, Any] = {}
        self._unreadable: set[str] = set()
        self._listeners: set[_Listener] = set()
        self._wake = asyncio.Event()
        self._is_alive = is_alive
        self._beat_seconds = beat_seconds
        self._closing = False

    def push(self, topic: str) -> None:
        """Look at once: the topic has changed. KeyError for one that there is not."""
        self._topics[topic]
        self._wake.set()

    def seen(self, topic: str) -> Any:
        """What the last look at a topic gave, for all its fragments; KeyError before the first."""
        return self._seen[topic]

    def close(self) -> None:
        """End all streams; browsers come back by themselves."""
        self._closing = True
        for listener in self._listeners:
            listener.changed.set()

    async def run(self) -> None:
        """Look every second at what somebody listens to, until cancelled."""
        while True:
            for name in self._looked_at():
                await self._look(name)
            await asyncio.sleep(_LEAST_GAP_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS - _LEAST_GAP_SECONDS):
                    await self._wake.wait()
            self._wake.clear()

    async def stream(
        self, request: web.Request, fragments: Mapping[str, Fragment]
    ) -> web.StreamResponse:
        """Send the fragments as they change, until the browser, the session or the server ends."""
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        sent, shown = _versions_in(request), dict[str, object]()
        with self._listening(fragments) as listener, suppress(ConnectionResetError):
            beats = 0
            while not self._closing:
                listener.changed.clear()
                if await self._send_new(request, response, fragments, sent, shown):
                    await response.write(_BEAT)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._beat_seconds):
                        await listener.changed.wait()
                beats += 1
                if beats % _BEATS_A_CHECK == 0 and not await self._still_alive(request):
                    await response.write(_ENDED)
                    break
        return response

    async def _send_new(
        self,
        request: web.Request,
        response: web.StreamResponse,
        fragments: Mapping[str, Fragment],
        sent: dict[str, str],
        shown: dict[str, object],
    ) -> bool:
        """Send what the browser has not; False where the store could not be read."""
        for name, fragment in fragments.items():
            if fragment.topic not in self._versions:
                await self._look(fragment.topic)
            version = self._versions.get(fragment.topic)
            if fragment.topic in self._unreadable or version is None:
                return False
            if sent.get(name) == version:
                continue
            try:
                part = await fragment.part(request) if fragment.part else version
                if name in shown and shown[name] == part:
                    sent[name] = version
                    continue
                html = await fragment.render(request)
            except StoreUnavailable:
                return False
            sent[name], shown[name] = version, part
            await response.write(_event(name, html, sent))
        return True

    async def _look(self, name: str) -> None:
        try:
            value = await self._topics[name].look()
        except Exception as error:
            # A fault in one page's look must stop neither the other pages nor the server.
            if name not in self._unreadable:
                log.warning("%s is not live: %s", name, error, exc_info=not _is_away(error))
            self._unreadable.add(name)
            return
        self._unreadable.discard(name)
        self._seen[name] = value
        version = blake2s(repr(value).encode(), digest_size=6).hexdigest()
        if self._versions.get(name) != version:
            self._versions[name] = version
            for listener in self._listeners:
                if name in listener.topics:
                    listener.changed.set()

    def _looked_at(self) -> list[str]:
        heard = {name for listener in self._listeners for name in listener.topics}
        return [
            name
            for name, topic in self._topics.items()
            if name in heard or topic.is_always_looked_at
        ]

    async def _still_alive(self, request: web.Request) -> bool:
        try:
            return await self._is_alive(request)
        except StoreUnavailable:
            return True  # nobody knows; the next check will

    @contextmanager
    def _listening(self, fragments: Mapping[str, Fragment]) -> Iterator[_Listener]:
        listener = _Listener(frozenset(fragment.topic for fragment in fragments.values()))
        for name in listener.topics - set(self._looked_at()):
            self._versions.pop(name, None)  # nobody has looked for a while
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)


async def ended(request: web.Request) -> web.StreamResponse:
    """A stream for who has no session: it only says so."""
    response = web.StreamResponse(headers=_HEADERS)
    await response.prepare(request)
    with suppress(ConnectionResetError):
        await response.write(_ENDED)
    return response


def is_stream(request: web.Request) -> bool:
    """Whether a browser opens a stream, which is no sign that somebody sits before it."""
    return "text/event-stream" in request.headers.get("Accept", "")


def _is_away(error: Exception) -> bool:
    return isinstance(error, StoreUnavailable)


def _versions_in(request: web.Request) -> dict[str, str]:
    """What the browser was sent last: "figures=5f0c,agents=91aa"."""
    last: str = request.query.get("last") or request.headers.get("Last-Event-ID") or ""
    pairs = (pair.partition("=") for pair in last.split(","))
    return {name: version for name, _, version in pairs if version}


def _event(name: str, html: str, sent: Mapping[str, str]) -> bytes:
    identity = ",".join(f"{name}={version}" for name, version in sent.items())
    data = "".join(f"data: {line}\n" for line in html.splitlines() or [""])
    return f"id: {identity}\nevent: {name}\n{data}\n".encode()
