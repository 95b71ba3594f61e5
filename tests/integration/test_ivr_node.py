"""Events doubled, late, out of order or unknown: through the real node to the rows. I/O."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.clock import utc_now
from domain.msisdn import national
from domain.states import Purpose
from ivr import reports
from ivr.ari.client import AriClient
from ivr.ari.websocket import AriStream
from ivr.node import AsteriskNode, NodeSetting
from store.apply import apply
from store.claims import Claimed
from store.engine import Store
from store.facts import Fact
from store.journal import Journal
from store.models import Attempt, Callback, KeyPress, Registration
from tests.fakes.ari_server import FakeAri, channel, event, key
from tests.journals import running
from tests.rows import BY_NINE, NOW, all_rows, claim_some, make_campaign, numbers

SETTING = NodeSetting("node1", "9090", national, max_call_seconds=180, silence_seconds=30)
INVITATION = "notice,offer,menu_replay,menu_agent"


@dataclass
class Node:
    """A node that is ready, its Asterisk, and one call that it has dialled."""

    node: AsteriskNode
    asterisk: FakeAri
    store: Store
    journal: Journal
    call: str

    async def send(self, *frames: dict[str, Any] | bytes) -> None:
        """Events, read and acted on when this returns."""
        await self.asterisk.send(*frames)
        await self.asterisk.caught_up()
        await asyncio.gather(*working(self.node))
        await self.journal.flush()

    def played(self) -> list[str]:
        """The prompts of each playback that was asked for, by name."""
        return [
            request.query["media"].replace("sound:", "")
            for request in self.asterisk.requests
            if request.path.startswith(f"/channels/{self.call}/play/")
        ]

    async def attempt(self) -> dict[str, Any]:
        [row] = await all_rows(self.store, Attempt)
        return row


def prompts(_: str, names: Sequence[str]) -> Sequence[str]:
    """The prompts by their names alone."""
    return names


def working(node: AsteriskNode) -> list[asyncio.Task[None]]:
    """The calls' tasks that have not come to an end."""
    ours = "LiveCall._work"
    return [task for task in asyncio.all_tasks() if ours in repr(task.get_coro())]


@pytest.fixture
async def node(store: Store, tmp_path: Path) -> AsyncIterator[Node]:
    async with (
        FakeAri() as asterisk,
        AriClient(asterisk.url, "tstn", "secret", "tstn") as client,
        running(store, tmp_path / "spool.sqlite") as journal,
        ready(
            AsteriskNode(SETTING, client, AriStream(client), store, journal, prompts, utc_now)
        ) as ready_node,
    ):
        campaign = await make_campaign(store, numbers(1))
        [attempt] = await claim_some(store, campaign, now=utc_now())
        assert await ready_node.originate(attempt)
        yield Node(ready_node, asterisk, store, journal, str(attempt.attempt_id))


def made(client: AriClient, store: Store, journal: Journal) -> AsteriskNode:
    return AsteriskNode(SETTING, client, AriStream(client), store, journal, prompts, utc_now)


@asynccontextmanager
async def ready(node: AsteriskNode) -> AsyncIterator[AsteriskNode]:
    run = asyncio.create_task(node.run())
    async with asyncio.timeout(10):
        while not node.ready:
            await asyncio.sleep(0.01)
    yield node
    assert not run.done()
    run.cancel()
    await asyncio.wait({run})


def start(call: str) -> dict[str, Any]:
    return event("StasisStart", channel=channel(call), args=[call])


def destroyed(call: str, cause: int = 16) -> dict[str, Any]:
    return event("ChannelDestroyed", channel=channel(call), cause=cause, cause_txt="Normal")


async def test_a_doubled_answer_is_one(node: Node) -> None:
    await node.send(start(node.call), start(node.call))
    assert node.played() == [INVITATION]
    assert (await node.attempt())["state"] == "answered"
    await node.send(destroyed(node.call))
    row = await node.attempt()
    assert (row["state"], row["disposition"], row["hangup_cause"]) == ("ended", "answered", 16)


async def test_a_doubled_key_is_one(node: Node) -> None:
    await node.send(start(node.call), key(node.call, "1"), key(node.call, "1"))
    assert node.played() == [INVITATION, "after_1"]
    for row in (KeyPress, Registration, Callback):
        assert len(await all_rows(node.store, row)) == 1


async def test_a_second_key_1_is_kept_and_changes_nothing(node: Node) -> None:
    later = key(node.call, "1") | {"timestamp": "2026-01-05T02:00:02.500+0000"}
    await node.send(start(node.call), key(node.call, "1"), later)
    assert node.played() == [INVITATION, "after_1"]
    assert len(await all_rows(node.store, KeyPress)) == 2
    assert len(await all_rows(node.store, Registration)) == 1


async def test_a_key_that_overtakes_the_answer_counts(node: Node) -> None:
    await node.send(key(node.call, "1"), start(node.call))
    assert len(await all_rows(node.store, Registration)) == 1
    assert node.played() == ["after_1"]


async def test_an_end_before_its_answer_is_an_end(node: Node) -> None:
    await node.send(destroyed(node.call))
    await node.send(start(node.call), destroyed(node.call))
    row = await node.attempt()
    assert (row["state"], row["disposition"]) == ("ended", "unknown")
    assert node.node.calls == {}
    assert node.played() == []


async def test_what_comes_after_the_end_changes_nothing(node: Node) -> None:
    await node.send(start(node.call), destroyed(node.call))
    before = await node.attempt()
    await node.send(key(node.call, "2"), destroyed(node.call, cause=34))
    assert await node.attempt() == before
    assert await all_rows(node.store, KeyPress) == []
    assert node.node.calls == {}


async def test_what_nobody_knows_is_passed_over(node: Node) -> None:
    stranger = "1700000000.17"
    await node.send(
        b"\xff not JSON",
        event("SomethingNew", channel=channel(node.call)),
        {"type": "StasisStart"},
        start(stranger),
        key(stranger, "1"),
        destroyed(stranger),
        start(node.call),
    )
    assert node.played() == [INVITATION]
    assert node.asterisk.seen("DELETE", f"/channels/{stranger}") == []
    assert await all_rows(node.store, Registration) == []


async def test_a_call_that_nobody_waits_for_is_hung_up(node: Node) -> None:
    lost = "0192f0c1-0000-7000-8000-000000000001"
    await node.send(start(lost), key(lost, "1"))
    await node.asterisk.until(lambda: bool(node.asterisk.seen("DELETE", f"/channels/{lost}")))
    assert await all_rows(node.store, Registration) == []
    assert (await node.attempt())["state"] == "dialling"


# -- a gap in the events


async def reconnected(node: Node, *, gone: bool = False) -> None:
    """The websocket breaks and stands again; meanwhile the channel may have gone."""
    if gone:
        node.asterisk.channels.pop(node.call)
    node.asterisk.drop()
    async with asyncio.timeout(10):
        while node.node.ready:
            await asyncio.sleep(0.01)
        while not node.node.ready:
            await asyncio.sleep(0.01)
    await node.asterisk.caught_up()
    await asyncio.gather(*working(node.node))
    await node.journal.flush()


async def test_who_waited_for_an_agent_when_it_broke_is_called_back(node: Node) -> None:
    await node.send(start(node.call), key(node.call, "3"))
    assert (await node.attempt())["queue_joined_at"] is not None
    await reconnected(node, gone=True)
    assert (await node.attempt())["disposition"] == "answered"
    [callback] = await all_rows(node.store, Callback)
    assert (callback["kind"], callback["msisdn"]) == ("advice", *numbers(1))


async def test_key_1_and_the_end_may_come_while_it_is_made_good(node: Node) -> None:
    await node.send(start(node.call))
    go_on = node.asterisk.will_hold("GET", "/channels")
    node.asterisk.channels.pop(node.call)
    sockets = len(node.asterisk.seen("GET", "/events"))
    node.asterisk.drop()
    await node.asterisk.until(lambda: bool(node.asterisk.sockets))
    assert len(node.asterisk.seen("GET", "/events")) == sockets + 1
    await node.asterisk.until(lambda: node.asterisk.requests[-1].path == "/channels")
    await node.asterisk.send(key(node.call, "1"), destroyed(node.call))
    go_on.set()
    async with asyncio.timeout(10):
        while not node.node.ready:
            await asyncio.sleep(0.01)
    await node.asterisk.caught_up()
    await asyncio.gather(*working(node.node))
    await node.journal.flush()
    assert (await node.attempt())["disposition"] == "answered"
    assert len(await all_rows(node.store, Registration)) == 1


async def test_what_is_being_said_is_said_to_its_end(node: Node) -> None:
    await node.send(start(node.call), key(node.call, "1"))
    before = len(node.asterisk.requests)
    node.asterisk.channels[node.call] = up(node.call)
    await reconnected(node)
    assert [r for r in node.asterisk.requests[before:] if r.method == "DELETE"] == []
    assert node.played() == [INVITATION, "after_1"]


async def test_an_answer_that_was_missed_is_an_answer(node: Node) -> None:
    node.asterisk.channels[node.call] = up(node.call)
    await reconnected(node)
    assert node.played() == [INVITATION]
    assert (await node.attempt())["state"] == "answered"


async def test_a_key_just_before_another_server_takes_over_is_kept(node: Node) -> None:
    """Asterisk tells one of the two: what this one says and does to the call is over."""
    await node.send(start(node.call))
    so_far = len(node.asterisk.requests)
    await node.asterisk.send(key(node.call, "1"), event("ApplicationReplaced"))
    async with asyncio.timeout(10):
        while node.node.calls:
            await asyncio.sleep(0.005)
    await asyncio.gather(*working(node.node))
    await node.journal.flush()
    for row in (KeyPress, Registration, Callback):
        assert len(await all_rows(node.store, row)) == 1
    assert node.asterisk.requests[so_far:] == []
    assert (await node.attempt())["state"] == "answered"


def up(call: str) -> dict[str, Any]:
    """Our channel, answered and in our app, as Asterisk lists it."""
    return channel(call) | {"state": "Up", "dialplan": {"app_name": "Stasis"}}


# -- taken over by the next process


@asynccontextmanager
async def taken_over(
    store: Store, directory: Path, before: Callable[[Claimed], Fact], **campaign: Any
) -> AsyncIterator[Node]:
    """A call that is up, of a process before this one, which had that fact committed."""
    [attempt] = await claim_some(store, await make_campaign(store, numbers(1), **campaign))
    await store.write(apply, [reports.answered(attempt, NOW), before(attempt)], BY_NINE)
    call = str(attempt.attempt_id)
    async with (
        FakeAri() as asterisk,
        AriClient(asterisk.url, "tstn", "secret", "tstn") as client,
        running(store, directory / "spool.sqlite") as journal,
    ):
        asterisk.channels[call] = up(call)
        async with ready(made(client, store, journal)) as next_node:
            taken = Node(next_node, asterisk, store, journal, call)
            await taken.send()
            yield taken


async def test_who_has_refused_is_told_so_by_the_next_process(store: Store, tmp_path: Path) -> None:
    def refused(attempt: Claimed) -> Fact:
        return reports.refusal(attempt, NOW)

    async with taken_over(store, tmp_path, refused, purpose=Purpose.ADVERTISING) as node:
        assert node.played() == ["refused"]


async def test_who_came_back_from_the_queue_meanwhile_is_promised_a_call(
    store: Store, tmp_path: Path
) -> None:
    def handed_over(attempt: Claimed) -> Fact:
        return reports.handed_over(attempt, NOW, NOW + timedelta(hours=1))

    async with taken_over(store, tmp_path, handed_over) as node:
        assert node.played() == ["no_agent"]
        [callback] = await all_rows(store, Callback)
        assert callback["kind"] == "advice"
