"""Key 3 with real phones: an agent on duty, none, one who does not answer, one not waited for."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.msisdn import national
from ivr.queue_9090 import Member
from ivr.script import State
from lab.behaviours import FAST, numbers_for
from lab.listen import hear, read_samples
from lab.network import CHECKOUT, Network
from lab.phones import Manner
from tests.acceptance.agent_desk import Desk, desk
from tests.acceptance.rehearsal import until

WAIT_SECONDS = 4
TALKS, LEAVES, WAITS, ALONE, AGAIN = numbers_for("press-3", 5)
LEAVES_AFTER = 2
ANN, BE = Member(7, "agent1", paused=False), Member(8, "agent2", paused=False)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(
        tmp_path_factory.mktemp("key-3"),
        timing=FAST,
        recording=True,
        talking={national(TALKS): 200, national(LEAVES): LEAVES_AFTER, national(AGAIN): 200},
        phones=("agent1", "agent2"),
        sections={
            "agents": {"wait_seconds": WAIT_SECONDS},
            "callbacks": {"agents_hours": ["00:00-24:00"]},
        },
    ) as running:
        yield running


@pytest.fixture
async def here(network: Network, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(network.settings, tmp_path) as made:
        await made.until(lambda: made.queue.view)
        yield made


async def on_duty(here: Desk, *members: Member) -> None:
    """The agents go on duty, and Asterisk knows it."""
    here.duty.on = list(members)
    free = sum(not member.paused for member in members)
    await here.until(lambda: here.queue.view and here.queue.view.free_agents == free)


def seconds(row: dict[str, Any], start: str, end: str) -> float:
    return float((row[end] - row[start]).total_seconds())


def answers(network: Network) -> int:
    """How often agents' phones have answered so far."""
    return sum(event.event == "answer" for event in network.phones.events())


def prompts_heard(network: Network, number: str) -> list[str]:
    """Of the closing sentences, those that the subscriber heard."""
    names = ("no_agent", "close")
    folder = CHECKOUT / "var" / "prompts" / "vi-1"
    prompts = {name: read_samples(folder / f"{name}.wav") for name in names}
    recording = network.carrier.recordings(national(number))[-1]
    return [one.name for one in hear(read_samples(recording), prompts)]


async def test_an_agent_takes_the_call_and_both_talk(here: Desk, network: Network) -> None:
    network.phones.tell("agent1", Manner.ANSWER, talk_seconds=8)
    await on_duty(here, ANN)
    call = await here.call_subscriber(TALKS)
    row = await here.until_attempt(call, lambda row: row["queue_connected_at"])
    assert here.node.calls[str(call)].standing.state is State.WITH_AGENT
    await here.until(lambda: here.queue.view and here.queue.view.free_agents == 0)
    row = await here.until_attempt(call, lambda row: row["ended_at"])
    assert (row["disposition"], row["queue_outcome"]) == ("answered", "connected")
    assert row["queue_agent_id"] == ANN.agent_id
    assert 0.2 < seconds(row, "queue_joined_at", "queue_connected_at") < 4
    assert 4.5 < seconds(row, "queue_connected_at", "queue_left_at") < 10
    assert await here.advice() == []
    voices = {
        "agent": read_samples(network.phones.voice("agent1")),
        "subscriber": read_samples(network.carrier.voice(national(TALKS))),
    }
    by_agent = read_samples(network.phones.recordings("agent1")[-1])
    by_subscriber = read_samples(network.carrier.recordings(national(TALKS))[-1])
    assert {one.name for one in hear(by_agent, voices)} == {"subscriber"}
    assert {one.name for one in hear(by_subscriber, voices)} == {"agent"}


async def test_nobody_on_duty(here: Desk, network: Network) -> None:
    call = await here.call_subscriber(ALONE)
    row = await here.until_attempt(call, lambda row: row["ended_at"])
    assert (row["queue_outcome"], row["queue_joined_at"]) == ("no_agent", None)
    assert await here.advice() == [ALONE]
    assert prompts_heard(network, ALONE) == ["no_agent"]


async def test_all_are_paused(here: Desk) -> None:
    paused = Member(ANN.agent_id, ANN.phone, paused=True)
    await on_duty(here, ANN)
    await on_duty(here, paused)
    call = await here.call_subscriber(ALONE)
    row = await here.until_attempt(call, lambda row: row["ended_at"])
    assert row["queue_outcome"] == "no_agent"
    assert await here.advice() == [ALONE]


async def test_the_agents_phone_is_not_answered(here: Desk, network: Network) -> None:
    network.phones.tell("agent2", Manner.SILENT)
    await on_duty(here, BE)
    call = await here.call_subscriber(WAITS)
    row = await here.until_attempt(call, lambda row: row["ended_at"])
    assert (row["queue_outcome"], row["queue_connected_at"]) == ("timed_out", None)
    waited = seconds(row, "queue_joined_at", "queue_left_at")
    assert WAIT_SECONDS - 0.5 < waited < WAIT_SECONDS + 3
    assert await here.advice() == [WAITS]
    assert prompts_heard(network, WAITS) == ["no_agent"]


async def test_who_hangs_up_while_waiting_is_called_back(here: Desk, network: Network) -> None:
    network.phones.tell("agent2", Manner.SILENT)
    await on_duty(here, BE)
    call = await here.call_subscriber(LEAVES)
    await here.until(lambda: here.queue.view and here.queue.view.waiting == 1)
    row = await here.until_attempt(call, lambda row: row["ended_at"])
    assert row["queue_outcome"] == "abandoned"
    assert await here.advice() == [LEAVES]
    await here.until(lambda: here.queue.view and here.queue.view.waiting == 0)


async def test_our_process_is_another_one_while_they_talk(network: Network, tmp_path: Path) -> None:
    network.phones.tell("agent1", Manner.ANSWER, talk_seconds=6)
    async with desk(network.settings, tmp_path) as before:
        await before.until(lambda: before.queue.view)
        await on_duty(before, ANN)
        call = await before.call_subscriber(AGAIN)
        await before.until_attempt(call, lambda row: row["queue_connected_at"])
    async with desk(network.settings, tmp_path) as after:
        assert after.node.calls[str(call)].standing.state is State.WITH_AGENT
        row = await after.until_attempt(call, lambda row: row["ended_at"])
        assert (row["disposition"], row["queue_outcome"]) == ("answered", "connected")
        assert seconds(row, "queue_connected_at", "queue_left_at") > 4
        assert await after.advice() == []


async def test_taken_while_nobody_listened_to_the_queue(network: Network, tmp_path: Path) -> None:
    """AgentConnect was missed: whom the caller is with is asked for."""
    network.phones.tell("agent1", Manner.ANSWER, talk_seconds=8, ring_seconds=2)
    answered = answers(network)
    async with desk(network.settings, tmp_path) as before:
        await before.until(lambda: before.queue.view)
        await on_duty(before, ANN)
        call = await before.call_subscriber(AGAIN)
        joined = await before.until_attempt(call, lambda row: row["queue_joined_at"])
        assert not joined["queue_connected_at"]
    until(lambda: answers(network) > answered, 10, lambda: "the agent does not answer")
    network.phones.tell("agent1", Manner.ANSWER, ring_seconds=0.3)
    async with desk(network.settings, tmp_path) as after:
        row = await after.until_attempt(call, lambda row: row["ended_at"])
        assert (row["queue_outcome"], row["queue_agent_id"]) == ("connected", ANN.agent_id)
        assert await after.advice() == []


async def test_asterisk_is_killed_and_its_members_come_back(here: Desk, network: Network) -> None:
    await on_duty(here, ANN, BE)
    network.asterisk.kill()
    await here.until(lambda: here.queue.view is None)
    network.asterisk.start()
    await here.until(lambda: here.node.ready and here.queue.view)
    await here.until(lambda: here.queue.view and here.queue.view.free_agents == 2)
    network.phones.tell("agent1", Manner.ANSWER, talk_seconds=2)
    network.phones.tell("agent2", Manner.ANSWER, talk_seconds=2)
    call = await here.call_subscriber(AGAIN)
    row = await here.until_attempt(call, lambda row: row["ended_at"])
    assert row["queue_outcome"] == "connected"
