"""What a live call needs around it: the control of Asterisk, the journal, the words. Pure."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.clock import Clock
from ivr.handover import Agents, AgentsBehindAsterisk
from ivr.latency import Latency
from store.facts import Fact, Kept


class CallControl(Protocol):
    """What a call needs of Asterisk. Each verb answers False where its object is gone.

    Raises AriError where Asterisk can't be reached or refuses.
    """

    async def play(self, channel_id: str, playback_id: str, media: Sequence[str]) -> bool: ...

    async def stop_playback(self, playback_id: str) -> bool: ...

    async def hang_up(self, channel_id: str) -> bool: ...

    async def continue_in_dialplan(
        self, channel_id: str, context: str, extension: str, label: str
    ) -> bool: ...


@dataclass(frozen=True)
class CallSetting:
    """What all calls of a node share. `over` is told the channel id of a call that has ended.

    `agents_seconds`: the longest wait for an agent, and talk with one.
    """

    control: CallControl
    record: Callable[[Fact], asyncio.Future[Kept]]
    media: Callable[[str], str]
    over: Callable[[str], None]
    silence_seconds: float
    clock: Clock
    agents: Agents = field(default_factory=AgentsBehindAsterisk)
    agents_seconds: int = 3720
    key_to_commit: Latency = field(default_factory=Latency)
    key_to_thanks: Latency = field(default_factory=Latency)
