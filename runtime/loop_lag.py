"""How late the event loop is: what blocks it makes every caller wait. I/O."""

import asyncio
from time import monotonic

from domain.latency import Latency

_LOOK_SECONDS = 0.25


class LoopLag:
    """Looks four times a second while `run` runs.

    Attributes:
        lags: how late each look was.
    """

    def __init__(self) -> None:
        self.lags = Latency()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            due = monotonic() + _LOOK_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
            self.lags.add(max(0.0, monotonic() - due))
