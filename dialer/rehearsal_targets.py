"""The targets of a rehearsal: those due, those that wait for their time, those done. Pure.

Targets of the same history, in places that close at the same time, are a number, not rows. A retry
waits for the next full minute after its time: never less than the rule says. Times are seconds
since the start.
"""

from collections import Counter, deque
from datetime import UTC, datetime
from heapq import heappop, heappush
from math import ceil

from dialer.retry import RetryRules, next_dial
from domain.dispositions import Disposition

History = tuple[int, tuple[tuple[Disposition, int], ...], int | None]
"""How often a target was dialled, how many of these dials came to what, and the minute from which
on it is not dialled any more, as the phase of its place has closed."""

_MINUTE = 60.0
_ANY_MOMENT = datetime(2021, 1, 1, tzinfo=UTC)


class Targets:
    """Judged by the campaign's retry rules.

    Attributes:
        ready: how many may be dialled now.
        done: how many are never dialled again; `closed`, as their phase has closed before. When the
            last of both became so is `last_end`.
        most_attempts: of any target.
    """

    def __init__(self, rules: RetryRules, max_attempts: int, apart_seconds: float = 0.0) -> None:
        """`apart_seconds`: the least from one dial of a number to the next."""
        self.ready = 0
        self.done = 0
        self.closed = 0
        self.last_end = 0.0
        self.most_attempts = 0
        self._rules = rules
        self._max_attempts = max_attempts
        self._apart = apart_seconds
        self._queue: deque[tuple[History, int]] = deque()
        self._due: dict[int, Counter[History]] = {}
        self._minutes: list[int] = []
        self._closing: list[int] = []
        self._judged: dict[tuple[History, Disposition], tuple[float | None, History]] = {}

    @property
    def waiting(self) -> int:
        """How many are not done."""
        return self.ready + sum(each.total() for each in self._due.values())

    @property
    def next_due(self) -> float | None:
        """When more are due; None: none will be."""
        return self._minutes[0] * _MINUTE if self._minutes else None

    def expect(self, history: History, minute: int, count: int) -> None:
        """So many are due at a full minute, if their place is not closed by then."""
        closes = history[2]
        if closes is not None:
            if minute >= closes:
                self._close(closes, count)
                return
            if closes not in self._closing:
                heappush(self._closing, closes)
        if minute not in self._due:
            self._due[minute] = Counter()
            heappush(self._minutes, minute)
        self._due[minute][history] += count

    def bring_due(self, now: float) -> None:
        """Those whose time has come are ready; those whose place has closed are not any more."""
        while self._minutes and self._minutes[0] * _MINUTE <= now:
            come = self._due.pop(heappop(self._minutes))
            self._queue.extend(come.items())
            self.ready += come.total()
        while self._closing and self._closing[0] * _MINUTE <= now:
            self._close_places(heappop(self._closing))

    def _close_places(self, minute: int) -> None:
        """The phase is over of places that close now: whom nobody has reached stays so."""
        late = sum(number for history, number in self._queue if history[2] == minute)
        self._queue = deque(one for one in self._queue if one[0][2] != minute)
        self.ready -= late
        self._close(minute, late)

    def _close(self, minute: int, count: int) -> None:
        self.closed += count
        if count:
            self.last_end = max(self.last_end, minute * _MINUTE)

    def take(self, count: int) -> list[tuple[History, int]]:
        """The ready ones that have waited longest; no more than there are."""
        self.ready -= count
        taken = []
        while count:
            history, number = self._queue.popleft()
            if number > count:
                self._queue.appendleft((history, number - count))
                number = count
            taken.append((history, number))
            count -= number
        return taken

    def settle(self, history: History, came_to: Disposition, began: float, ended: float) -> None:
        """A dial of a target with this history ends so: again later, or done."""
        delay, after = self._judge(history, came_to)
        if after[0] > self.most_attempts:
            self.most_attempts = after[0]
        if delay is not None:
            due = max(ended + delay, began + self._apart)
            self.expect(after, ceil(due / _MINUTE), 1)
        else:
            self.done += 1
            self.last_end = max(self.last_end, ended)

    def _judge(self, history: History, came_to: Disposition) -> tuple[float | None, History]:
        """What the rules say, asked once for each history: seconds from the end, None: no more."""
        known = self._judged.get((history, came_to))
        if known is None:
            known = self._judged[history, came_to] = self._ask(history, came_to)
        return known

    def _ask(self, history: History, came_to: Disposition) -> tuple[float | None, History]:
        made, alike = history[0] + 1, Counter(dict(history[1]))
        alike[came_to] += 1
        due = next_dial(
            self._rules,
            came_to,
            ended_at=_ANY_MOMENT,
            alike=alike[came_to],
            attempts_made=made,
            max_attempts=self._max_attempts,
        )
        after = (made, tuple(sorted(alike.items())), history[2])
        return (None if due is None else (due - _ANY_MOMENT).total_seconds()), after
