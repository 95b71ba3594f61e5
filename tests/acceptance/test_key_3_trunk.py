"""Key 3 handed over to a 9090 of somebody else, behind a trunk. I/O."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from domain.msisdn import national
from lab.behaviours import FAST, numbers_for
from lab.network import Network
from lab.phones import ELSEWHERE, Manner
from tests.acceptance.agent_desk import Desk, desk

TALKS, REFUSED = numbers_for("press-3", 2)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(
        tmp_path_factory.mktemp("key-3-trunk"),
        timing=FAST,
        talking={national(TALKS): 200},
        phones=("agent1",),
        sections={
            "agents": {"hand_over": "trunk", "wait_seconds": 3},
            "callbacks": {"agents_hours": ["00:00-24:00"]},
        },
    ) as running:
        yield running


@pytest.fixture
async def here(network: Network, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(network.settings, tmp_path) as made:
        await made.until(lambda: made.queue.trouble is None)
        yield made


async def test_somebody_elses_agent_takes_the_call(here: Desk, network: Network) -> None:
    network.phones.tell(ELSEWHERE, Manner.ANSWER, talk_seconds=3)
    call = await here.call_subscriber(TALKS)
    row = await here.until_attempt(call, lambda row: row["ended_at"])
    assert (row["queue_outcome"], row["queue_agent_id"]) == ("connected", None)
    talk = (row["queue_left_at"] - row["queue_connected_at"]).total_seconds()
    assert 2 < talk < 5
    assert await here.advice() == []


@pytest.mark.parametrize(
    ("manner", "outcome"), [(Manner.DECLINE, "no_agent"), (Manner.SILENT, "timed_out")]
)
async def test_nobody_there_takes_it(
    here: Desk, network: Network, manner: Manner, outcome: str
) -> None:
    network.phones.tell(ELSEWHERE, manner)
    call = await here.call_subscriber(REFUSED)
    row = await here.until_attempt(call, lambda row: row["ended_at"])
    assert (row["queue_outcome"], row["queue_connected_at"]) == (outcome, None)
    assert await here.advice() == [REFUSED]
