"""One live call of an agent to a subscriber: what happens to its two legs, and what to do. I/O.

Events are taken in order, one at a time; a fault ends this call and no other.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.clock import Clock
from domain.dispositions import Disposition, classify
from domain.log_ids import bind
from ivr.agent_call_script import Command, Event, State, step
from ivr.agent_call_setting import AgentCall, AgentCallSetting, CallEnd, Progress
from ivr.ari.client import AriClient
from ivr.ari.errors import AriError
from ivr.call_events import CallEvent, ChannelDestroyed, ChannelEntered, ChannelRinging
from ivr.origination import Endpoint, Originated, Origination, Phone

log = logging.getLogger(__name__)


class Surroundings(Protocol):
    """What a call tells of itself, and through whom it dials."""

    client: AriClient
    setting: AgentCallSetting
    clock: Clock

    async def originate(
        self, channel_id: str, endpoint: Endpoint | Phone, timeout_seconds: int, longest: int
    ) -> Originated: ...

    def note(self, call: AgentCall, **times: datetime) -> None: ...

    def moved(self, progress: Progress) -> None: ...

    def over(self, call: AgentCall, end: CallEnd) -> None: ...

    def look_for(self, channel_id: str, is_gone: Callable[[], None]) -> None: ...


@dataclass(slots=True)
class Leg:
    """What is known of one of the two channels."""

    rang_at: datetime | None = None
    answered_at: datetime | None = None
    is_over: bool = False
    cause: int | None = None
    tech_cause: int | None = None
    outcome: Disposition | None = None

    def end(self, event: ChannelDestroyed, timeout_seconds: int) -> None:
        """Judge its end."""
        rang = (event.at - self.rang_at).total_seconds() if self.rang_at else 0.0
        self.is_over = True
        self.cause, self.tech_cause = event.cause, event.tech_cause
        self.outcome = classify(
            cause=event.cause,
            tech_cause=event.tech_cause,
            answered=self.answered_at is not None,
            rang=self.rang_at is not None,
            ringing_seconds=rang,
            ring_timeout_seconds=timeout_seconds,
        )

    def end_unseen(self, outcome: Disposition) -> None:
        """It is gone, and nobody saw how."""
        self.is_over = True
        self.outcome = self.outcome or (Disposition.ANSWERED if self.answered_at else outcome)


class LiveAgentCall:
    """A call from its first ring to the end of both legs."""

    def __init__(
        self,
        call: AgentCall,
        around: Surroundings,
        state: State = State.CALLING_AGENT,
        *,
        dialled: bool = False,
    ) -> None:
        self.call = call
        self.state = state
        self.since = around.clock()
        self.agent = Leg(answered_at=call.agent_answered_at)
        self.subscriber = Leg(answered_at=call.subscriber_answered_at)
        self._dialled = dialled or call.subscriber_dialled_at is not None
        self._around = around
        self._events: deque[Event] = deque()
        self._working: asyncio.Task[None] | None = None

    @property
    def progress(self) -> Progress:
        """How it stands."""
        return Progress(
            self.call.call_id, self.state, self.since, self.agent.outcome, self.subscriber.outcome
        )

    def receive(self, event: CallEvent) -> None:
        """Take an event of one of its channels."""
        of_agent = event.channel_id == self.call.agent_channel
        match event:
            case ChannelRinging():
                self.rings(of_agent=of_agent, at=event.at)
            case ChannelEntered():
                self.answers(of_agent=of_agent, at=event.at)
            case ChannelDestroyed() if of_agent:
                self.agent.end(event, self._around.setting.agent_ring_seconds)
                self.feed(Event.AGENT_GONE)
            case ChannelDestroyed():
                self.subscriber.end(event, self._around.setting.ring_timeout_seconds)
                self.feed(Event.SUBSCRIBER_GONE)

    def rings(self, *, of_agent: bool, at: datetime) -> None:
        """A phone rings."""
        leg = self.agent if of_agent else self.subscriber
        leg.rang_at = leg.rang_at or at
        if of_agent:
            self._around.note(self.call, agent_ringing_at=at)
        self.feed(Event.AGENT_RANG if of_agent else Event.SUBSCRIBER_RANG)

    def answers(self, *, of_agent: bool, at: datetime, together: bool = False) -> None:
        """A phone was picked up; `together`: the two are in their room already."""
        leg = self.agent if of_agent else self.subscriber
        if leg.answered_at is None:
            leg.answered_at = at
            name = "agent_answered_at" if of_agent else "subscriber_answered_at"
            self._around.note(self.call, **{name: at})
        if together and self.state is not State.TALKING:
            self._move(State.TALKING)
        elif not together:
            self.feed(Event.AGENT_ANSWERED if of_agent else Event.SUBSCRIBER_ANSWERED)

    def gone(self, *, of_agent: bool, outcome: Disposition = Disposition.UNKNOWN) -> None:
        """A channel is no more, and its end was not seen."""
        if of_agent:
            self.agent.end_unseen(outcome)
        elif self._dialled:
            self.subscriber.end_unseen(outcome)
        self.feed(Event.AGENT_GONE if of_agent else Event.SUBSCRIBER_GONE)

    def feed(self, event: Event) -> None:
        """Take an event; it is acted on after those before it."""
        self._events.append(event)
        if self._working is None:
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        bind(attempt=self.call.call_id, channel=self.call.subscriber_channel)
        while self._events:
            event = self._events.popleft()
            try:
                await self._take(event)
            except Exception:
                log.exception("the agent's call %s fails and is hung up", self.call.call_id)
                await self._hang_up(self.call.subscriber_channel)
                await self._hang_up(self.call.agent_channel)
        self._working = None

    async def _take(self, event: Event) -> None:
        state, commands = step(self.state, event)
        if state is not self.state:
            self._move(state)
        for command in commands:
            await self._carry_out(command)

    def _move(self, state: State) -> None:
        self.state, self.since = state, self._around.clock()
        self._around.moved(self.progress)

    async def _carry_out(self, command: Command) -> None:
        match command:
            case Command.DIAL_SUBSCRIBER:
                await self._dial_subscriber()
            case Command.PLAY_RINGING:
                await self._tell(self._around.client.play_ringing(self.call.agent_channel))
            case Command.CONNECT:
                await self._connect()
            case Command.HANG_UP_AGENT:
                await self._hang_up(self.call.agent_channel)
            case Command.HANG_UP_SUBSCRIBER:
                await self._hang_up(self.call.subscriber_channel)
            case Command.CLOSE:
                await self._tell(self._around.client.drop_bridge(self.call.bridge))
                self._around.over(self.call, self._end())

    async def ring_agent(self) -> bool:
        """Let the agent's phone ring. False where Asterisk takes no call for it."""
        setting = self._around.setting
        result = await self._around.originate(
            self.call.agent_channel,
            Phone(self.call.phone),
            setting.agent_ring_seconds,
            setting.longest_seconds,
        )
        return self._dialled_well(result, of_agent=True)

    async def _dial_subscriber(self) -> None:
        setting = self._around.setting
        self._dialled = True
        self._around.note(self.call, subscriber_dialled_at=self._around.clock())
        result = await self._around.originate(
            self.call.subscriber_channel,
            Endpoint(setting.dial_form(self.call.msisdn), setting.trunk),
            setting.ring_timeout_seconds,
            setting.ring_timeout_seconds + setting.max_talk_seconds,
        )
        self._dialled_well(result, of_agent=False)

    def _dialled_well(self, result: Originated, *, of_agent: bool) -> bool:
        channel = self.call.agent_channel if of_agent else self.call.subscriber_channel
        if result.outcome is Origination.REFUSED:
            log.warning("no call to %s: %s %s", channel, result.status, result.text)
            # A phone that is not registered is refused like that; a trunk has sent nothing.
            unsent = Disposition.UNREACHABLE if of_agent else Disposition.NOT_DIALLED
            self.gone(of_agent=of_agent, outcome=unsent)
            return False
        if result.outcome is Origination.LOST:
            log.warning("no answer to the originate of %s: %s", channel, result.text)
            self._around.look_for(channel, lambda: self.gone(of_agent=of_agent))
        return True

    async def _connect(self) -> None:
        """Both into one room; where that fails nobody is left alone in silence."""
        client, call = self._around.client, self.call
        await self._tell(client.stop_ringing(call.agent_channel))
        together = (
            await self._tell(client.make_bridge(call.bridge))
            and await self._tell(client.join(call.bridge, call.agent_channel))
            and await self._tell(client.join(call.bridge, call.subscriber_channel))
        )
        if not together:
            self.feed(Event.HANG_UP_ASKED)

    async def _hang_up(self, channel_id: str) -> None:
        await self._tell(self._around.client.hang_up(channel_id))

    async def _tell(self, told: Awaitable[bool]) -> bool:
        try:
            return await told
        except AriError as error:
            log.warning("the agent's call %s: %s", self.call.call_id, error)
            return False

    def _end(self) -> CallEnd:
        now = self._around.clock()
        if not self._dialled:
            leg = self.agent
            return CallEnd(Disposition.NOT_DIALLED, leg.cause, leg.tech_cause, now)
        leg = self.subscriber
        return CallEnd(leg.outcome or Disposition.UNKNOWN, leg.cause, leg.tech_cause, now)
