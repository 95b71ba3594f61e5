"""The verbs of a call over AMI and FastAGI. I/O."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from ivr.agi.lanes import Lanes
from ivr.ami.connection import AmiConnection
from ivr.ami.errors import AmiError, AmiNotSent, AmiUnavailable
from ivr.ami.message import Message, Response, Value
from ivr.dialplan import AGENTS_CONTEXT, CALLS_CONTEXT, CALLS_EXTENSION
from ivr.origination import Endpoint, Originated, Origination, checked

_MADE_SECONDS = 5.0
_SOUND = "sound:"
_NOWHERE = "Local/mark@tstn-nowhere"
_NO_CHANNEL = "such channel", "does not exist"
_NORMAL_CLEARING = 16


@dataclass(frozen=True, slots=True)
class ListedChannel:
    """One row of CoreShowChannels."""

    id: str
    state: str
    context: str

    @property
    def held(self) -> bool:
        """Whether it is ours to command: it is with us, or on the way."""
        return self.context != AGENTS_CONTEXT


class _Asked:
    """An originate whose fate is not known yet."""

    def __init__(self) -> None:
        self.made = asyncio.Event()
        """Its channel was seen."""
        self.told = asyncio.Event()
        """That, or Asterisk says that it failed."""


class AgiClient:
    """One Asterisk by AMI and FastAGI. AMI's connection must be kept open by the event stream."""

    def __init__(self, ami: AmiConnection, lanes: Lanes) -> None:
        self._ami = ami
        self._lanes = lanes
        self._asked: dict[str, _Asked] = {}

    # -- the dial

    async def originate(
        self,
        channel_id: str,
        endpoint: Endpoint,
        *,
        caller_id: str,
        timeout_seconds: int,
        variables: Mapping[str, str],
    ) -> Originated:
        """Ask Asterisk to dial; never raises for what the network or Asterisk does.

        Asterisk first says that it will try, then makes a channel or fails: both are waited for.

        Raises:
            ValueError: an argument is not of its plain form (before anything is sent).
        """
        checked(
            channel_id, caller_id=caller_id, timeout_seconds=timeout_seconds, variables=variables
        )
        asked = self._asked[channel_id] = _Asked()
        self._lanes.open(channel_id)
        try:
            answer = await self._ask_for(
                channel_id,
                str(endpoint),
                CallerID=caller_id,
                Timeout=timeout_seconds * 1000,
                Variable=[f"{name}={value}" for name, value in variables.items()],
            )
            if not answer.ok:
                return self._refused(channel_id, answer.message)
            async with asyncio.timeout(_MADE_SECONDS):
                await asked.told.wait()
                if not asked.made.is_set():
                    await self._hear_out()
            if not asked.made.is_set():
                return self._refused(channel_id, "no channel could be made")
        except AmiNotSent as error:
            return self._refused(channel_id, str(error))
        except (AmiUnavailable, TimeoutError) as error:
            return Originated(Origination.LOST, None, str(error) or "no channel was seen")
        finally:
            del self._asked[channel_id]
        return Originated(Origination.ACCEPTED, None, "")

    def told(self, event: Message) -> None:
        """An event of AMI that may tell what became of an originate."""
        if event.event == "Newchannel":
            asked = self._asked.get(event.get("Uniqueid"))
            if asked is not None:
                asked.made.set()
                asked.told.set()
        elif event.event == "OriginateResponse" and event.get("Response") == "Failure":
            asked = self._asked.get(event.action_id)
            if asked is not None:
                asked.told.set()

    async def _hear_out(self) -> None:
        """Return once all is told that channels did until now. Raises AmiUnavailable.

        That an originate failed is told at once; what channels do is told in its turn, so that a
        call which was refused within a moment seems never to have been dialled. So a channel that
        leads nowhere is made: once it is told of, so is what was before.
        """
        mark = str(uuid4())
        asked = self._asked[mark] = _Asked()
        try:
            answer = await self._ask_for(mark, _NOWHERE)
            if not answer.ok:
                raise AmiUnavailable(answer.message)
            await asked.made.wait()
        except AmiNotSent as error:
            raise AmiUnavailable(str(error)) from error
        finally:
            del self._asked[mark]

    async def _ask_for(self, channel_id: str, channel: str, **more: Value) -> Response:
        """Ask for a channel by our id; answered, it comes to our calls."""
        return await self._ami.action(
            "Originate",
            ActionID=channel_id,
            ChannelId=channel_id,
            Channel=channel,
            Context=CALLS_CONTEXT,
            Exten=CALLS_EXTENSION,
            Priority=1,
            Async="true",
            **more,
        )

    def _refused(self, channel_id: str, text: str) -> Originated:
        self._lanes.forget(channel_id)
        return Originated(Origination.REFUSED, None, text)

    # -- the call

    async def play(
        self, channel_id: str, playback_id: str, media: Sequence[str], stoppers: str
    ) -> bool:
        """Play sounds ("sound:tstn/vi-1/notice") in a row, after those already under way."""
        lane = self._lanes.get(channel_id)
        if lane is None:
            return False
        files = [sound.removeprefix(_SOUND) for sound in media]
        self._lanes.play(lane, playback_id, files, stoppers)
        if not lane.has_session:  # of a process before us: it would come by itself, but later
            await self._call_in(channel_id)
        return True

    async def stop_playback(self, playback_id: str) -> bool:
        """Silence a playback; returns False if it is already over."""
        lane = self._lanes.playing(playback_id)
        return lane is not None and lane.stop(playback_id)

    async def is_playing(self, playback_id: str) -> bool:
        """Whether a playback is not over yet."""
        return self._lanes.playing(playback_id) is not None

    async def hang_up(self, channel_id: str) -> bool:
        """Hang up, in whatever state the channel is; returns False if it is gone."""
        return await self._act("Hangup", Channel=channel_id, Cause=_NORMAL_CLEARING)

    async def continue_in_dialplan(
        self, channel_id: str, context: str, extension: str, label: str
    ) -> bool:
        """Let the channel go on in the dialplan; what is playing ends.

        Returns False if the channel is gone.

        Raises:
            AmiError: also if the dialplan has no such place; the channel then stays ours.
        """
        return await self._redirect(channel_id, context, extension, label)

    # -- what is live

    async def channel(self, channel_id: str) -> ListedChannel | None:
        """Look one channel up; None if there is none."""
        found = [channel for channel in await self._list() if channel.id == channel_id]
        return found[0] if found else None

    async def channels(self) -> list[ListedChannel]:
        """All live channels of this Asterisk, whoever made them."""
        return await self._list()

    async def variable(self, channel_id: str, name: str) -> str | None:
        """A variable of a channel; None where it is not set, or the channel is gone."""
        answer = await self._ami.action("Status", Channel=channel_id, Variables=name)
        values = [row.get("Variable").partition("=")[2] for row in answer.rows]
        return next((value for value in values if value), None)

    async def subscribe(self, channel_id: str) -> bool:
        """AMI tells of every channel: nothing to ask for, but its lane begins."""
        self._lanes.open(channel_id)
        return True

    # -- inside

    async def _list(self) -> list[ListedChannel]:
        answer = await self._ami.action("CoreShowChannels")
        if not answer.ok:
            raise AmiError(f"Asterisk does not list its channels: {answer.message}")
        return [
            ListedChannel(row.get("Uniqueid"), row.get("ChannelStateDesc"), row.get("Context"))
            for row in answer.rows
        ]

    async def _call_in(self, channel_id: str) -> None:
        with suppress(AmiUnavailable):
            await self._redirect(channel_id, CALLS_CONTEXT, CALLS_EXTENSION, "1")

    async def _redirect(self, channel_id: str, context: str, extension: str, where: str) -> bool:
        return await self._act(
            "Redirect", Channel=channel_id, Context=context, Exten=extension, Priority=where
        )

    async def _act(self, name: str, **headers: str | int) -> bool:
        answer = await self._ami.action(name, **headers)
        if answer.ok:
            return True
        if any(words in answer.message for words in _NO_CHANNEL):
            return False
        raise AmiError(f"Asterisk refuses {name}: {answer.message}")
