"""What a rehearsal tells: its hours, and the whole. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dialer.rehearsal_carrier import Ending


@dataclass(slots=True)
class Hour:
    """What one hour brought; `channels` is the most that were in use at once.

    `factor` is the lowest that the brake left of the rate.
    """

    at: datetime
    calls: int = 0
    answered: int = 0
    registered: int = 0
    transfers: int = 0
    channels: int = 0
    factor: float = 1.0


@dataclass(slots=True)
class Dialled:
    """How it went. Every target is `done`, `waiting` or `closed`: its phase ended before.

    Attributes:
        finished_at: when no target was left to dial; None: not within the hours rehearsed.
        promised: call-backs promised (key 1, or key 3 without an agent), by minute.
        talks: talks with an agent after key 3, by the minute in which they began.
        most_attempts: of any target.
        slowed_seconds: how long the brake slowed the dialling, within its windows.
    """

    finished_at: datetime | None
    done: int
    waiting: int
    closed: int
    hours: Sequence[Hour]
    endings: Mapping[Ending, int]
    promised: Mapping[datetime, int]
    talks: Mapping[datetime, int]
    most_attempts: int
    slowed_seconds: float
