"""Counts wrong tokens by address, and tells who is to be turned away for a while. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MOST_WRONG = 20
WITHIN = timedelta(minutes=1)
_MOST_ADDRESSES = 10_000


@dataclass(slots=True)
class Guesses:
    """After MOST_WRONG wrong tokens WITHIN a minute an address is locked until that is over.

    A token that was right before passes all the same: behind a proxy all have one address, and
    nobody may lock the others out.
    """

    _wrong: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    _right: set[str] = field(default_factory=set)

    def is_locked(self, address: str, token_hash: str, now: datetime) -> bool:
        """Whether this token of this address is not even looked at."""
        since, count = self._wrong.get(address, (now, 0))
        return count >= MOST_WRONG and now - since < WITHIN and token_hash not in self._right

    def wrong(self, address: str, token_hash: str, now: datetime) -> None:
        """Count a wrong token; it may have been right before it was revoked."""
        self._right.discard(token_hash)
        since, count = self._wrong.get(address, (now, 0))
        if now - since >= WITHIN:
            since, count = now, 0
        if address not in self._wrong and len(self._wrong) >= _MOST_ADDRESSES:
            for old in list(self._to_forget(now)):
                del self._wrong[old]
        self._wrong[address] = since, count + 1

    def right(self, token_hash: str) -> None:
        """Remember a token that is right."""
        self._right.add(token_hash)

    def _to_forget(self, now: datetime) -> Iterator[str]:
        """The addresses whose time is over, and the one counted for the longest in any case."""
        for place, (address, (since, _)) in enumerate(self._wrong.items()):
            if place == 0 or now - since >= WITHIN:
                yield address
