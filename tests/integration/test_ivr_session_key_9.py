"""Key 9 in a live call: the refusal is durable first, then confirmed; only in advertising. I/O."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ivr.reports import refusal
from store.apply import apply
from store.claims import Claimed
from store.engine import Store
from store.journal import Journal
from store.models import Event, OptOut
from tests.integration.test_ivr_session_key_1 import INVITATION, Call, gone
from tests.journals import calls, replayed, running
from tests.rows import BY_NINE, NOW, all_rows, claim_some, make_campaign

REFUSABLE = f"{INVITATION} menu_refuse"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool.sqlite"


class AtConfirmation(Call):
    """Counts the refusals that are committed when the confirmation begins."""

    def __init__(self, store: Store, journal: Journal, attempt: Claimed) -> None:
        super().__init__(attempt, journal)
        self.committed: list[int] = []
        play = self.control.play

        async def counted(channel: str, playback: str, media: Sequence[str], keys: str) -> bool:
            if list(media) == ["refused"]:
                self.committed.append(len(await all_rows(store, OptOut)))
            return await play(channel, playback, media, keys)

        self.control.play = counted  # type: ignore[method-assign]


async def test_a_refusal_is_committed_before_it_is_confirmed(store: Store, spool: Path) -> None:
    [attempt] = await calls(store, 1)
    async with running(store, spool) as journal:
        call = AtConfirmation(store, journal, replace(attempt, may_refuse=True))
        call.answers()
        call.presses("9")
        await call.control.until("play refused")
        call.presses("9", 11)
        call.heard_all()
        await call.control.until("hang up")
        await call.hangs_up()
    assert call.committed == [1]
    assert call.control.done == [REFUSABLE, "stop", "play refused", "hang up"]
    [row] = await all_rows(store, OptOut)
    assert (row["msisdn"], row["source_id"]) == (attempt.msisdn, f"ivr:{attempt.attempt_id}")
    assert (row["at"] - NOW).total_seconds() == 10
    assert [e["kind"] for e in await all_rows(store, Event)].count("opted_out") == 1
    other = await make_campaign(store, [attempt.msisdn], "other")
    assert await claim_some(store, other) == []


async def test_9_is_a_wrong_key_in_any_other_campaign(store: Store, spool: Path) -> None:
    [attempt] = await calls(store, 1)
    async with running(store, spool) as journal:
        call = Call(attempt, journal)
        call.answers()
        call.presses("9")
        await call.control.until("play offer menu_replay menu_agent")
        await call.hangs_up()
    assert await all_rows(store, OptOut) == []


async def test_a_refusal_while_the_store_is_away_is_spooled_and_confirmed(
    store: Store, spool: Path
) -> None:
    [attempt] = await calls(store, 1)
    async with gone() as away, running(away, spool) as journal:
        call = Call(replace(attempt, may_refuse=True), journal)
        call.answers()
        call.presses("9")
        await call.control.until("play refused")
        await call.hangs_up()
    async with running(store, spool) as journal:
        await replayed(journal)
    assert [row["msisdn"] for row in await all_rows(store, OptOut)] == [attempt.msisdn]


async def test_a_refusal_told_twice_is_one(store: Store) -> None:
    [attempt] = await calls(store, 1)
    fact = refusal(attempt, NOW)
    for _ in range(2):
        await store.write(apply, [fact, fact], BY_NINE)
    assert len(await all_rows(store, OptOut)) == 1
