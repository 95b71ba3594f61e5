"""Reads what the intake has stored, as soon as it is there. I/O."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from domain.clock import Clock
from domain.errors import StoreUnavailable
from sms.answering import answer_texts, set_aside
from sms.setting import TextSetting
from sms.tally import TextTally
from store.engine import Store

log = logging.getLogger(__name__)

_AT_ONCE = 200
_FEW, _GATHER_SECONDS = 50, 0.03
"""After so few, a pause: more are read at once then, and the intake has the store meanwhile."""
_LOOK_SECONDS = 1.0
"""How often to look without being told: parts that have waited enough, texts of another node."""
_STORE_AWAY_SECONDS = 1.0


class Reader:
    """Answers texts while `run` runs. `answered` is called when replies may wait to be sent."""

    def __init__(
        self,
        store: Store,
        setting: TextSetting,
        clock: Clock,
        answered: Callable[[], None],
        tally: TextTally,
    ) -> None:
        self._store = store
        self._setting = setting
        self._clock = clock
        self._answered = answered
        self._tally = tally
        self._stirred = asyncio.Event()

    def stir(self) -> None:
        """There is something to read."""
        self._stirred.set()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            self._stirred.clear()
            try:
                while count := await self._read(_AT_ONCE):
                    if count < _FEW:
                        await asyncio.sleep(_GATHER_SECONDS)
            except StoreUnavailable as error:
                log.warning("no texts are read: %s", error)
                await asyncio.sleep(_STORE_AWAY_SECONDS)
            except Exception:
                log.exception("fault at reading texts, they are read one by one")
                await self._read_singly()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._stirred.wait()

    async def _read(self, limit: int) -> int:
        seen = await self._store.write(answer_texts, self._setting, self._clock(), limit)
        if seen:
            self._tally.read(seen, self._clock())
            self._answered()
        return len(seen)

    async def _read_singly(self) -> None:
        """One text that can't be read must not hold up the others: it is set aside."""
        for _ in range(_AT_ONCE):
            try:
                if not await self._read(1):
                    return
            except StoreUnavailable:
                return
            except Exception:
                log.exception("a text is set aside, nobody can read it")
                try:
                    await self._store.write(set_aside, self._setting, self._clock())
                except StoreUnavailable:  # it is the first again when the store is back
                    return
