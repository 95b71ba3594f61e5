"""An agent's call to a subscriber, with real phones on both sides. I/O."""

import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from domain.clock import utc_now
from domain.dispositions import Disposition
from domain.msisdn import national
from ivr.agent_call_script import State
from ivr.agent_call_setting import AgentCall
from lab.behaviours import FAST, numbers_for
from lab.child import Child
from lab.listen import hear, read_samples
from lab.network import Network
from lab.phones import Manner
from tests.acceptance.agent_desk import Desk, desk
from tests.acceptance.rehearsal import until
from tests.agent_rows import AgentRows

TALKER, LEAVER, KILLED = numbers_for("silent", 3)
STAYS_SECONDS = 3
WAV_HEADER = 44


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
    network.phones.tell("agent1", Manner.ANSWER, talk_seconds=8)
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


async def test_both_talk_and_the_subscriber_hangs_up(here: Desk, network: Network) -> None:
    network.phones.tell("agent2", Manner.ANSWER, talk_seconds=60)
    call = await here.place("agent2", LEAVER)
    row = await here.until_ended(call)
    assert (row["disposition"], row["hangup_cause"]) == ("answered", 16)
    assert here.seen[call][-2:] == [State.SUBSCRIBER_LEFT, State.ENDED]
    assert here.calls.state(call) is None


@pytest.mark.parametrize(
    ("behaviour", "disposition", "causes"),
    [
        ("busy", "busy", (17, 486)),
        ("switched-off", "unreachable", (19, 480)),
        ("no-answer", "no_answer", (19, 480)),
        ("invalid", "invalid_number", (1, 404)),
    ],
)
async def test_the_subscriber_does_not_answer(
    here: Desk, network: Network, behaviour: str, disposition: str, causes: tuple[int, int]
) -> None:
    network.phones.tell("agent2", Manner.ANSWER, talk_seconds=60)
    call = await here.place("agent2", numbers_for(behaviour, start=1)[0])
    row = await here.until_ended(call)
    assert row["disposition"] == disposition
    assert (row["hangup_cause"], row["tech_cause"]) == causes
    assert row["subscriber_answered_at"] is None
    assert (State.RINGING in here.seen[call]) == (behaviour == "no-answer")
    assert await here.calls.client.channels() == []


@pytest.mark.parametrize(
    ("manner", "outcome", "cause"),
    [(Manner.DECLINE, Disposition.REJECTED, 21), (Manner.SILENT, Disposition.NO_ANSWER, 19)],
)
async def test_the_agent_does_not_answer_and_nobody_is_dialled(
    here: Desk, network: Network, manner: Manner, outcome: Disposition, cause: int
) -> None:
    network.phones.tell("agent3", manner)
    call = await here.place("agent3", numbers_for("silent", start=2)[0])
    row = await here.until_ended(call)
    assert (row["disposition"], row["hangup_cause"]) == ("not_dialled", cause)
    assert row["subscriber_dialled_at"] is None
    assert here.ended[call].agent is outcome
    dialled = {event.number for event in network.carrier.invites()}
    assert national(numbers_for("silent", start=2)[0]) not in dialled


async def test_a_phone_that_is_not_registered(here: Desk) -> None:
    call = await here.place("agent9", TALKER)
    row = await here.until_ended(call)
    assert row["disposition"] == "not_dialled"
    assert here.ended[call].agent is Disposition.UNREACHABLE


async def test_the_agent_gives_up_while_it_rings(here: Desk, network: Network) -> None:
    network.phones.tell("agent2", Manner.ANSWER, talk_seconds=60)
    before = recordings(network, "agent2")
    call = await here.place("agent2", numbers_for("no-answer", start=3)[0])
    await here.until_state(call, State.RINGING)
    await here.until(lambda: any(map(has_sound, recordings(network, "agent2") - before)))
    assert await here.calls.hang_up(call)
    row = await here.until_ended(call)
    assert row["disposition"] == "no_answer"
    assert not await here.calls.hang_up(call)


async def test_killed_while_they_talk_the_talk_goes_on_and_its_end_is_recorded(
    network: Network, tmp_path: Path
) -> None:
    network.phones.tell("agent1", Manner.ANSWER, talk_seconds=20)
    rows = AgentRows(tmp_path / "agent-calls.sqlite")
    child = Child(
        "the agents' desk",
        [
            *(sys.executable, "-m", "tests.acceptance.agent_desk"),
            *(network.settings_file, tmp_path, "agent1", KILLED),
        ],
        tmp_path / "desk.log",
    )
    until(lambda: any(row["subscriber_answered_at"] for row in rows.rows()), 25, lambda: "no talk")
    child.kill()
    [row] = rows.rows()
    assert row["ended_at"] is None
    heard_before = voice_seconds(network)
    until(lambda: voice_seconds(network) > heard_before + 1, 10, lambda: "the talk is silent")
    async with desk(network.settings, tmp_path) as after:
        call = UUID(row["id"])
        standing = after.calls.state(call)
        assert standing is not None
        assert standing.state is State.TALKING
        ended = await after.until_ended(call)
        assert (ended["disposition"], ended["hangup_cause"]) == ("answered", 16)
        assert await after.calls.client.bridges() == []
        assert await after.calls.client.channels() == []
    heard = hear(read_samples(network.phones.recordings("agent1")[-1]), voices(network))
    assert {one.name for one in heard} == {KILLED}
    assert heard[-1].start_seconds + heard[-1].heard_seconds > 9


async def test_asterisk_itself_ends_a_talk_that_is_too_long(here: Desk, network: Network) -> None:
    """Nothing of ours ends it here: so it ends though we were dead."""
    network.phones.tell("agent2", Manner.ANSWER, talk_seconds=60)
    here.calls.setting = replace(here.calls.setting, ring_timeout_seconds=2, max_talk_seconds=2)
    call = await here.place("agent2", TALKER)
    row = await here.until_ended(call)
    assert row["disposition"] == "answered"
    answered, ended = (
        datetime.fromisoformat(row[name]) for name in ("subscriber_answered_at", "ended_at")
    )
    assert 2 < (ended - answered).total_seconds() < 6


async def test_killed_before_anything_was_dialled(network: Network, tmp_path: Path) -> None:
    """The row stands, no channel: it is closed at the start, and never dialled."""
    rows = AgentRows(tmp_path / "agent-calls.sqlite")
    call = AgentCall(uuid4(), "agent1", TALKER, utc_now())
    rows.begin(call)
    before = len(network.phones.events())
    async with desk(network.settings, tmp_path) as after:
        ended = await after.until_ended(call.call_id)
        assert ended["disposition"] == "not_dialled"
        assert not await after.calls.place(call), "what was closed must not be dialled"
    assert len(network.phones.events()) == before


def recordings(network: Network, agent: str) -> set[Path]:
    """What this agent has heard, or hears right now, a file a call."""
    return set(network.phones.recordings_dir.glob(f"{agent}-*.wav"))


def has_sound(growing: Path) -> bool:
    """Whether a recording has more than silence so far."""
    sound = growing.read_bytes()[WAV_HEADER:]
    samples = np.frombuffer(sound[: len(sound) // 2 * 2], np.int16)
    return bool((abs(samples) > 1000).any())


def voice_seconds(network: Network) -> float:
    """How long the recording of the talk is by now."""
    file = max(recordings(network, "agent1"), key=lambda file: file.stat().st_mtime)
    return file.stat().st_size / 16000
