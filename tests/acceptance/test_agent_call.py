"""An agent's call to a subscriber, with real phones on both sides. I/O."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from domain.msisdn import national
from ivr.agent_call_script import State
from lab.behaviours import FAST, numbers_for
from lab.listen import hear, read_samples
from lab.network import Network
from lab.phones import Manner
from tests.acceptance.agent_desk import Desk, desk

TALKER, LEAVER, KILLED = numbers_for("silent", 3)
STAYS_SECONDS = 3


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(
        tmp_path_factory.mktemp("agents"),
        timing=FAST,
        recording=True,
        talking={national(TALKER): 200, national(LEAVER): STAYS_SECONDS, national(KILLED): 200},
        phones=("agent1", "agent2", "agent3"),
        sections={"agents": {"ring_seconds": 3}},
    ) as running:
        yield running


@pytest.fixture
async def here(network: Network, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(network.settings, tmp_path) as made:
        yield made


def voices(network: Network) -> dict[str, object]:
    agents = {name: network.phones.voice(name) for name in network.phones.names}
    subscribers = {n: network.carrier.voice(national(n)) for n in (TALKER, LEAVER, KILLED)}
    return {name: read_samples(file) for name, file in {**agents, **subscribers}.items()}


async def test_both_talk_and_the_agent_hangs_up(here: Desk, network: Network) -> None:
    network.phones.tell("agent1", Manner.ANSWER, talk_seconds=4)
    call = await here.place("agent1", TALKER)
    await here.until_state(call, State.TALKING)
    row = await here.until_ended(call)
    assert row["disposition"] == "answered"
    assert row["hangup_cause"] == 16
    times = [row[name] for name in ("started_at", "agent_ringing_at", "agent_answered_at")]
    times += [row["subscriber_dialled_at"], row["subscriber_answered_at"], row["ended_at"]]
    assert times == sorted(times)
    assert here.seen[call] == list(dict.fromkeys(here.seen[call]))
    [by_agent] = network.phones.recordings("agent1")
    [by_subscriber] = network.carrier.recordings(national(TALKER))
    assert {one.name for one in hear(read_samples(by_agent), voices(network))} == {TALKER}
    assert {one.name for one in hear(read_samples(by_subscriber), voices(network))} == {"agent1"}
    assert await here.calls.client.bridges() == []
    assert await here.calls.client.channels() == []
