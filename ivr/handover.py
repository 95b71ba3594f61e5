"""Key 3: where the dialplan takes a caller, and what it says when it gives one back. Pure."""

from typing import Protocol

from domain.states import QueueOutcome

GIVEN_BACK = {"no-agent": QueueOutcome.NO_AGENT, "timed-out": QueueOutcome.TIMED_OUT}
"""The dialplan's word for a caller whom no agent has taken."""


class Agents(Protocol):
    """The agents whom key 3 asks for."""

    def refusal(self) -> QueueOutcome | None:
        """Why nobody can be waited for now; None where the subscriber is to be handed over."""


class AgentsBehindAsterisk:
    """Nothing is known of the agents here: Asterisk's own queue says whether there are any."""

    def refusal(self) -> QueueOutcome | None:
        """Always hand over."""
        return None
