"""The queue of key 3 as others see it. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class QueueView:
    """How many subscribers wait for a 9090 agent, and how many agents are free, at a moment."""

    waiting: int
    free_agents: int
    at: datetime
