"""Kills the containers of a demo one after the other while its calls run. I/O."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import sleep

from domain.clock import utc_now
from lab.carrier import read_log
from lab.child import POLL_SECONDS
from lab.containers.compose import Compose
from lab.demo_server import Server
from lab.presence import Presence

SEED = 20210326
VICTIMS = ("server", "postgres", "smsc", "asterisk", "carrier", "phones", "server", "postgres")
"""Every service that lasts. The carrier's log and the SMSC's journal, which are the judge, lie in
volumes, and are written before anything is answered.
"""
FIRST_INVITES, APART_INVITES = 18, 18


class Kills:
    """Each kill comes a moment after the carrier has seen so many INVITEs more.

    `health` asks the server, `carrier_log` is a directory. `presence` is right once `run` is over.
    """

    def __init__(self, compose: Compose, health: Server, carrier_log: Path) -> None:
        self.presence = Presence()
        self.done: list[str] = []
        self._compose = compose
        self._health = health
        self._carrier_log = carrier_log
        self._random = Random(SEED)
        self._ready_at: float | None = None

    def run(self, is_over: Callable[[], bool]) -> None:
        """Returns once the demo is over."""
        due = FIRST_INVITES
        while not is_over():
            self._look()
            if len(self.done) < len(VICTIMS) and self._invites() >= due:
                self._kill(VICTIMS[len(self.done)])
                due += APART_INVITES
            sleep(POLL_SECONDS)
        self._server_is_gone()

    def _look(self) -> None:
        """Note when the server begins to listen."""
        if self._ready_at is None and self._health.is_well():
            self._ready_at = _now()

    def _server_is_gone(self) -> None:
        if self._ready_at is not None:
            self.presence.listened.append((self._ready_at, _now()))
        self._ready_at = None

    def _kill(self, victim: str) -> None:
        """kill -9 of its first process, as the kernel does: Docker starts it again."""
        process = self._compose.process(victim)  # takes a second, which is not the kill's
        sleep(self._random.uniform(0, 0.5))  # any moment of a call may be its worst
        if victim == "server":
            self._server_is_gone()
        os.kill(process, signal.SIGKILL)
        if victim == "asterisk":
            self.presence.asterisk_killed.append(_now())
        self.done.append(victim)

    def _invites(self) -> int:
        return sum(event.event == "invite" for event in read_log(self._carrier_log))


def _now() -> float:
    """In the carrier log's epoch seconds."""
    return utc_now().timestamp()
