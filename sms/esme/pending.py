"""Submits that wait for an answer, and the sequence numbers of one connection. Pure."""

LAST_SEQUENCE = 0x7FFFFFFF
"""SMPP 3.4 §3.2: numbers run from 1 to here, then begin again."""


class Pending:
    """Sequence numbers in use, each with its submit and the time by which an answer must come.

    All submits wait equally long, so the oldest deadline is always the first.
    """

    def __init__(self, first: int = 1) -> None:
        self._next = first
        self._waiting: dict[int, tuple[int, float]] = {}

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
        self._waiting[sequence] = (ref, deadline)

    def take(self, sequence: int) -> int | None:
        """The submit that this answer belongs to, which waits no more; None: no such one."""
        found = self._waiting.pop(sequence, None)
        return None if found is None else found[0]

    def expired(self, now: float) -> list[int]:
        """The submits whose time is up; they wait no more."""
        late = []
        for sequence, (_, deadline) in self._waiting.items():
            if deadline > now:
                break
            late.append(sequence)
        return [self._waiting.pop(sequence)[0] for sequence in late]

    def all(self) -> list[int]:
        """All submits, oldest first; they wait no more."""
        refs = [ref for ref, _ in self._waiting.values()]
        self._waiting.clear()
        return refs

    def postpone(self, seconds: float) -> None:
        """Give all of them so much longer."""
        for sequence, (ref, deadline) in self._waiting.items():
            self._waiting[sequence] = (ref, deadline + seconds)
