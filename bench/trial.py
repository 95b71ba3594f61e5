"""What one run at one rate came to. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Trial:
    """Calls offered at a rate; `done` ended as they should; CPU in milliseconds per call."""

    name: str
    rate: float
    offered: int
    done: int
    started_per_second: float
    asterisk_ms: float
    ours_ms: float
    latencies: dict[str, dict[str, float]]

    @property
    def holds(self) -> bool:
        """No call lost, and the rate kept to within three per cent."""
        return self.done == self.offered and self.started_per_second >= 0.97 * self.rate
