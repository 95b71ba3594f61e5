"""What the agent's desk is told at start. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from console.agent_words import AgentWords
from console.phone_line import PhoneLine
from console.places import Places
from domain.calendar import Calendar
from store.consent import OptedOut
from store.outbox import Post

Confirmation = Callable[[OptedOut], Post | None]
"""Makes the text that confirms a refusal; None where no text can be sent."""


@dataclass(frozen=True, slots=True)
class DeskSetting:
    """Hours, the lease of a claim, and what is said; `line` is None where there are no phones."""

    hours: Calendar
    lease: timedelta
    at_risk: timedelta
    words: AgentWords
    places: Places
    line: PhoneLine | None
    confirm_refusal: Confirmation
