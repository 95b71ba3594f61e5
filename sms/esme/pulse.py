"""Whether the peer still lives: silence, the question, the verdict. Pure."""

from enum import Enum, auto


class Verdict(Enum):
    """What is to be done about the silence."""

    ALIVE = auto()
    ASK = auto()
    DEAD = auto()


class Pulse:
    """Any byte from the peer proves life, an answer to the question no more than others.

    Args:
        after: seconds of silence before the question.
        patience: seconds from the question to the verdict.
    """

    def __init__(self, after: float, patience: float, now: float) -> None:
        self._after = after
        self._patience = patience
        self._heard_at = now
        self._asked_at: float | None = None

    def heard(self, now: float) -> None:
        """Bytes have come."""
        self._heard_at = now
        self._asked_at = None

    def check(self, now: float) -> Verdict:
        """Judge the silence; `ASK` comes once a silence."""
        if self._asked_at is not None:
            return Verdict.DEAD if now - self._asked_at >= self._patience else Verdict.ALIVE
        if now - self._heard_at < self._after:
            return Verdict.ALIVE
        self._asked_at = now
        return Verdict.ASK

    def postpone(self, seconds: float) -> None:
        """Leave out a time in which nobody listened."""
        self._heard_at += seconds
        if self._asked_at is not None:
            self._asked_at += seconds
