"""Key 3's queue: the agents on duty are its members, and what happens in it is recorded. I/O.

The duty rows are the truth, Asterisk's members follow them: at once after every connect, for an
Asterisk that was restarted has none, and then as the rows change. Source of the events: Asterisk's
app_queue, by AMI.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from domain.agents_queue import QueueView
from domain.clock import Clock
from domain.errors import TstnError
from domain.states import QueueOutcome
from ivr.ami.connection import AmiConnection
from ivr.ami.errors import AmiError
from ivr.ami.message import Message

log = logging.getLogger(__name__)

QUEUE = "9090"
TRUNK_ANSWERED = "Agent9090"
"""The dialplan's UserEvent where an agent of somebody else has answered."""
_MEMBER = "agent-"
_LOOK_SECONDS = 1.0
_LOOKS_A_RESYNC = 30


@dataclass(frozen=True, slots=True)
class Member:
    """An agent on duty, at a phone."""

    agent_id: int
    phone: str
    paused: bool


class Duty(Protocol):
    """Who is on duty."""

    async def members(self) -> Sequence[Member]:
        """The agents on duty who have a phone. Raises StoreUnavailable."""


class Callers(Protocol):
    """The live calls that wait in the queue."""

    def agent_connected(self, channel_id: str, agent_id: int | None, at: datetime) -> None:
        """An agent has taken a caller."""

    async def find_agents(self, agent_of: Callable[[str], int | None]) -> None:
        """Ask Asterisk which of those who wait are with an agent by now.

        `agent_of` reads a member's name. Raises DriverError.
        """


class Queue9090:
    """The queue on one Asterisk.

    Attributes:
        view: how it stands; None while that is not known.
    """

    def __init__(
        self,
        ami: AmiConnection,
        duty: Duty,
        is_open: Callable[[datetime], bool],
        clock: Clock,
        *,
        only_hours: bool = False,
    ) -> None:
        """`only_hours`: the agents are somebody else's, so nothing is known but their hours."""
        self.view: QueueView | None = None
        self._ami = ami
        self._duty = duty
        self._callers: Callers | None = None
        self._is_open = is_open
        self._only_hours = only_hours
        self._clock = clock
        self._members: dict[str, Member] | None = None
        self._is_up = False
        self._looks = 0
        self._said = ""
        self._poked = asyncio.Event()

    @property
    def trouble(self) -> str | None:
        """Why the queue can't be led; None while it can."""
        return self._ami.trouble

    async def run(self, callers: Callers) -> None:
        """Lead the queue until cancelled."""
        self._callers = callers
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ami.run(self), name="ami")
            group.create_task(self._look_forever(), name="queue-9090")

    # -- for live calls

    def refusal(self) -> QueueOutcome | None:
        """Why nobody can be waited for now; an unknown queue is left to Asterisk to judge."""
        if not self._is_open(self._clock()):
            return QueueOutcome.CLOSED
        if self._only_hours or self._members is None:
            return None
        if all(each.paused for each in self._members.values()):
            return QueueOutcome.NO_AGENT
        return None

    # -- for AMI

    async def connected(self) -> None:
        """What Asterisk has is asked for at once, then brought to what it should have."""
        self._is_up, self._looks = True, 0
        self._poked.set()

    def receive(self, event: Message) -> None:
        """An agent has taken a caller."""
        if event.event == "AgentConnect" and event.get("Queue") == QUEUE:
            self._connected(event.get("Uniqueid"), agent_of(event.get("MemberName")), event)
        elif event.get("UserEvent") == TRUNK_ANSWERED:
            self._connected(event.get("Caller"), None, event)

    def disconnected(self) -> None:
        """Nothing is known until the next connect."""
        self._is_up = False
        self._members = self.view = None

    # -- inside

    def _connected(self, channel_id: str, agent_id: int | None, event: Message) -> None:
        try:
            UUID(channel_id)
        except ValueError:
            return  # somebody else's caller
        if self._callers is not None:
            self._callers.agent_connected(channel_id, agent_id, self._time_of(event))

    def _time_of(self, event: Message) -> datetime:
        try:
            return datetime.fromtimestamp(float(event.get("Timestamp")), UTC)
        except ValueError:
            return self._clock()

    async def _look_forever(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._poked.wait(), _LOOK_SECONDS)
            self._poked.clear()
            try:
                if self._is_up:
                    await self._look()
                    self._said = ""
            except TstnError as error:
                if str(error) != self._said:  # once, not every second
                    log.warning("the agents' queue: %s", error)
                self._said = str(error)

    async def _look(self) -> None:
        """Members as the duty rows say; then how the queue stands."""
        if self._looks % _LOOKS_A_RESYNC == 0:
            await self._resync()
        self._looks += 1
        await self._mirror(await self._duty.members())
        summary = await self._ami.action("QueueSummary", Queue=QUEUE)
        for row in summary.rows:
            if row.get("Queue") == QUEUE:
                waiting, free = int(row.get("Callers")), int(row.get("Available"))
                self.view = QueueView(waiting, free, self._clock())

    async def _resync(self) -> None:
        """What members Asterisk has, and whom they talk to."""
        status = await self._ami.action("QueueStatus", Queue=QUEUE)
        if not status.ok:
            raise AmiError(f"Asterisk does not tell of its queue {QUEUE}: {status.message}")
        found = [_member(row) for row in status.rows if row.event == "QueueMember"]
        self._members = {each.phone: each for each in found}
        if self._callers is not None:
            await self._callers.find_agents(agent_of)

    async def _mirror(self, wanted: Sequence[Member]) -> None:
        there = self._members
        if there is None:
            return
        by_phone = {each.phone: each for each in wanted}
        for phone, member in list(there.items()):
            if phone not in by_phone or by_phone[phone].agent_id != member.agent_id:
                await self._do("QueueRemove", phone)
                there.pop(phone, None)
        for phone, member in by_phone.items():
            paused = "true" if member.paused else "false"
            if phone not in there:
                name = f"{_MEMBER}{member.agent_id}"
                await self._do("QueueAdd", phone, MemberName=name, Paused=paused)
            elif there[phone].paused != member.paused:
                await self._do("QueuePause", phone, Paused=paused)
            there[phone] = member

    async def _do(self, action: str, phone: str, **headers: str) -> None:
        """What Asterisk says is so already, or no more, is no fault: a resync will tell."""
        interface = f"PJSIP/{phone}"
        answer = await self._ami.action(action, Queue=QUEUE, Interface=interface, **headers)
        if not answer.ok:
            log.warning("the agents' queue: %s of %s: %s", action, phone, answer.message)


def agent_of(member_name: str) -> int | None:
    """The agent whom a member's name tells of."""
    number = member_name.removeprefix(_MEMBER)
    return int(number) if member_name.startswith(_MEMBER) and number.isdecimal() else None


def _member(row: Message) -> Member:
    phone = (row.get("Location") or row.get("Interface")).removeprefix("PJSIP/")
    return Member(agent_of(row.get("Name")) or 0, phone, row.get("Paused") == "1")
