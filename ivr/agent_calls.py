"""All agents' calls of one Asterisk: placed, followed, found again after a gap. I/O."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.clock import Clock
from domain.dispositions import Disposition
from ivr.agent_call import LiveAgentCall
from ivr.agent_call_notes import Notes
from ivr.agent_call_progress import Watchers
from ivr.agent_call_script import Event, State
from ivr.agent_call_setting import (
    AGENT_PREFIX,
    BRIDGE_PREFIX,
    AgentCall,
    AgentCallSetting,
    CallEnd,
    CallLog,
    Progress,
)
from ivr.ari.client import AriClient
from ivr.ari.errors import AriError
from ivr.ari.resources import Channel
from ivr.call_events import CallEvent, ChannelEntered, ChannelRinging
from ivr.origination import Endpoint, Originated, Phone

log = logging.getLogger(__name__)

_LOST_SECONDS = 5
_GRACE = timedelta(seconds=60)
_DEAD_CONTEXT = "no-redirect"


class AgentCalls:
    """The calls that agents of this Asterisk's phones make, and what a page may ask of them."""

    def __init__(
        self, setting: AgentCallSetting, client: AriClient, rows: CallLog, clock: Clock
    ) -> None:
        self.ready = False
        self.setting = setting
        self.client = client
        self.clock = clock
        self._rows = rows
        self._notes = Notes(rows)
        self._watchers = Watchers()
        self._live: dict[UUID, LiveAgentCall] = {}
        self._reconciled_at = clock()
        self._dialling: set[asyncio.Task[Originated]] = set()
        self._errands: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Write down what the calls report, until cancelled."""
        await self._notes.run()

    # -- for the agent's page

    async def place(self, call: AgentCall) -> bool:
        """Ring the agent's phone for a call whose row is committed. False where it can't ring.

        Whatever comes of it is written into the row; nothing is raised, nothing is dialled twice.
        """
        live = LiveAgentCall(call, self)
        self._live[call.call_id] = live
        self.moved(live.progress)
        if not self.ready or call.started_at < self._reconciled_at:
            # A reconciliation after the commit has found no channel and closed the row.
            live.gone(of_agent=True, outcome=Disposition.NOT_DIALLED)
            return False
        return await live.ring_agent()

    async def hang_up(self, call_id: UUID) -> bool:
        """End both legs. False where the call is over."""
        live = self._live.get(call_id)
        if live is not None:
            live.feed(Event.HANG_UP_ASKED)
        return live is not None

    def state(self, call_id: UUID) -> Progress | None:
        """How a live call stands; None once it is over: its row then says how it ended."""
        live = self._live.get(call_id)
        return live.progress if live else None

    def changes(self) -> AsyncIterator[Progress]:
        """How each live call stands, now and at every change from now on; never ends.

        A reader that is late gets the latest of each call.
        """
        return self._watchers.watch([live.progress for live in self._live.values()])

    # -- for the node

    def receive(self, event: CallEvent) -> bool:
        """Take an event of one of our channels; False where it is nobody's that we know."""
        call_id = _call_id(event.channel_id)
        live = self._live.get(call_id) if call_id else None
        if live is not None:
            live.receive(event)
            return True
        if event.channel_id.startswith(AGENT_PREFIX) and isinstance(
            event, ChannelEntered | ChannelRinging
        ):
            log.warning("a call that nobody placed comes up, hung up: %s", event.channel_id)
            self._send(self._hang_up(event.channel_id))
            return True
        return False

    def owns(self, channel_id: str) -> bool:
        """Whether a channel is a leg of a call that is live."""
        return _call_id(channel_id) in self._live

    async def reconcile(self) -> None:
        """Find the calls of the rows again in Asterisk. Raises AriError or StoreUnavailable."""
        if self._dialling:
            await asyncio.wait(self._dialling)
        await self._notes.flush()
        self._reconciled_at = self.clock()
        channels = {channel.id: channel for channel in await self.client.channels()}
        bridges = {bridge.id: bridge.channel_ids for bridge in await self.client.bridges()}
        for row in await self._rows.open_calls(self.setting.node):
            if row.call_id not in self._live:
                self._live[row.call_id] = self._adopted(row, channels)
        for live in list(self._live.values()):
            await self._resume(live, channels, bridges)
        for bridge in bridges:
            if bridge.startswith(BRIDGE_PREFIX) and _call_id(bridge) not in self._live:
                await self.client.drop_bridge(bridge)
        for channel in channels:
            if channel.startswith(AGENT_PREFIX) and not self.owns(channel):
                await self._hang_up(channel)
        self.ready = True

    def disconnected(self) -> None:
        """Nothing is placed without events."""
        self.ready = False

    def let_go(self) -> None:
        """Another server has the app: its calls are its own."""
        self.ready = False
        self._live.clear()

    async def reap(self) -> None:
        """End what should long have ended. Raises AriError."""
        longest = timedelta(seconds=self.setting.longest_seconds) + _GRACE
        overdue = [c for c in self._live.values() if self.clock() > c.call.started_at + longest]
        for live in overdue:
            log.warning("the agent's call %s is overdue and ended", live.call.call_id)
            live.feed(Event.HANG_UP_ASKED)
            await self._miss(live)

    # -- for a call

    async def originate(
        self, channel_id: str, endpoint: Endpoint | Phone, timeout_seconds: int, longest: int
    ) -> Originated:
        """Dial one leg; Asterisk itself ends it after `longest` seconds."""
        task = asyncio.create_task(
            self.client.originate(
                channel_id,
                endpoint,
                caller_id=self.setting.caller_id,
                timeout_seconds=timeout_seconds,
                variables={
                    "TIMEOUT(absolute)": str(longest),
                    "CHANNEL(language)": "vi",
                    "FORWARD_CONTEXT": _DEAD_CONTEXT,
                },
            )
        )
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)
        return await task

    def note(self, call: AgentCall, **times: datetime) -> None:
        """Times for the call's row."""
        self._notes.record(call.call_id, times)

    def moved(self, progress: Progress) -> None:
        """Tell whoever watches."""
        self._watchers.tell(progress)

    def over(self, call: AgentCall, end: CallEnd) -> None:
        """Both legs are gone: close the row."""
        self._notes.finish(call.call_id, end)
        self._live.pop(call.call_id, None)

    def look_for(self, channel_id: str, is_gone: Callable[[], None]) -> None:
        """After a lost answer: give Asterisk time, then ask whether it has the channel."""
        self._send(self._look_for(channel_id, is_gone))

    # -- inside

    def _adopted(self, row: AgentCall, channels: Mapping[str, Channel]) -> LiveAgentCall:
        """A call of a process before us, as far as its channels tell."""
        agent = channels.get(row.agent_channel)
        subscriber = channels.get(row.subscriber_channel)
        state = State.CALLING_AGENT
        if subscriber is not None or row.agent_answered_at or (agent and agent.state == "Up"):
            state = State.DIALLING
        return LiveAgentCall(row, self, state, dialled=subscriber is not None)

    async def _resume(
        self,
        live: LiveAgentCall,
        channels: Mapping[str, Channel],
        bridges: Mapping[str, frozenset[str]],
    ) -> None:
        call = live.call
        was_dialled = live.state not in (State.CALLING_AGENT, State.AGENT_RINGING)
        for channel_id in (call.agent_channel, call.subscriber_channel):
            of_agent = channel_id == call.agent_channel
            channel = channels.get(channel_id)
            if channel is None:
                if of_agent or was_dialled:
                    live.gone(of_agent=of_agent)
                continue
            await self.client.subscribe(channel_id)
            if channel.state == "Ringing":
                live.rings(of_agent=of_agent, at=self.clock())
            elif channel.state == "Up" and of_agent:
                live.answers(of_agent=True, at=self.clock())
            elif channel.state == "Up":
                together = {call.agent_channel, channel_id} <= bridges.get(call.bridge, frozenset())
                live.answers(of_agent=False, at=self.clock(), together=together)

    async def _miss(self, live: LiveAgentCall) -> None:
        """Channels that are gone although their end was not heard."""
        for channel_id in (live.call.agent_channel, live.call.subscriber_channel):
            if await self.client.channel(channel_id) is None:
                live.gone(of_agent=channel_id == live.call.agent_channel)

    async def _look_for(self, channel_id: str, is_gone: Callable[[], None]) -> None:
        await asyncio.sleep(_LOST_SECONDS)
        try:
            found = await self.client.channel(channel_id)
        except AriError:
            return  # the stream drops too, and reconciliation decides
        if found is None:
            is_gone()

    async def _hang_up(self, channel_id: str) -> None:
        try:
            await self.client.hang_up(channel_id)
        except AriError as error:
            log.warning("could not hang up %s: %s", channel_id, error)

    def _send(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


def _call_id(name: str) -> UUID | None:
    """The call that a channel or a bridge is named by."""
    try:
        return UUID(name.removeprefix(AGENT_PREFIX).removeprefix(BRIDGE_PREFIX))
    except ValueError:
        return None
