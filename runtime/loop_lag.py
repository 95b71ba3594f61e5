"""How late the event loop is: what blocks it makes every caller wait. I/O."""

import asyncio

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
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LOOK_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
            self.lags.add(max(0.0, loop.time() - due))
