"""The console's phone line: the agents' calls of this server's Asterisk. I/O."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from console.phone_line import LineState, Progress
from ivr import agent_call_setting
from ivr.agent_call_setting import AgentCall
from ivr.agent_calls import AgentCalls


class AgentsLine:
    """Fulfils the console's PhoneLine."""

    def __init__(self, calls: AgentCalls) -> None:
        self.node = calls.setting.node
        self._calls = calls

    async def place(self, call_id: UUID, phone: str, msisdn: str, started_at: datetime) -> bool:
        """Ring the agent's phone, then the subscriber. False: it can't ring, the row was closed."""
        return await self._calls.place(AgentCall(call_id, phone, msisdn, started_at))

    async def hang_up(self, call_id: UUID) -> bool:
        """End both legs; False where the call is over."""
        return await self._calls.hang_up(call_id)

    def state(self, call_id: UUID) -> Progress | None:
        """How a live call stands; None once its row has the end."""
        progress = self._calls.state(call_id)
        return None if progress is None else _shown(progress)

    async def changes(self) -> AsyncIterator[Progress]:
        """Every change of every call, from now on."""
        async for progress in self._calls.changes():
            yield _shown(progress)


def _shown(given: agent_call_setting.Progress) -> Progress:
    state = LineState(given.state.value)
    return Progress(given.call_id, state, given.at, given.agent, given.subscriber)
