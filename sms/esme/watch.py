"""The time-outs of a session: one timer looks at them all, and some time does not count. I/O."""

import asyncio
from typing import Protocol

from domain.pacing import Monotonic
from sms.esme.link import Link
from sms.esme.pulse import Pulse, Verdict
from sms.esme.submits import Submits

STALL_SECONDS = 1.0
"""A tick that comes this late means that the whole process stood still."""


class Watched(Protocol):
    """Who is told what time has brought."""

    def stirred(self) -> None:
        """Submits were given up: there is room."""

    def ask(self) -> None:
        """Nothing was heard for long: ask whether the peer lives."""

    def cut(self, why: str) -> None:
        """The peer is not there any more: end now."""


class Watch:
    """Ticks while a session lives.

    An answer that stands unread in the kernel is not late. So the time in which we did not read,
    by choice or because the process stood still, is left out of every time-out.

    Args:
        choke_seconds: how long the peer may leave unread what we write.
    """

    def __init__(
        self,
        watched: Watched,
        link: Link,
        pulse: Pulse,
        submits: Submits,
        *,
        tick_seconds: float,
        choke_seconds: float,
        now: Monotonic,
    ) -> None:
        self._watched = watched
        self._link = link
        self._pulse = pulse
        self._submits = submits
        self._tick_seconds = tick_seconds
        self._choke_seconds = choke_seconds
        self._now = now
        self._looked_at = now()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to tick; needs a running loop."""
        self._looked_at = self._now()
        self._again()

    def stop(self) -> None:
        """Tick no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._tick_seconds, self._tick)

    def _tick(self) -> None:
        self._again()  # first: what follows may end the session, and stop us
        now = self._now()
        passed, self._looked_at = now - self._looked_at, now
        stalled = passed >= self._tick_seconds + STALL_SECONDS
        if self._link.has_listened() and not stalled:
            self._look(now)
        else:
            self._submits.postpone(passed)
            self._pulse.postpone(passed)
            choked_at = self._link.choked_at
            if choked_at is not None and not stalled and now - choked_at >= self._choke_seconds:
                self._watched.cut("the SMSC does not read what we send")

    def _look(self, now: float) -> None:
        if self._submits.expire(now):
            self._watched.stirred()
        verdict = self._pulse.check(now)
        if verdict is Verdict.ASK:
            self._watched.ask()
        elif verdict is Verdict.DEAD:
            self._watched.cut("the SMSC has fallen silent")
