"""How long somebody waited: the last waits for an operator, all of them for a graph. Pure."""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

_KEPT = 5000
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds that part the waits of a histogram; those beyond the last one are counted too."""


@dataclass
class Latency:
    """The last few thousand waits, in seconds, and how long all of them were.

    Attributes:
        counts: of all waits since the start, those up to each of BOUNDS and not to the one before,
            then those beyond the last.
        total: the sum of all waits.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0
    _waits: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def add(self, seconds: float) -> None:
        """Count one wait."""
        self._waits.append(seconds)
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def summary(self) -> dict[str, float]:
        """`count` of the waits kept, and their p50, p99 and longest in milliseconds."""
        ordered = sorted(self._waits)
        if not ordered:
            return {"count": 0, "p50_ms": 0.0, "p99_ms": 0.0, "max_ms": 0.0}
        return {
            "count": len(ordered),
            "p50_ms": _at(ordered, 0.50),
            "p99_ms": _at(ordered, 0.99),
            "max_ms": _at(ordered, 1.0),
        }


def _at(ordered: Sequence[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)
