"""How fast, how many, how soon again: token buckets, channel caps, pauses between tries. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Monotonic = Callable[[], float]
"""Seconds from any fixed point; never goes back."""

_BURST_SECONDS = 0.2
"""A bucket holds at most the tokens of this long, so that a stall is not made up by a flood."""


@dataclass
class TokenBucket:
    """Lets `rate` calls a second pass, evenly. The rate may be changed at any time."""

    rate: float
    now: Monotonic
    _tokens: float = field(default=0.0, init=False)
    _filled_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._filled_at = self.now()

    @property
    def _capacity(self) -> float:
        # Slow rates need room for one whole call and the fraction left over from the last one.
        return max(1.0 + self.rate * _BURST_SECONDS / 2, self.rate * _BURST_SECONDS)

    def available(self) -> int:
        """How many calls may start now."""
        now = self.now()
        self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now
        return int(self._tokens)

    def take(self, count: int) -> None:
        """Spend tokens that `available` offered."""
        self._tokens -= count


def budget(buckets: Iterable[TokenBucket], free_channels: Iterable[int]) -> int:
    """How many calls may start now: every bucket and every channel cap must allow them."""
    return max(0, min([*(bucket.available() for bucket in buckets), *free_channels]))


def retry_delay(failures: int, first: float, longest: float, chance: float) -> float:
    """Seconds to wait after so many failures in a row: doubling, its upper half left to chance.

    Args:
        chance: from 0 up to 1, so that servers that lost the same peer spread out.
    """
    doubled = first * 2.0 ** min(max(failures - 1, 0), 30)
    return min(longest, doubled) * (0.5 + 0.5 * chance)
