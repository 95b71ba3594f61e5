"""Asterisk's REST interface as typed verbs for one Stasis app. I/O.

Verbs on a channel that may have hung up meanwhile answer False instead of raising: 404 (gone), 409
(not in our app) and 412 (not answered) are normal races, not faults.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import orjson

from ivr.ari import resources
from ivr.ari.errors import AriError
from ivr.ari.lane import Lane
from ivr.ari.origination import originate_body
from ivr.ari.resources import Application, Bridge, Channel, NodeInfo
from ivr.ari.transport import LOST, NOT_SENT, AriTransport, EventSocket, reason
from ivr.origination import Endpoint, Originated, Origination, Phone

_GONE = frozenset({404, 409, 412})
# What ARI says of a channel that is there, while the place in the dialplan is not.
_NO_SUCH_LABEL = b"Requested label can not be found"

T = TypeVar("T")


class AriClient:
    """One Asterisk's ARI, for one Stasis app. Make it inside a running event loop.

    Args:
        url: where Asterisk's HTTP server listens, "http://127.0.0.1:8088".
        user, password: of `ari.conf`.
        app: the Stasis app's name.
        timeout_seconds: the longest a request may take, its answer included.

    Every verb but `originate` raises:
        AriUnavailable: no connection, no answer in time, or 503 (still starting).
        AriError: any other answer that no normal race explains.
    """

    def __init__(
        self, url: str, user: str, password: str, app: str, *, timeout_seconds: float = 5.0
    ) -> None:
        self._transport = AriTransport(url, user, password, timeout_seconds)
        self._timeout_seconds = timeout_seconds
        self._lane: Lane | None = None
        self.url = self._transport.url
        self.app = app
        self._app_path = f"/applications/{_segment(app)}"

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
        """Close all connections, the event websocket's too."""
        await self._transport.close()

    async def originate(
        self,
        channel_id: str,
        endpoint: Endpoint | Phone,
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
            status, answer = await self._transport.exchange("POST", f"/channels/{channel_id}", body)
        except NOT_SENT as error:
            return Originated(Origination.REFUSED, None, self._transport.describe(error))
        except LOST as error:
            return Originated(Origination.LOST, None, self._transport.describe(error))
        if status < 300 or status == 409:
            return Originated(Origination.ACCEPTED, status, "")
        return Originated(Origination.REFUSED, status, reason(answer))

    async def play(
        self, channel_id: str, playback_id: str, media: Sequence[str], stoppers: str = ""
    ) -> bool:
        """Play sounds ("sound:tstn/vi-1/notice") in a row, after those already under way.

        Returns False if the channel is gone. The playback id is ours, unique for ever. No key
        stops a playback of ARI; whoever knows the `stoppers` is told of the key and stops it.
        """
        sounds = ",".join(_segment(sound) for sound in media)
        path = f"/channels/{_segment(channel_id)}/play/{_segment(playback_id)}?media={sounds}"
        return await self._act_at_once("POST", path)

    async def play_ringing(self, channel_id: str) -> bool:
        """Let an answered channel hear the ringing tone until told to stop.

        Not a playback: that would hold up what the channel is told next, until it is stopped.
        """
        return await self._act("POST", f"/channels/{_segment(channel_id)}/ring")

    async def stop_ringing(self, channel_id: str) -> bool:
        """End the ringing tone; harmless where there is none."""
        return await self._act("DELETE", f"/channels/{_segment(channel_id)}/ring")

    async def stop_playback(self, playback_id: str) -> bool:
        """Silence a playback; returns False if it is already over."""
        return await self._act_at_once("DELETE", f"/playbacks/{_segment(playback_id)}")

    async def is_playing(self, playback_id: str) -> bool:
        """Whether a playback is not over yet."""
        path = f"/playbacks/{_segment(playback_id)}"
        return await self._find(path, lambda data: bool(data["id"])) is True

    async def hang_up(self, channel_id: str, reason: str = "normal") -> bool:
        """Hang up, in whatever state the channel is; returns False if it is gone.

        Args:
            reason: a word of ARI: normal, busy, congestion, no_answer …
        """
        path = f"/channels/{_segment(channel_id)}?reason={_segment(reason)}"
        return await self._act_at_once("DELETE", path)

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
        status, answer = await self._transport.call("POST", path)
        if status == 404 and _NO_SUCH_LABEL in answer:
            raise AriError(
                f"The dialplan of Asterisk at {self.url} has no label {label!r} at"
                f" {extension}@{context}: run `tstn asterisk render` and reload it",
                status,
            )
        return self._done("POST", path, status, answer)

    async def make_bridge(self, bridge_id: str) -> bool:
        """Make a room in which channels hear each other; one that is there already is kept."""
        return await self._act("POST", f"/bridges/{_segment(bridge_id)}?type=mixing")

    async def join(self, bridge_id: str, channel_id: str) -> bool:
        """Let a channel into the room, once its playback is over.

        Returns False if the channel or the room is gone.
        """
        path = f"/bridges/{_segment(bridge_id)}/addChannel?channel={_segment(channel_id)}"
        status, answer = await self._transport.call("POST", path)
        if status == 400:  # "Channel not found"
            return False
        return self._done("POST", path, status, answer)

    async def drop_bridge(self, bridge_id: str) -> bool:
        """Close the room; who is in it stays in our app. Returns False if it is gone."""
        return await self._act("DELETE", f"/bridges/{_segment(bridge_id)}")

    async def bridges(self) -> list[Bridge]:
        """All rooms of this Asterisk, whoever made them."""
        return await self._get("/bridges", resources.read_bridges)

    async def variable(self, channel_id: str, name: str) -> str | None:
        """A variable of a channel; None where the channel is gone or has no such variable."""
        path = f"/channels/{_segment(channel_id)}/variable?variable={_segment(name)}"
        return await self._find(path, lambda data: str(data["value"]) or None)

    async def channel(self, channel_id: str) -> Channel | None:
        """Look one channel up; None if there is none."""
        return await self._find(f"/channels/{_segment(channel_id)}", resources.read_channel)

    async def channels(self) -> list[Channel]:
        """All live channels of this Asterisk, whoever made them."""
        return await self._get("/channels", resources.read_channels)

    async def info(self) -> NodeInfo:
        """Version, identity and start-up time of this Asterisk."""
        return await self._get("/asterisk/info?only=system,status", resources.read_node_info)

    async def running_modules(self) -> frozenset[str]:
        """The names of the modules that run."""
        return await self._get("/asterisk/modules", resources.read_running_modules)

    async def endpoint_state(self, name: str) -> str | None:
        """ "online", "offline" or "unknown" for a SIP endpoint; None where there is none."""
        return await self._find(
            f"/endpoints/PJSIP/{_segment(name)}", lambda data: str(data["state"])
        )

    async def application(self) -> Application | None:
        """Our app as Asterisk knows it; None while no websocket has registered it."""
        return await self._find(self._app_path, resources.read_application)

    async def subscribe(self, channel_id: str) -> bool:
        """Ask for a channel's events (harmless if they come already); False if it is gone."""
        path = f"{self._app_path}/subscription?eventSource=channel:{_segment(channel_id)}"
        status, answer = await self._transport.call("POST", path)
        if status == 422:  # "event source does not exist"
            return False
        return self._done("POST", path, status, answer)

    async def set_event_filter(self, allowed: Iterable[str]) -> None:
        """Get only these kinds of events. Asterisk forgets the filter when it forgets the app."""
        path = f"{self._app_path}/eventFilter"
        wanted = {"allowed": [{"type": kind} for kind in allowed]}
        status, answer = await self._transport.call("PUT", path, wanted)
        if status >= 300:
            raise self._transport.fault("PUT", path, status, answer)

    async def open_events(self, heartbeat_seconds: float) -> EventSocket:
        """Open the app's event websocket, which registers the app with Asterisk.

        Where another websocket had the app, it is taken over from it (ApplicationReplaced).
        """
        return await self._transport.open_socket(
            f"/events?app={_segment(self.app)}", heartbeat_seconds
        )

    def open_lane(self, socket: EventSocket) -> Lane:
        """Let commands that wait for nothing go by this event websocket, as far as it can.

        Who reads the websocket tells the lane of its answers and of its end.
        """
        self._lane = Lane(socket, self.url, self._timeout_seconds)
        return self._lane

    async def _act_at_once(self, method: str, path: str) -> bool:
        """For the commands of every call; none of them may wait for anything in Asterisk."""
        if self._lane is None or not self._lane.is_open:
            return await self._act(method, path)
        status, answer = await self._lane.call(method, path)
        return self._done(method, path, status, answer)

    async def _act(self, method: str, path: str) -> bool:
        status, answer = await self._transport.call(method, path)
        return self._done(method, path, status, answer)

    def _done(self, method: str, path: str, status: int, answer: bytes) -> bool:
        if status < 300:
            return True
        if status in _GONE:
            return False
        raise self._transport.fault(method, path, status, answer)

    async def _get(self, path: str, read: Callable[[Any], T]) -> T:
        status, answer = await self._transport.call("GET", path)
        if status >= 300:
            raise self._transport.fault("GET", path, status, answer)
        try:
            return read(orjson.loads(answer))
        except (KeyError, TypeError, ValueError) as error:
            where = path.partition("?")[0]
            text = f"Asterisk at {self.url} answered GET {where} in a way we cannot read: {error!r}"
            raise AriError(text, status) from error

    async def _find(self, path: str, read: Callable[[Any], T]) -> T | None:
        try:
            return await self._get(path, read)
        except AriError as error:
            if error.status == 404:
                return None
            raise


def _segment(text: str) -> str:
    return quote(text, safe="")
