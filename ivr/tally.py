"""What this process has seen of calls since its start, counted where it happens. Pure."""

from collections import Counter
from dataclasses import dataclass, field

from domain.dispositions import Disposition


@dataclass
class CallTally:
    """By trunk, by trunk and disposition, by key; `agents` by what came of key 3."""

    originated: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    ended: Counter[tuple[str, Disposition]] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    agents: Counter[str] = field(default_factory=Counter)
