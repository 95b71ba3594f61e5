"""The agents of a rehearsal: who presses 3 is taken by the first of them who is free. Pure."""

from collections import Counter, deque
from datetime import datetime

from domain.calendar import Calendar

_MINUTE = 60.0


class Agents:
    """So many agents inside their hours; callers wait `wait_seconds` for one at most.

    Times are seconds since the start, and come in order.

    Attributes:
        talks: by the minute in which they began.
    """

    def __init__(
        self,
        count: int,
        hours: Calendar,
        start: datetime,
        *,
        wait_seconds: float = 60.0,
        talk_seconds: float = 180.0,
    ) -> None:
        self.count = count
        self.talks: Counter[int] = Counter()
        self._wait = wait_seconds
        self._talk = talk_seconds
        self._spans = deque(
            ((opens - start).total_seconds(), (closes - start).total_seconds())
            for opens, closes in hours.open_spans(start)
        )
        self._busy: deque[float] = deque()
        self._channels: deque[float] = deque()
        self._waiting: deque[float] = deque()

    def ask(self, at: float) -> bool:
        """Somebody presses 3; False: no agent comes, and a call-back is promised."""
        if not self.count or not self._is_open(at):
            self._channels.appendleft(at)
            return False
        while self._busy and self._busy[0] <= at:
            self._busy.popleft()
        begins = at if len(self._busy) < self.count else self._busy[0]
        if begins > at + self._wait:
            self._waiting.append(at + self._wait)
            return False
        if begins > at:
            self._busy.popleft()
        self._busy.append(begins + self._talk)
        self._channels.append(begins + self._talk)
        self.talks[int(begins // _MINUTE)] += 1
        return True

    def release(self, now: float) -> int:
        """How many channels of those who asked have come free by now."""
        count = 0
        for queue in (self._channels, self._waiting):
            while queue and queue[0] <= now:
                queue.popleft()
                count += 1
        return count

    def first_release(self) -> float | None:
        """When the next one comes free; None: none is held."""
        return min((queue[0] for queue in (self._channels, self._waiting) if queue), default=None)

    def _is_open(self, at: float) -> bool:
        while self._spans and self._spans[0][1] <= at:
            self._spans.popleft()
        return bool(self._spans) and self._spans[0][0] <= at
