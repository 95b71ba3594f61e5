"""The real recovery of a node over `tests.fates`: what is live, what has ended unseen. I/O."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain.dispositions import Disposition
from ivr.call_setting import CallSetting
from ivr.recovery import reap, reconcile
from ivr.session import LiveCall
from store.apply import apply
from store.engine import Store
from store.facts import Fact, Kept
from tests.dialling import settled
from tests.fates import FatefulCarrier
from tests.rows import BY_NINE


@dataclass(frozen=True)
class _Channel:
    """A call that Asterisk has still; it is in the dialplan's hands."""

    id: str
    state: str = "Up"
    held: bool = False


class Node:
    """Stands in for the node's live calls and for its Asterisk, as far as recovery asks them."""

    def __init__(
        self, name: str, store: Store, carrier: FatefulCarrier, clock: Callable[[], datetime]
    ) -> None:
        self.calls: dict[str, LiveCall] = {}
        self.late: dict[str, LiveCall] = {}
        self.call_setting = CallSetting(
            control=None,  # type: ignore[arg-type] - no call is steered here
            record=self._record,
            media=lambda version, names: names,
            over=lambda channel_id: None,
            silence_seconds=5,
            clock=clock,
        )
        self._name = name
        self._store = store
        self._carrier = carrier

    async def recover(self) -> None:
        """A new process compares what Asterisk has with the open attempts."""
        self.calls = {}
        live = {name: _Channel(name) for name in self._live()}
        await reconcile(self._name, live, self, self._store, self)  # type: ignore[arg-type]
        await settled()

    async def reap(self) -> None:
        """Attempts past their deadline are closed."""
        await reap(self._name, self, self._store, self)  # type: ignore[arg-type]
        await settled()

    # -- what recovery asks

    def adopt(self, call: LiveCall) -> None:
        self.calls[call.channel_id] = call

    async def hang_up(self, channel_id: str) -> None:
        for dial in self._carrier.open:
            if str(dial.attempt.attempt_id) == channel_id:
                self._carrier.drop(dial, Disposition.NO_ANSWER)

    async def subscribe(self, channel_id: str) -> bool:
        return True

    async def channel(self, channel_id: str) -> _Channel | None:
        return _Channel(channel_id) if channel_id in self._live() else None

    def _live(self) -> set[str]:
        return {str(dial.attempt.attempt_id) for dial in self._carrier.open}

    def _record(self, fact: Fact) -> asyncio.Future[Kept]:
        async def write() -> Kept:
            await self._store.write(apply, [fact], BY_NINE)
            return Kept.COMMITTED

        return asyncio.ensure_future(write())
