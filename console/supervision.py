"""What the supervisor's pages need of other parts: the forecast, and two settings. Pure."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

FORECAST_EVERY = timedelta(seconds=10)


class Forecast(Protocol):
    """What becomes of the backlog if the agents who are on duty now stay.

    The three curves share their moments, the first one now: what is still open, and what may be
    open if no call-back is to miss n+1, or its 48 hours.
    """

    @property
    def misses_target(self) -> Collection[int]: ...
    @property
    def misses_promise(self) -> Collection[int]: ...
    @property
    def clears_at(self) -> datetime | None:
        """None: never, with these agents."""

    @property
    def curve(self) -> Sequence[tuple[datetime, int]]: ...
    @property
    def allowed_by_target(self) -> Sequence[int]: ...
    @property
    def allowed_by_promise(self) -> Sequence[int]: ...


class Forecaster(Protocol):
    """Raises StoreUnavailable."""

    async def __call__(self, now: datetime) -> Forecast: ...


@dataclass(slots=True)
class Supervision:
    """The forecast that all pages share, made anew when it is older than FORECAST_EVERY."""

    forecaster: Forecaster
    at_risk: timedelta
    """How long before n+1 a call-back counts as at risk."""
    lease: timedelta
    _made: tuple[datetime, Forecast] | None = field(default=None, init=False)
    _making: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def forecast(self, now: datetime) -> Forecast:
        """The present forecast. It costs a read of the whole queue, so listeners share it."""
        async with self._making:
            if self._made is None or now - self._made[0] >= FORECAST_EVERY:
                self._made = (now, await self.forecaster(now))
            return self._made[1]
