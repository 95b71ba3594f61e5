"""A call that tries a script out, through the real node: heard as real, and nothing comes of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from domain.clock import utc_now
from ivr.ari.client import AriClient
from ivr.ari.websocket import AriStream
from ivr.node import AsteriskNode
from store import trial_calls
from store.claims import Claimed
from store.engine import Store
from store.models import Attempt, Callback, KeyPress, OptOut, Registration, TrialCall
from store.trial_calls import Asked
from tests.fakes.ari_server import FakeAri, channel, key
from tests.integration.test_ivr_node import SETTING, Node, destroyed, prompts, ready, start
from tests.journals import running
from tests.rows import all_rows, make_campaign

OWN = "+84901234567"
WORDS = "notice,offer,menu_replay,menu_agent,menu_refuse"


async def asked_and_taken(store: Store) -> Claimed:
    campaign = await make_campaign(store, purpose="advertising")
    now = utc_now()
    await store.write(trial_calls.ask, Asked(campaign, OWN, "vi-1", "Lan"), now)
    taken = await store.write(trial_calls.take, "node1", "carrier", 180, now)
    assert taken is not None
    return taken


@asynccontextmanager
async def calling(store: Store, spool: Path) -> AsyncIterator[Node]:
    async with (
        FakeAri() as asterisk,
        AriClient(asterisk.url, "tstn", "secret", "tstn") as client,
        running(store, spool) as journal,
        ready(
            AsteriskNode(SETTING, client, AriStream(client), store, journal, prompts, utc_now)
        ) as node,
    ):
        attempt = await asked_and_taken(store)
        assert await node.originate(attempt)
        yield Node(node, asterisk, store, journal, str(attempt.attempt_id))


@pytest.fixture
async def node(store: Store, tmp_path: Path) -> AsyncIterator[Node]:
    async with calling(store, tmp_path / "spool.sqlite") as opened:
        yield opened


async def row_of(store: Store) -> dict[str, Any]:
    [row] = await all_rows(store, TrialCall)
    return row


async def assert_nothing_came_of_it(store: Store) -> None:
    for row in (Attempt, KeyPress, Registration, Callback, OptOut):
        assert await all_rows(store, row) == []


@pytest.mark.parametrize(
    ("pressed", "heard"), [("1", "after_1"), ("9", "refused"), ("3", "no_agent")]
)
async def test_each_key_is_answered_and_nothing_is_done(
    node: Node, pressed: str, heard: str
) -> None:
    await node.send(start(node.call), key(node.call, pressed))
    assert node.played() == [WORDS, heard]
    assert (await row_of(node.store))["keys"] == pressed
    await node.send(destroyed(node.call))
    row = await row_of(node.store)
    assert (row["disposition"], row["hangup_cause"], row["keys"]) == ("answered", 16, pressed)
    await assert_nothing_came_of_it(node.store)
    assert node.node.calls == {}
    tally = node.node.call_setting.tally
    assert (tally.keys, tally.originated, tally.ended, tally.agents) == ({}, {}, {}, {})


async def test_after_a_gap_it_is_closed_and_its_channel_hung_up(node: Node) -> None:
    await node.send(start(node.call))
    node.asterisk.drop()
    await node.asterisk.until(lambda: bool(node.asterisk.seen("DELETE", f"/channels/{node.call}")))
    async with asyncio.timeout(10):
        while (row := await row_of(node.store))["ended_at"] is None:
            await asyncio.sleep(0.01)
    assert row["disposition"] == "answered"
    assert node.node.calls == {}


async def test_a_process_before_us_leaves_none_open(store: Store, tmp_path: Path) -> None:
    attempt = await asked_and_taken(store)
    async with (
        FakeAri() as asterisk,
        AriClient(asterisk.url, "tstn", "secret", "tstn") as client,
        running(store, tmp_path / "spool.sqlite") as journal,
    ):
        asterisk.channels[str(attempt.attempt_id)] = channel(str(attempt.attempt_id))
        made = AsteriskNode(SETTING, client, AriStream(client), store, journal, prompts, utc_now)
        async with ready(made) as node:
            assert (await row_of(store))["disposition"] == "unknown"
            assert asterisk.seen("DELETE", f"/channels/{attempt.attempt_id}")
            assert not await node.originate(attempt)  # it was claimed before: not dialled late
            assert asterisk.seen("POST", f"/channels/{attempt.attempt_id}") == []
            await journal.flush()
    assert (await row_of(store))["disposition"] in ("unknown", "not_dialled")
