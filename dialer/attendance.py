"""Puts agents off duty who are not there any more: nobody is rung or counted who has left. I/O."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from dialer.braking import Tick
from domain.clock import Clock
from store import absence
from store.engine import Store

log = logging.getLogger(__name__)

_EVERY_SECONDS = 5.0


class Attendance:
    """Looks for agents whose sessions are over; `idle` is how long a session lasts unused."""

    def __init__(self, store: Store, idle: timedelta, clock: Clock) -> None:
        self._store = store
        self._idle = idle
        self._clock = clock

    def ticks(self) -> Sequence[Tick]:
        """The name, the work, and the seconds between two looks."""
        return (("attendance", self.send_off, _EVERY_SECONDS),)

    async def send_off(self) -> None:
        """Each in a transaction of its own, harmless when another node does it too."""
        now = self._clock()
        for agent in await self._store.read(absence.absent, now, self._idle):
            if await self._store.write(absence.send_off, agent, now, self._idle):
                log.warning("agent %d is off duty now: no session, and no call", agent)
