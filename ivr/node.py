"""One Asterisk: dials for the dialler, routes events to live calls, recovers after a gap. I/O."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.clock import Clock
from domain.dispositions import Disposition
from domain.errors import StoreUnavailable
from domain.log_ids import bind
from ivr import recovery, trial_calls
from ivr.agent_calls import AgentCalls
from ivr.call_events import CallEvent, ChannelEntered, ChannelRinging, ChannelUp
from ivr.call_setting import CallSetting, Media
from ivr.driver import CallDriver, EventStream
from ivr.errors import DriverError
from ivr.handover import Agents, AgentsBehindAsterisk
from ivr.origination import Endpoint, Originated, Origination
from ivr.queue_9090 import agent_of
from ivr.script import Event, State
from ivr.session import LiveCall
from store.claims import Claimed
from store.engine import Store
from store.facts import AgentConnected
from store.journal import Journal

log = logging.getLogger(__name__)

_REAP_SECONDS = 5
_LOST_SECONDS = 5
_DEAD_CONTEXT = "no-redirect"
"""Where a carrier's 302 leads: a context without extensions, so that no stray call goes out."""


@dataclass(frozen=True)
class NodeSetting:
    """What an operator sets for a node."""

    name: str
    caller_id: str
    dial_form: Callable[[str], str]
    max_call_seconds: int
    silence_seconds: float
    agents_seconds: int = 3660
    """The longest wait for an agent (key 3) and talk with one."""


class AsteriskNode:
    """Fulfils the dialler's Originator, and is the listener of its Asterisk's event stream."""

    def __init__(
        self,
        setting: NodeSetting,
        driver: CallDriver,
        stream: EventStream,
        store: Store,
        journal: Journal,
        media: Media,
        clock: Clock,
        agent_calls: AgentCalls | None = None,
        agents: Agents | None = None,
    ) -> None:
        self.ready = False
        self.agent_calls = agent_calls
        self.calls: dict[str, LiveCall] = {}
        self.late: dict[str, LiveCall] = {}
        self.stream = stream
        self._setting = setting
        self._driver = driver
        self._store = store
        self._journal = journal
        self._clock = clock
        self._reconciled_at = clock()
        self._dialling: set[asyncio.Task[Any]] = set()
        self._errands: set[asyncio.Task[None]] = set()
        self.call_setting = CallSetting(
            control=driver,
            record=journal.record,
            media=media,
            over=self._forget,
            silence_seconds=setting.silence_seconds,
            clock=clock,
            agents=agents or AgentsBehindAsterisk(),
            agents_seconds=setting.agents_seconds,
        )

    async def run(self) -> None:
        """Keep the event stream open and close what is overdue, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.stream.run(self), name="event-stream")
            group.create_task(self._reap_forever(), name="reaper")
            if self.agent_calls is not None:
                group.create_task(self.agent_calls.run(), name="agent-calls")

    # -- for the dialler

    async def originate(self, attempt: Claimed) -> bool:
        """Dial a committed attempt. False where Asterisk or its trunk took no call at all.

        Every result is recorded; nothing is raised and nothing is ever sent twice.
        """
        setting = trial_calls.setting_of(attempt, self.call_setting)
        call = LiveCall(attempt, setting)
        bind(attempt=attempt.attempt_id, channel=call.channel_id, campaign=attempt.campaign_id)
        if not self.ready or attempt.started_at < self._reconciled_at:
            # A reconciliation after the claim has found no channel and closed the attempt.
            call.end_unseen(Disposition.NOT_DIALLED)
            return False
        self.calls[call.channel_id] = call
        setting.tally.originated[attempt.trunk] += 1
        result = await self._dial(attempt)
        if result.outcome is Origination.REFUSED:
            log.warning("trunk %s takes no call: %s %s", attempt.trunk, result.status, result.text)
            call.end_unseen(Disposition.NOT_DIALLED)
            return False
        if result.outcome is Origination.LOST:
            log.warning("no answer to the originate of %s: %s", call.channel_id, result.text)
            self._send(self._look_for(call))
        return True

    async def _dial(self, attempt: Claimed) -> Originated:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        self._dialling.add(task)
        longest = attempt.ring_timeout_seconds + self._setting.max_call_seconds
        try:
            return await self._driver.originate(
                str(attempt.attempt_id),
                Endpoint(self._setting.dial_form(attempt.msisdn), attempt.trunk),
                caller_id=self._setting.caller_id,
                timeout_seconds=attempt.ring_timeout_seconds,
                variables={
                    "TIMEOUT(absolute)": str(longest),
                    "CHANNEL(language)": "vi",
                    "FORWARD_CONTEXT": _DEAD_CONTEXT,
                },
            )
        finally:
            self._dialling.discard(task)

    async def drained(self) -> None:
        """Return once no call is live."""
        while self.calls:
            await asyncio.sleep(0.1)

    # -- for the event stream

    async def reconcile(self) -> None:
        """Compare what is live with what is open, then dial again."""
        if self._dialling:
            await asyncio.wait(self._dialling)
        await self._journal.flush()
        if self._journal.spooled:
            raise StoreUnavailable("the store is away, spooled facts wait for it")
        self._reconciled_at = self._clock()
        if self.agent_calls is not None:
            await self.agent_calls.reconcile()
        channels = {
            channel.id: channel
            for channel in await self._driver.channels()
            if self.agent_calls is None or not self.agent_calls.owns(channel.id)
        }
        await trial_calls.reconcile(self._setting.name, self._store, self)
        await recovery.reconcile(self._setting.name, channels, self._driver, self._store, self)
        await self.find_agents(agent_of)
        self.ready = True

    def receive(self, event: CallEvent) -> None:
        """Hand an event to its call."""
        call = self.calls.get(event.channel_id) or self.late.get(event.channel_id)
        if call is not None:
            call.feed(event)
        elif self.agent_calls is not None and self.agent_calls.receive(event):
            pass
        elif isinstance(event, ChannelEntered | ChannelRinging | ChannelUp) and is_ours(event):
            # A request that Asterisk carried out after we had given it up: nobody waits for it.
            log.warning("a call that is not open comes up and is hung up: %s", event.channel_id)
            self._send(self.hang_up(event.channel_id))

    def disconnected(self) -> None:
        """No dialling without events: an answer would not be heard."""
        self.ready = False
        if self.agent_calls is not None:
            self.agent_calls.disconnected()

    def replaced(self) -> None:
        """Another server has our app: it dials, and the live calls are its own."""
        self.ready = False
        for call in self.calls.values():
            call.let_go()
        self.calls.clear()
        if self.agent_calls is not None:
            self.agent_calls.let_go()

    # -- for the agents' queue

    def agent_connected(self, channel_id: str, agent_id: int | None, at: datetime) -> None:
        """An agent has taken a subscriber who waited."""
        self._journal.record(AgentConnected(UUID(channel_id), agent_id, at))
        if (call := self.calls.get(channel_id)) is not None:
            call.feed(Event.CONNECTED)

    async def find_agents(self, agent_of: Callable[[str], int | None]) -> None:
        """Who waits may be with an agent by now, though that was not heard. Raises DriverError."""
        for call in list(self.calls.values()):
            if call.standing.state is State.HANDING_OVER:
                name = await self._driver.variable(call.channel_id, "MEMBERNAME")
                if name is not None:
                    self.agent_connected(call.channel_id, agent_of(name), self._clock())

    # -- for recovery

    def adopt(self, call: LiveCall) -> None:
        """Take over a live call of a process before us."""
        self.calls[call.channel_id] = call

    async def hang_up(self, channel_id: str) -> None:
        """End a call; a fault is logged, the reaper tries again."""
        try:
            await self._driver.hang_up(channel_id)
        except DriverError as error:
            log.warning("could not hang up %s: %s", channel_id, error)

    # -- inside

    def _forget(self, channel_id: str) -> None:
        self.calls.pop(channel_id, None)

    def _send(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _look_for(self, call: LiveCall) -> None:
        """After a lost answer: give Asterisk time, then ask it. What can't be known is unknown."""
        await asyncio.sleep(_LOST_SECONDS)
        try:
            found = await self._driver.channel(call.channel_id)
        except DriverError:
            return  # the stream drops too, and reconciliation decides
        if found is None and call.channel_id in self.calls:
            call.end_unseen(Disposition.UNKNOWN)

    async def _reap_forever(self) -> None:
        while True:
            await asyncio.sleep(_REAP_SECONDS)
            try:
                if self.ready:
                    await recovery.reap(self._setting.name, self._driver, self._store, self)
                    await trial_calls.reap(self._driver, self._store, self)
                    if self.agent_calls is not None:
                        await self.agent_calls.reap()
            except (DriverError, StoreUnavailable) as error:
                log.warning("reaper: %s", error)


def is_ours(event: CallEvent) -> bool:
    """Our channels are named by attempt ids; all others are somebody else's."""
    return recovery.as_uuid(event.channel_id) is not None
