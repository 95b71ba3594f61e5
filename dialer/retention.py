"""The daily retention: what the periods of the settings are over for is taken out, gently. I/O.

It works a little and rests nine times as long, so that a server that is dialling has most of the
database for itself. Nothing is remembered: a run that was cut off is simply begun again.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import date, time
from math import inf
from time import monotonic

from sqlalchemy import Connection

from dialer.braking import Tick
from domain.clock import Clock, to_local
from store import audit, retention
from store.audit import Act
from store.engine import Store
from store.overdue import OVERDUE, TARGETS_OVER, Before, Overdue, Periods, RowId
from store.personal import ATTEMPTS

log = logging.getLogger(__name__)

NOT_BEFORE = time(1)
"""The local time of day from which the day's run may begin: nobody is called at night."""
_REST = 9.0
_LEAST_REST_SECONDS = 0.05
_PART_SECONDS, _TICK_SECONDS = 240.0, 300.0
"""A tick that takes longer counts as one that hangs."""


class Retention:
    """Takes out what is overdue; `key` is law.erasure_key, for the refusals."""

    def __init__(self, store: Store, periods: Periods, key: str, clock: Clock) -> None:
        self._store = store
        self._periods = periods
        self._key = key
        self._clock = clock
        self._done_on: date | None = None

    def ticks(self) -> Sequence[Tick]:
        """The name, the work, and the seconds between two looks at the clock."""
        return (("retention", self.daily, _TICK_SECONDS),)

    async def daily(self) -> None:
        """One run a local day, in parts of some minutes. A day whose run fails is tried again."""
        local = to_local(self._clock())
        if local.date() == self._done_on or local.time() < NOT_BEFORE:
            return
        taken, is_whole = await self._run("tstn serve", _PART_SECONDS)
        if is_whole:
            self._done_on = local.date()
        if taken:
            log.info("retention: taken out of %s", ", ".join(f"{t} {n}" for t, n in taken.items()))

    async def run(self, by: str) -> dict[str, int]:
        """Take out all that is overdue now; give the rows by table.

        The audit has the beginning and the end of a run that takes anything out. Raises InputError
        where refusals are to be kept and there is no key.
        """
        taken, _ = await self._run(by, inf)
        return taken

    async def _run(self, by: str, most_seconds: float) -> tuple[dict[str, int], bool]:
        """The same for so long; and whether nothing overdue is left."""
        taken: Counter[str] = Counter()
        before, until, is_whole = self._before(), monotonic() + most_seconds, True
        async with aclosing(self._found(before)) as found:
            async for overdue, ids in found:
                began = monotonic()
                if began >= until:
                    is_whole = False
                    break
                taken.update(await self._store.write(_step, overdue, ids, before, self._key, by))
                await asyncio.sleep(max(_LEAST_REST_SECONDS, _REST * (monotonic() - began)))
                by = ""  # the audit has it now
        rows = {name: count for name, count in taken.items() if count}
        if rows:
            end = Act("retention_ended", None, data={"rows": rows, "is_whole": is_whole})
            await self._store.write(audit.add, end, self._clock())
        return rows, is_whole

    async def count(self) -> dict[str, int]:
        """What a run would take out now, by table; nothing is written."""
        counts: Counter[str] = Counter()
        async for overdue, ids in self._found(self._before()):
            counts[overdue.name] += len(ids)
            if overdue is TARGETS_OVER:
                counts[ATTEMPTS.name] += await self._store.read(retention.calls_of, ids)
        return {name: count for name, count in counts.items() if count}

    def _before(self) -> Before:
        return self._periods.before(self._clock())

    async def _found(self, before: Before) -> AsyncGenerator[tuple[Overdue, Sequence[RowId]], None]:
        """The overdue rows of each table, a few at a time."""
        for overdue in OVERDUE:
            after: RowId | None = overdue.before_all
            while after is not None:
                seen = await self._store.read(retention.look, overdue, after, before)
                after = seen.after
                if seen.ids:
                    yield overdue, seen.ids


def _step(
    connection: Connection,
    overdue: Overdue,
    ids: Sequence[RowId],
    before: Before,
    key: str,
    by: str,
) -> dict[str, int]:
    """One transaction; the first of a run says in the audit who began it, and what is too old."""
    if by:
        moments = {name: at.isoformat() for name, at in before.items()}
        began = Act("retention_began", None, data={"by": by, **moments})
        audit.add(connection, began, before["now"])
    return retention.take_out(connection, overdue, ids, before, key)
