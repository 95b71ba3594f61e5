"""How many texts a bind claims ahead of its link: no more than it writes in a moment. Pure.

What is claimed and not written yet when the process is killed can't be told from what was written,
and counts as unknown. So a claim runs ahead only as far as the window needs to stay full while the
next claim is committed.
"""

from domain.pacing import Monotonic

AHEAD_SECONDS = 0.1
"""So long the texts at hand last; half of it is far longer than a claim takes."""


class ClaimSize:
    """Sized by what was written within the last AHEAD_SECONDS, and by the room there is.

    Args:
        most: texts in one claim, at most.
    """

    def __init__(self, most: int, now: Monotonic) -> None:
        self._most = most
        self._now = now
        self._since = now()
        self._written = 0
        self._before = 0.0

    def written(self) -> None:
        """One text is on its way."""
        self._turn()
        self._written += 1

    def is_due(self, at_hand: int) -> bool:
        """Whether to claim, with so many texts that are claimed and not written."""
        return at_hand <= self._ahead() / 2

    def size(self, room: int, at_hand: int) -> int:
        """How many to claim, with room to write so many at once; at least one."""
        return max(1, min(self._most, room + round(self._ahead()) - at_hand))

    def _ahead(self) -> float:
        self._turn()
        return max(self._written, self._before)

    def _turn(self) -> None:
        """Begin to count anew every AHEAD_SECONDS; the last count is kept, by the same time."""
        seconds = self._now() - self._since
        if seconds >= AHEAD_SECONDS:
            self._before = self._written * AHEAD_SECONDS / seconds
            self._written, self._since = 0, self._now()
