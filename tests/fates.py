"""The dialler's Originator with a fate for each call, and a list of every dial. I/O."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.dispositions import Disposition
from ivr import reports
from store.apply import apply
from store.claims import Claimed
from store.engine import Store
from store.facts import Fact
from tests.rows import BY_NINE

LONGEST_CALL = timedelta(seconds=30 + 300)
"""Asterisk itself ends a call that rings and lasts longer."""


@dataclass(eq=False)
class Dial:
    """One call that the carrier saw; `ended_at` is None while it is in the air."""

    at: datetime
    attempt: Claimed
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    end: Disposition | None = None

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def was_sent(self) -> bool:
        """Whether the subscriber's phone may have rung."""
        return self.end is not Disposition.NOT_DIALLED


class FatefulCarrier:
    """Carries calls out as `fates` say, in turn: None leaves a call open, a disposition ends it.

    `judge` looks at each dial before it is made. While `is_cut_off` the process that dials is dead:
    nothing leaves it.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        judge: Callable[[Claimed], Awaitable[None]],
    ) -> None:
        self.ready = True
        self.is_cut_off = False
        self.dials: list[Dial] = []
        self._fates: deque[Disposition | None] = deque([None])
        self._store = store
        self._now = now
        self._judge = judge
        self._in_turn = asyncio.Lock()

    def set_fates(self, fates: Iterable[Disposition | None]) -> None:
        """What becomes of the next calls; after the last it begins anew."""
        self._fates = deque(fates)

    @property
    def open(self) -> list[Dial]:
        return [dial for dial in self.dials if dial.is_open]

    async def originate(self, attempt: Claimed) -> bool:
        if self.is_cut_off:
            return True
        async with self._in_turn:  # the same calls have the same fates when they are made again
            await self._judge(attempt)
            dial = Dial(self._now(), attempt)
            self.dials.append(dial)
            fate = self._fates[0]
            self._fates.rotate(-1)
            if fate is not None:
                await self.end(dial, fate)
        return fate is not Disposition.NOT_DIALLED

    async def answer(self, dial: Dial, keys: str) -> None:
        """The subscriber picks up and presses keys; what each asks for is committed."""
        now = self._now()
        facts: list[Fact] = []
        if dial.answered_at is None:
            dial.answered_at = now
            facts.append(reports.answered(dial.attempt, now))
        for number, key in enumerate(keys):
            at = now + timedelta(milliseconds=number)
            facts.append(reports.key_pressed(dial.attempt, key, "inviting", at))
            if key == "1":
                facts.append(reports.registration(dial.attempt, at))
            elif key == "3":
                facts.append(reports.advice(dial.attempt, at))
            elif key == "9" and dial.attempt.may_refuse:
                facts.append(reports.refusal(dial.attempt, at))
        await self._store.write(apply, facts, BY_NINE)

    async def end(self, dial: Dial, how: Disposition, at: datetime | None = None) -> None:
        """The call is over, and the store is told."""
        self.drop(dial, how, at)
        await self.tell(dial)

    def drop(self, dial: Dial, how: Disposition, at: datetime | None = None) -> None:
        """The call is over, and nobody has seen it."""
        dial.ended_at = at or self._now()
        dial.end = Disposition.ANSWERED if dial.answered_at is not None else how

    async def tell(self, dial: Dial) -> None:
        """What Asterisk says of the end comes at last."""
        assert dial.end is not None
        assert dial.ended_at is not None
        fact = reports.ended(
            dial.attempt, dial.end, None, None, None, dial.answered_at, dial.ended_at
        )
        await self._store.write(apply, [fact], BY_NINE)

    async def end_long_calls(self) -> None:
        """Asterisk ends what has rung or lasted too long by now."""
        for dial in self.open:
            if dial.at + LONGEST_CALL <= self._now():
                await self.end(dial, Disposition.NO_ANSWER, dial.at + LONGEST_CALL)
