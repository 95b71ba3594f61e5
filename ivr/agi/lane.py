"""What is to be played on one channel, one sound after the other. I/O.

A lane outlives the sessions that play it: a channel that comes back, to us or to the process after
us, goes on with what waits.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.clock import Clock
from ivr.agi.errors import AgiError
from ivr.agi.key_ledger import KeyLedger
from ivr.agi.session import AgiSession
from ivr.call_events import CallEvent, KeyReceived, PlaybackFinished, PlaybackStarted

_UNTIMED_MS = 100
"""AGI does not tell how long a key was held."""


@dataclass(eq=False)
class _Playback:
    id: str
    files: Sequence[str]
    stoppers: str
    stopped: bool = False


class Lane:
    """One channel's sounds. `emit` gets what becomes of them, and keys that ended one."""

    def __init__(self, channel_id: str, emit: Callable[[CallEvent], None], clock: Clock) -> None:
        self.channel_id = channel_id
        self.keys = KeyLedger()
        self._emit = emit
        self._clock = clock
        self._waiting: deque[_Playback] = deque()
        self._current: _Playback | None = None
        self._more = asyncio.Event()
        self._session: AgiSession | None = None

    @property
    def has_session(self) -> bool:
        """Whether the channel waits for our commands now."""
        return self._session is not None

    def play(self, playback_id: str, files: Sequence[str], stoppers: str) -> None:
        """Play files after those before them."""
        self._waiting.append(_Playback(playback_id, files, stoppers))
        self._more.set()

    def stop(self, playback_id: str) -> bool:
        """Silence a playback, or play none of it; False if it is over."""
        if self._current is not None and self._current.id == playback_id:
            self._current.stopped = True
            if self._session is not None:
                self._session.interrupt()
            return True
        for playback in self._waiting:
            if playback.id == playback_id:
                playback.stopped = True
                return True
        return False

    async def serve(self, session: AgiSession) -> None:
        """Play on this session until it ends; the channel has left the one before."""
        if self._session is not None:
            self._session.close()
        self._session = session
        playing = asyncio.create_task(self._play_all(session))
        try:
            await session.read()
        except AgiError:
            pass  # each session ends so: what it means for the call, AMI tells
        finally:
            session.close()
            if self._session is session:
                self._session = None
            playing.cancel()
            await asyncio.wait({playing})

    async def _play_all(self, session: AgiSession) -> None:
        while True:
            while not self._waiting:
                self._more.clear()
                await self._more.wait()
            self._current = playback = self._waiting.popleft()
            state = "failed"
            try:
                await self._play_one(session, playback)
                state = "done"
            except AgiError:
                return
            finally:
                self._current = None
                finished = PlaybackFinished(playback.id, self.channel_id, self._clock(), state)
                self._emit(finished)

    async def _play_one(self, session: AgiSession, playback: _Playback) -> None:
        for file in playback.files:
            await session.settled()
            if playback.stopped:
                return
            self.keys.begin_sound()
            self._emit(PlaybackStarted(playback.id, self.channel_id, self._clock()))
            key = await session.play(file, playback.stoppers)
            if key:
                self._key(key)
                return

    def _key(self, key: str) -> None:
        """Before the end of the sound it ended: the script takes it for a key in that sound."""
        if self.keys.told_by_agi(key):
            self._emit(KeyReceived(self.channel_id, key, self._clock(), _UNTIMED_MS))
