"""Submits that wait for an answer, and the sequence numbers of one connection. Pure."""

LAST_SEQUENCE = 0x7FFFFFFF
"""SMPP 3.4 §3.2: numbers run from 1 to here, then begin again."""
MOST_GIVEN_UP = 4096
"""Of the submits whose time is up, so many are still known by their numbers, the latest."""


class Pending:
    """Sequence numbers in use, each with its submit and the time by which an answer must come.

    All submits wait equally long, so the oldest deadline is always the first.
    """

    def __init__(self, first: int = 1) -> None:
        self._next = first
        self._waiting: dict[int, tuple[int, float]] = {}
        self._given_up: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def number(self) -> int:
        """A sequence number that nothing waits under."""
        number = self._next
        while number in self._waiting:
            number = number + 1 if number < LAST_SEQUENCE else 1
        self._next = number + 1 if number < LAST_SEQUENCE else 1
        return number

    def add(self, sequence: int, ref: int, deadline: float) -> None:
        """Wait for the answer to `sequence` until `deadline`."""
        self._given_up.pop(sequence, None)  # the numbers have begun again
        self._waiting[sequence] = (ref, deadline)

    def take(self, sequence: int) -> int | None:
        """The submit that this answer belongs to, which waits no more; None: no such one."""
        found = self._waiting.pop(sequence, None)
        return None if found is None else found[0]

    def take_late(self, sequence: int) -> int | None:
        """The submit that this answer belongs to, once, though it had expired; None: none such."""
        return self._given_up.pop(sequence, None)

    def expired(self, now: float) -> list[int]:
        """The submits whose time is up; they wait no more."""
        late = []
        for sequence, (_, deadline) in self._waiting.items():
            if deadline > now:
                break
            late.append(sequence)
        refs = [self._waiting.pop(sequence)[0] for sequence in late]
        self._given_up.update(zip(late, refs, strict=True))
        for oldest in list(self._given_up)[:-MOST_GIVEN_UP]:
            del self._given_up[oldest]
        return refs

    def all(self) -> list[int]:
        """All submits, oldest first; they wait no more."""
        refs = [ref for ref, _ in self._waiting.values()]
        self._waiting.clear()
        return refs

    def postpone(self, seconds: float) -> None:
        """Give all of them so much longer."""
        for sequence, (ref, deadline) in self._waiting.items():
            self._waiting[sequence] = (ref, deadline + seconds)
