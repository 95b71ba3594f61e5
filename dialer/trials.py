"""Dials the calls that somebody asked for to try a script out. I/O.

They take a free channel of the server and its trunk, and their rate from what the engine's calls
may use next. Brakes and an open breaker do not stop them: who looks for a fault must be able to
call.
"""

import asyncio
import logging
from dataclasses import dataclass

from sqlalchemy import Connection

from dialer.capacity import Capacity
from dialer.engine import Originator
from domain.clock import Clock
from domain.errors import StoreUnavailable
from store import attempts, trial_calls
from store.claims import Claimed
from store.engine import Store
from store.locks import lock_claims

log = logging.getLogger(__name__)

_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class TrialSetting:
    """Where the calls go out, and how long one may last."""

    node: str
    trunk: str
    max_call_seconds: int


class Trials:
    """One call at a time is taken, committed, and only then dialled."""

    def __init__(
        self,
        setting: TrialSetting,
        store: Store,
        originator: Originator,
        capacity: Capacity,
        clock: Clock,
    ) -> None:
        self._setting = setting
        self._store = store
        self._originator = originator
        self._capacity = capacity
        self._clock = clock

    async def run(self) -> None:
        """Look twice a second, until cancelled; a dial that has begun is then waited for."""
        while True:
            looking = asyncio.create_task(self._tick_safely())
            try:
                await asyncio.shield(looking)
            finally:
                await asyncio.wait({looking})
            await asyncio.sleep(_EVERY_SECONDS)

    async def tick(self) -> None:
        """Dial the next call that is asked for. Raises StoreUnavailable."""
        if self._originator.ready and await self._store.read(trial_calls.is_asked):
            attempt = await self._store.write(self._take)
            if attempt is not None:
                await self._originator.originate(attempt)

    async def _tick_safely(self) -> None:
        try:
            await self.tick()
        except StoreUnavailable as error:
            log.warning("no test call: %s", error)

    def _take(self, connection: Connection) -> Claimed | None:
        lock_claims(connection)
        in_use = attempts.open_channels(connection) | trial_calls.open_channels(connection)
        if self._capacity.free(self._setting.trunk, in_use) < 1:
            return None
        taken = trial_calls.take(
            connection,
            self._setting.node,
            self._setting.trunk,
            self._setting.max_call_seconds,
            self._clock(),
        )
        if taken is not None:
            self._capacity.take_shared(self._setting.trunk)
        return taken
