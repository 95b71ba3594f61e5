"""Key 1 in a live call: durable first, then thanks; none where it is kept nowhere. I/O."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from domain.states import TargetState
from ivr.call_events import ChannelDestroyed, ChannelEntered, KeyReceived, PlaybackFinished
from ivr.call_setting import CallSetting
from ivr.session import LiveCall
from lab.ports import free_ports
from store.claims import Claimed
from store.engine import Store, open_store
from store.journal import Journal
from store.models import Attempt, Callback, KeyPress, Registration, Target
from tests.journals import calls, replayed, running
from tests.rows import NOW, all_rows

SECOND = timedelta(seconds=1)


class Control:
    """The call's Asterisk: takes every command, and tells the order in which they came."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.playing: list[str] = []
        self._changed = asyncio.Event()

    def _did(self, what: str) -> bool:
        self.done.append(what)
        self._changed.set()
        return True

    async def play(
        self, channel_id: str, playback_id: str, media: Sequence[str], stoppers: str
    ) -> bool:
        self.playing.append(playback_id)
        return self._did(f"play {' '.join(media)}")

    async def stop_playback(self, playback_id: str) -> bool:
        return self._did("stop")

    async def is_playing(self, playback_id: str) -> bool:
        return playback_id in self.playing

    async def hang_up(self, channel_id: str) -> bool:
        return self._did("hang up")

    async def continue_in_dialplan(
        self, channel_id: str, context: str, extension: str, label: str
    ) -> bool:
        return self._did(f"continue {context}")

    async def until(self, what: str, times: int = 1) -> None:
        async with asyncio.timeout(10):
            while self.done.count(what) < times:
                self._changed.clear()
                await self._changed.wait()


def prompts(version: str, names: Sequence[str]) -> Sequence[str]:
    """The prompts by their names alone; of the first version, or backwards."""
    return names if version == "vi-1" else names[::-1]


class Call:
    """A live call that the test plays Asterisk for."""

    def __init__(self, attempt: Claimed, journal: Journal, silence_seconds: float = 60) -> None:
        self.control = Control()
        self.over = asyncio.Event()
        self.live = LiveCall(
            attempt,
            CallSetting(
                control=self.control,
                record=journal.record,
                media=prompts,
                over=lambda _: self.over.set(),
                silence_seconds=silence_seconds,
                clock=lambda: NOW + 30 * SECOND,
            ),
        )
        self._id = str(attempt.attempt_id)

    def answers(self) -> None:
        self.live.feed(ChannelEntered(self._id, NOW, (self._id,), "PJSIP/carrier-1"))

    def presses(self, digit: str, seconds: float = 10) -> None:
        self.live.feed(KeyReceived(self._id, digit, NOW + seconds * SECOND, 120))

    def heard_all(self) -> None:
        playback = self.control.playing[-1]
        self.live.feed(PlaybackFinished(playback, self._id, NOW, "done"))

    async def hangs_up(self) -> None:
        self.live.feed(ChannelDestroyed(self._id, 16, None, "Normal Clearing", NOW + 40 * SECOND))
        async with asyncio.timeout(10):
            await self.over.wait()


INVITATION = "play notice offer menu_replay menu_agent"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool.sqlite"


@contextmanager
def broken(spool: Path) -> Iterator[None]:
    """The spool can't be written meanwhile: its table is away."""
    with closing(sqlite3.connect(spool)) as file:
        file.execute("ALTER TABLE facts RENAME TO facts_away")
    try:
        yield
    finally:
        with closing(sqlite3.connect(spool)) as file:
            file.execute("ALTER TABLE facts_away RENAME TO facts")


@asynccontextmanager
async def gone() -> AsyncIterator[Store]:
    """A store that is not there."""
    store = open_store(f"postgresql://tstn@127.0.0.1:{free_ports(1)[0]}/tstn")
    yield store
    await store.close()


async def test_a_call_plays_the_version_of_its_attempt(store: Store, spool: Path) -> None:
    [attempt] = await calls(store, 1)
    async with running(store, spool) as journal:
        call = Call(replace(attempt, script_version="vi-2"), journal)
        call.answers()
        await call.control.until("play menu_agent menu_replay offer notice")


async def test_key_1_is_committed_before_the_thanks_begin(store: Store, spool: Path) -> None:
    [attempt] = await calls(store, 1)
    at_thanks: list[int] = []
    async with running(store, spool) as journal:
        call = Call(attempt, journal)
        play = call.control.play

        async def watched(
            channel_id: str, playback_id: str, media: Sequence[str], stoppers: str
        ) -> bool:
            if list(media) == ["after_1"]:
                at_thanks.append(len(await all_rows(store, Registration)))
                at_thanks.append(len(await all_rows(store, Callback)))
            return await play(channel_id, playback_id, media, stoppers)

        call.control.play = watched  # type: ignore[method-assign]
        call.answers()
        await call.control.until(INVITATION)
        call.presses("1")
        call.presses("1")  # the same event again
        call.presses("1", seconds=11)  # and a second press
        await call.control.until("play after_1")
        call.heard_all()
        await call.control.until("hang up")
        await call.hangs_up()
    assert at_thanks == [1, 1]
    assert call.control.done == [INVITATION, "stop", "play after_1", "hang up"]
    [registration] = await all_rows(store, Registration)
    assert registration["registered_at"] == NOW + 10 * SECOND
    assert registration["evidence"] == {"key": "1", "script_version": "vi-1"}
    assert len(await all_rows(store, KeyPress)) == 2
    [row] = await all_rows(store, Attempt)
    assert (row["state"], row["disposition"], row["hangup_cause"]) == ("ended", "answered", 16)


async def test_who_presses_and_hangs_up_at_once_is_registered(store: Store, spool: Path) -> None:
    [attempt] = await calls(store, 1)
    async with running(store, spool) as journal:
        call = Call(attempt, journal)
        call.answers()
        call.presses("1")
        await call.hangs_up()
    assert len(await all_rows(store, Registration)) == len(await all_rows(store, Callback)) == 1


async def test_while_the_store_is_away_the_spool_is_thanked_for(store: Store, spool: Path) -> None:
    [attempt] = await calls(store, 1)
    async with gone() as nowhere, running(nowhere, spool) as journal:
        call = Call(attempt, journal)
        call.answers()
        await call.control.until(INVITATION)
        call.presses("1")
        await call.control.until("play after_1")
        await call.hangs_up()
    assert await all_rows(store, Registration) == []
    async with running(store, spool) as journal:
        await replayed(journal)
    [registration] = await all_rows(store, Registration)
    assert registration["registered_at"] == NOW + 10 * SECOND
    assert [row["state"] for row in await all_rows(store, Target)] == [TargetState.CLAIMED]


async def test_kept_nowhere_it_is_not_thanked_for_and_may_be_pressed_again(
    store: Store, spool: Path
) -> None:
    """No promise without a record: the call closes, and key 1 still counts during the close."""
    [attempt] = await calls(store, 1)
    async with gone() as nowhere, running(nowhere, spool) as journal:
        call = Call(attempt, journal)
        call.answers()
        await call.control.until(INVITATION)
        with broken(spool):
            call.presses("1")
            await call.control.until("play close")
        assert "play after_1" not in call.control.done
        call.presses("1", seconds=15)
        await call.control.until("play after_1")
        call.heard_all()
        await call.control.until("hang up")
        await call.hangs_up()
    async with running(store, spool) as journal:
        await replayed(journal)
    [registration] = await all_rows(store, Registration)
    assert registration["registered_at"] == NOW + 15 * SECOND


async def test_an_answer_told_twice_does_not_leave_the_caller_in_silence(
    store: Store, spool: Path
) -> None:
    [attempt] = await calls(store, 1)
    async with running(store, spool) as journal:
        call = Call(attempt, journal, silence_seconds=0.1)
        call.answers()
        await call.control.until(INVITATION)
        call.heard_all()
        call.answers()  # late, while the silence is being waited for
        await call.control.until("play offer menu_replay menu_agent")
        call.heard_all()
        await call.control.until("play close")
        call.heard_all()
        await call.control.until("hang up")
        await call.hangs_up()
