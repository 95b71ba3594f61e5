"""The FastAGI server, and the lanes of all channels it plays on. I/O."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence

from domain.clock import Clock
from domain.errors import ConfigError
from ivr.agi.errors import AgiError
from ivr.agi.lane import Lane
from ivr.agi.session import AgiSession
from ivr.call_events import CallEvent, ChannelEntered, KeyReceived, PlaybackFinished

log = logging.getLogger(__name__)


class Lanes:
    """One lane a live call. `emit` gets what happens on them."""

    def __init__(self, clock: Clock) -> None:
        self.emit: Callable[[CallEvent], None] = _to_nobody
        self._clock = clock
        self._by_channel: dict[str, Lane] = {}
        self._by_playback: dict[str, Lane] = {}
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> None:
        """Open the port. Raises ConfigError where it is taken, as by a second server."""
        try:
            self._server = await asyncio.start_server(self._connected, host, port, backlog=1024)
        except OSError as error:
            raise ConfigError(
                f"port {port} for FastAGI cannot be opened ({error.strerror}): does another server"
                " run, or set [ivr] agi_port"
            ) from error

    async def close(self) -> None:
        """Close the port and the sessions: their channels wait for the next server."""
        self.emit = _to_nobody
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def open(self, channel_id: str) -> Lane:
        """The lane of a live channel, a new one where there is none."""
        lane = self._by_channel.get(channel_id)
        if lane is None:
            lane = self._by_channel[channel_id] = Lane(channel_id, self._told, self._clock)
        return lane

    def get(self, channel_id: str) -> Lane | None:
        """The lane of a channel that is known to live."""
        return self._by_channel.get(channel_id)

    def forget(self, channel_id: str) -> None:
        """The channel is over."""
        self._by_channel.pop(channel_id, None)

    def keep_only(self, channel_ids: Collection[str]) -> None:
        """After a gap in AMI's events: these channels live, and what was not told will not be."""
        for gone in self._by_channel.keys() - set(channel_ids):
            self.forget(gone)
        for lane in self._by_channel.values():
            lane.keys.lost_ami()

    def play(self, lane: Lane, playback_id: str, files: Sequence[str], stoppers: str) -> None:
        """Play files on a lane, after those before them."""
        self._by_playback[playback_id] = lane
        lane.play(playback_id, files, stoppers)

    def playing(self, playback_id: str) -> Lane | None:
        """The lane of a playback that is not over."""
        return self._by_playback.get(playback_id)

    def is_news(self, event: CallEvent) -> bool:
        """Whether what AMI tells was not told by AGI before."""
        lane = self._by_channel.get(event.channel_id)
        if lane is None or not isinstance(event, KeyReceived):
            return True
        return lane.keys.told_by_ami(event.digit)

    def _told(self, event: CallEvent) -> None:
        if isinstance(event, PlaybackFinished):
            self._by_playback.pop(event.playback_id, None)
        self.emit(event)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(AgiSession(reader, writer)))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, session: AgiSession) -> None:
        try:
            await session.greet()
            lane = self.open(session.channel_id)
            name = session.env.get("agi_channel", "")
            self.emit(ChannelEntered(session.channel_id, self._clock(), session.args, name))
            await lane.serve(session)
        except AgiError as error:
            log.warning("%s", error)
        finally:
            session.close()


def _to_nobody(event: CallEvent) -> None:
    """Before somebody listens, and after."""
