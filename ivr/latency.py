"""How long subscribers waited, over the last calls. Pure."""

from collections import deque
from dataclasses import dataclass, field

_KEPT = 5000


@dataclass
class Latency:
    """The last few thousand waits, in seconds."""

    _waits: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def add(self, seconds: float) -> None:
        """Count one wait."""
        self._waits.append(seconds)

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


def _at(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)
