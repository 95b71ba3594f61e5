"""One live call: feeds the script what happens, and carries out what the script commands. I/O.

Events are taken in order, one at a time; a fault ends this call and no other.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta

from domain.dispositions import Disposition, classify
from domain.errors import TstnError
from domain.log_ids import bind
from domain.msisdn import mask
from domain.states import QueueOutcome
from ivr import reports, script
from ivr.call_events import (
    CallEvent,
    ChannelDestroyed,
    ChannelEntered,
    ChannelRinging,
    ChannelUp,
    KeyReceived,
    PlaybackFinished,
    PlaybackStarted,
)
from ivr.call_setting import CallSetting
from ivr.dialplan import AGENTS_CONTEXT, AGENTS_EXTENSION, AGENTS_LABEL
from ivr.driver import LiveChannel
from ivr.errors import DriverError
from ivr.handover import GIVEN_BACK
from ivr.script import Command, Event, State
from store.claims import Claimed
from store.facts import AdviceAsked, OptOutAsked, RegistrationAsked

log = logging.getLogger(__name__)

_GRACE = timedelta(seconds=60)

_KEYS = {"1": Event.KEY_1, "2": Event.KEY_2, "3": Event.KEY_3, "9": Event.KEY_9}
_ALL_KEYS = "0123456789*#"


MOST_PLAYBACKS = 20
"""No path through the script plays more often, but for a store and a spool that both fail."""


def playback_id(channel_id: str, adoptions: int, number: int) -> str:
    """The name of a call's n-th playback: known to a process that takes the call over."""
    return f"{channel_id}.{adoptions}.{number}"


class LiveCall:
    """A call from its originate to its end."""

    def __init__(
        self,
        attempt: Claimed,
        setting: CallSetting,
        *,
        adoptions: int = 0,
        standing: script.Call | None = None,
    ) -> None:
        self.attempt = attempt
        self.channel_id = str(attempt.attempt_id)
        self.ringing_at: datetime | None = None
        self.answered_at: datetime | None = None
        self.standing = standing or script.Call(may_refuse=attempt.may_refuse)
        self.waits_for_agents = False
        self.deadline_at: datetime | None = None
        self._setting = setting
        self._adoptions = adoptions
        self._played = 0
        self._playing: str | None = None
        self._is_over = False
        self._is_ours = True
        self._key_at: datetime | None = None
        self._last_key: tuple[datetime, str] | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._events: deque[CallEvent | Event] = deque()
        self._stopping: set[asyncio.Task[bool]] = set()
        self._working: asyncio.Task[None] | None = None

    def feed(self, event: CallEvent | Event) -> None:
        """Take an event; it is acted on after those before it."""
        self._events.append(event)
        if self._working is None:
            self._working = asyncio.create_task(self._work())

    def end_unseen(self, without_answer: Disposition) -> None:
        """Close the attempt without a ChannelDestroyed: it was missed, or will not come.

        An answer that was seen is the known result; else it is `without_answer`. Who waited for an
        agent has heard since that 9090 will call, or has hung up: the wish for advice stands.
        """
        now = self._setting.clock()
        if self.waits_for_agents and self.standing.state is not State.WITH_AGENT:
            self._setting.record(reports.advice(self.attempt, now))
        disposition = Disposition.ANSWERED if self.answered_at else without_answer
        self._record_end(disposition, None, None, now)

    async def resume(self, channel: LiveChannel) -> None:
        """After a gap in the events: what was missed of the answer or a prompt's end has been."""
        if channel.state == "Ringing":
            self.ringing_at = self.ringing_at or self.attempt.started_at
        if channel.state == "Up" and channel.held and self.standing.state is State.DIALLING:
            self._answered(self._setting.clock())
            self.feed(Event.ANSWERED)
        if self._playing and not await self._setting.control.is_playing(self._playing):
            self.feed(Event.PLAYED)

    def let_go(self) -> None:
        """Another process has this call now: nothing more is done to it.

        A key that came before is kept all the same: nobody else has been told of it.
        """
        self._is_ours = False
        self._hush()
        self._events = deque(event for event in self._events if isinstance(event, KeyReceived))

    async def _work(self) -> None:
        bind(
            attempt=self.attempt.attempt_id,
            channel=self.channel_id,
            campaign=self.attempt.campaign_id,
        )
        while self._events:
            event = self._events.popleft()
            if self._is_over and not isinstance(event, KeyReceived):
                continue  # doubled, or overtaken by the end; a key was pressed before that
            try:
                await self._take(event)
            except Exception:
                log.exception("call %s fails and is hung up", self.channel_id)
                ends = [event for event in self._events if isinstance(event, ChannelDestroyed)]
                self._events = deque(ends)
                if self._is_ours:
                    await self._tell(self._setting.control.hang_up(self.channel_id))
        self._working = None

    async def _take(self, event: CallEvent | Event) -> None:
        match event:
            case Event():
                await self._step(event)
            case ChannelEntered(args=(_, words)) if words in GIVEN_BACK:
                self._leave_agents(GIVEN_BACK[words], event.at)
                await self._step(Event.NO_AGENT)
            case ChannelEntered():
                self._answered(event.at)
                await self._step(Event.ANSWERED)
            case ChannelUp():
                self._answered(event.at)
            case ChannelRinging():
                self.ringing_at = self.ringing_at or event.at
            case KeyReceived():
                await self._key(event)
            case PlaybackStarted():
                self._thanks_started(event)
            case PlaybackFinished():
                await self._playback_finished(event)
            case ChannelDestroyed():
                await self._destroyed(event)

    async def _step(self, event: Event) -> None:
        before = self.standing
        self.standing, commands = script.step(before, event)
        if self.standing != before:
            self._hush()
        for command in commands:
            await self._carry_out(command)

    async def _carry_out(self, command: Command) -> None:
        match command:
            case Command.REGISTER:
                await self._keep(
                    reports.registration(self.attempt, self._key_at or self._setting.clock())
                )
            case Command.REFUSE:
                at = self._key_at or self._setting.clock()
                await self._keep(reports.refusal(self.attempt, at))
            case Command.PROMISE_ADVICE:
                await self._keep(reports.advice(self.attempt, self._setting.clock()))
            case _ if not self._is_ours:
                pass
            case Command.STOP_PLAYING:
                self._stop_playing()
            case Command.LISTEN:
                self._listen()
            case Command.HAND_OVER:
                await self._hand_over()
            case Command.HANG_UP:
                await self._tell(self._setting.control.hang_up(self.channel_id))
            case _:
                await self._play(script.sentences(self.standing, command))

    async def _play(self, prompts: Sequence[str]) -> None:
        self._played += 1
        self._playing = playback_id(self.channel_id, self._adoptions, self._played)
        media = self._setting.media(self.attempt.script_version, prompts)
        stoppers = script.stoppers(self.standing)
        keys = "".join(key for key in _ALL_KEYS if _event_of(key) in stoppers)
        await self._tell(self._setting.control.play(self.channel_id, self._playing, media, keys))

    def _stop_playing(self) -> None:
        # Not waited for: what follows, a commit before all, need not be later for it.
        if self._playing:
            stopping = self._tell(self._setting.control.stop_playback(self._playing))
            self._playing = None
            task = asyncio.create_task(stopping)
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)

    async def _hand_over(self) -> None:
        now = self._setting.clock()
        refusal = self._setting.agents.refusal()
        if refusal is not None:
            self._setting.tally.agents[refusal] += 1
            self._setting.record(reports.left_agents(self.attempt, refusal, now))
            self.feed(Event.NO_AGENT)
            return
        self.deadline_at = now + timedelta(seconds=self._setting.agents_seconds) + _GRACE
        self.waits_for_agents = True
        self._setting.record(reports.handed_over(self.attempt, now, self.deadline_at))
        handed = await self._tell(
            self._setting.control.continue_in_dialplan(
                self.channel_id, AGENTS_CONTEXT, AGENTS_EXTENSION, AGENTS_LABEL
            )
        )
        if not handed:
            self._leave_agents(QueueOutcome.NO_AGENT, self._setting.clock())
            self.feed(Event.NO_AGENT)

    def _leave_agents(self, outcome: QueueOutcome | None, at: datetime) -> None:
        if self.waits_for_agents:
            self.waits_for_agents = False
            self._setting.tally.agents[outcome or "unknown"] += 1
            self._setting.record(reports.left_agents(self.attempt, outcome, at))

    async def _keep(self, fact: RegistrationAsked | AdviceAsked | OptOutAsked) -> None:
        try:
            await self._setting.record(fact)
        except TstnError:
            await self._step(Event.NOT_KEPT)
            return
        if isinstance(fact, RegistrationAsked):
            self._setting.key_to_commit.add((self._setting.clock() - fact.at).total_seconds())
        await self._step(Event.KEPT)

    def _listen(self) -> None:
        self._silence = asyncio.get_running_loop().call_later(
            self._setting.silence_seconds, self.feed, Event.SILENCE
        )

    def _hush(self) -> None:
        """Whatever happened, the silence that was being waited for is over."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _answered(self, at: datetime) -> None:
        if self.answered_at is None:
            self.answered_at = at
            self._setting.tally.answered[self.attempt.trunk] += 1
            self._setting.record(reports.answered(self.attempt, at))

    async def _key(self, event: KeyReceived) -> None:
        if self._last_key == (event.at, event.digit):
            return  # the same event, delivered twice
        self._last_key = (event.at, event.digit)
        self._key_at = event.at
        self._setting.tally.keys[event.digit] += 1
        state = self.standing.state
        self._setting.record(reports.key_pressed(self.attempt, event.digit, state, event.at))
        await self._step(_event_of(event.digit))

    async def _playback_finished(self, event: PlaybackFinished) -> None:
        if event.playback_id != self._playing:
            return  # stopped by a key, or of a process before us
        if event.failed:
            log.debug("playback cut short in call %s: hung up, or a prompt gone", self.channel_id)
        self._playing = None
        await self._step(Event.PLAYED)

    def _thanks_started(self, event: PlaybackStarted) -> None:
        thanks = self.standing.state is State.THANKING and event.playback_id == self._playing
        if thanks and self._key_at is not None:
            self._setting.key_to_thanks.add((event.at - self._key_at).total_seconds())

    async def _destroyed(self, event: ChannelDestroyed) -> None:
        self._playing = None
        with_agent = self.standing.state is State.WITH_AGENT
        gone = QueueOutcome.CONNECTED if with_agent else QueueOutcome.ABANDONED
        self._leave_agents(gone, event.at)
        await self._step(Event.HUNG_UP)
        rang = self.ringing_at is not None
        disposition = classify(
            cause=event.cause,
            tech_cause=event.tech_cause,
            answered=self.answered_at is not None,
            rang=rang,
            ringing_seconds=(event.at - self.ringing_at).total_seconds() if self.ringing_at else 0,
            ring_timeout_seconds=self.attempt.ring_timeout_seconds,
        )
        if disposition is Disposition.UNEXPECTED_CAUSE:
            log.error(
                "call %s to %s ended with a cause that no rule knows: %d %s, SIP %s",
                self.channel_id,
                mask(self.attempt.msisdn),
                event.cause,
                event.cause_text,
                event.tech_cause,
            )
        self._record_end(disposition, event.cause, event.tech_cause, event.at)

    def _record_end(
        self, disposition: Disposition, cause: int | None, tech_cause: int | None, at: datetime
    ) -> None:
        self._hush()
        self._is_over = True
        self._leave_agents(None, at)
        self._setting.over(self.channel_id)
        self._setting.tally.ended[self.attempt.trunk, disposition] += 1
        times = (self.ringing_at, self.answered_at, at)
        self._setting.record(reports.ended(self.attempt, disposition, cause, tech_cause, *times))

    async def _tell(self, told: Awaitable[bool]) -> bool:
        """Tell Asterisk; if it can't be told, the call goes on by what events or recovery say."""
        try:
            return await told
        except DriverError as error:
            log.warning("call %s: %s", self.channel_id, error)
            return False


def _event_of(key: str) -> Event:
    return _KEYS.get(key, Event.OTHER_KEY)
