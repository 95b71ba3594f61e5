"""What a live call needs around it: the control of Asterisk, the journal, the words. Pure."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from domain.clock import Clock
from domain.latency import Latency
from ivr.driver import CallControl
from ivr.handover import Agents, AgentsBehindAsterisk
from ivr.tally import CallTally
from store.facts import Fact, Kept

Media = Callable[[str, Sequence[str]], Sequence[str]]


@dataclass(frozen=True)
class CallSetting:
    """What all calls of a node share. `over` is told the channel id of a call that has ended.

    `media`: of a script version and the names of prompts, what Asterisk is to play, in order.
    `agents_seconds`: the longest wait for an agent, and talk with one.
    """

    control: CallControl
    record: Callable[[Fact], asyncio.Future[Kept]]
    media: Media
    over: Callable[[str], None]
    silence_seconds: float
    clock: Clock
    agents: Agents = field(default_factory=AgentsBehindAsterisk)
    agents_seconds: int = 3720
    key_to_commit: Latency = field(default_factory=Latency)
    key_to_thanks: Latency = field(default_factory=Latency)
    tally: CallTally = field(default_factory=CallTally)
