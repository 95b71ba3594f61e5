"""The queue's members follow the duty rows, whatever Asterisk has or forgets. I/O."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.errors import StoreUnavailable
from domain.states import QueueOutcome
from ivr.ami.connection import AmiConnection
from ivr.queue_9090 import Member, Queue9090, agent_of
from tests.fakes.ami_server import Action, FakeAmi, block
from tests.rows import NOW


@dataclass
class App:
    """An app_queue: its members by interface, as (name, paused)."""

    asterisk: FakeAmi
    members: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, answer in {
            "QueueAdd": self.add,
            "QueuePause": self.pause,
            "QueueRemove": self.remove,
            "QueueStatus": self.status,
            "QueueSummary": self.summary,
        }.items():
            self.asterisk.answers[name] = answer

    def add(self, action: Action) -> list[bytes]:
        [interface], [name], [paused] = action["Interface"], action["MemberName"], action["Paused"]
        self.members[interface] = (name, paused == "true")
        return _said(action, "Success")

    def pause(self, action: Action) -> list[bytes]:
        [interface], [paused] = action["Interface"], action["Paused"]
        self.members[interface] = (self.members[interface][0], paused == "true")
        return _said(action, "Success")

    def remove(self, action: Action) -> list[bytes]:
        there = self.members.pop(action["Interface"][0], None)
        return _said(action, "Success" if there else "Error")

    def status(self, action: Action) -> list[bytes]:
        rows = [
            {"Event": "QueueMember", "Name": name, "Location": phone, "Paused": str(int(paused))}
            for phone, (name, paused) in self.members.items()
        ]
        return self._list(action, rows)

    def summary(self, action: Action) -> list[bytes]:
        free = sum(not paused for _, paused in self.members.values())
        row = {"Event": "QueueSummary", "Queue": "9090", "Callers": "3", "Available": str(free)}
        return self._list(action, [row])

    def _list(self, action: Action, rows: list[dict[str, str]]) -> list[bytes]:
        own = {"ActionID": action["ActionID"][0]}
        start = block(Response="Success", EventList="start", **own)
        end = block(Event="Complete", EventList="Complete", **own)
        return [start, *(block(**row, **own) for row in rows), end]


def _said(action: Action, response: str) -> list[bytes]:
    return [block(Response=response, ActionID=action["ActionID"][0], Message="as asked")]


@dataclass
class Around:
    """The duty rows, and the calls that wait."""

    on: list[Member] = field(default_factory=list)
    store_is_away: bool = False
    connected: list[tuple[str, int | None, datetime]] = field(default_factory=list)
    asked: int = 0
    opens: bool = True

    async def members(self) -> Sequence[Member]:
        if self.store_is_away:
            raise StoreUnavailable("gone")
        return tuple(self.on)

    def agent_connected(self, channel_id: str, agent_id: int | None, at: datetime) -> None:
        self.connected.append((channel_id, agent_id, at))

    async def find_agents(self, agent_of: Callable[[str], int | None]) -> None:
        self.asked += 1


@dataclass
class Led:
    queue: Queue9090
    app: App
    around: Around

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.01)


@pytest.fixture
async def led() -> AsyncIterator[Led]:
    async with FakeAmi() as asterisk:
        around = Around()
        ami = AmiConnection(
            "127.0.0.1", asterisk.port, "tstn", "secret", retry_seconds=(0.01, 0.05)
        )
        queue = Queue9090(ami, around, lambda _: around.opens, lambda: NOW)
        made = Led(queue, App(asterisk), around)
        run = asyncio.create_task(queue.run(around))
        yield made
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run


async def test_members_follow_the_duty_rows(led: Led) -> None:
    app, around = led.app, led.around
    around.on = [Member(1, "agent1", paused=False), Member(2, "agent2", paused=True)]
    await led.until(lambda: len(app.members) == 2)
    assert app.members == {
        "PJSIP/agent1": ("agent-1", False),
        "PJSIP/agent2": ("agent-2", True),
    }
    around.on = [Member(2, "agent2", paused=False), Member(3, "agent1", paused=False)]
    wanted = {"PJSIP/agent2": ("agent-2", False), "PJSIP/agent1": ("agent-3", False)}
    await led.until(lambda: app.members == wanted)
    await led.until(lambda: led.queue.view and led.queue.view.free_agents == 2)
    assert led.queue.view is not None
    assert (led.queue.view.waiting, led.queue.view.at) == (3, NOW)


async def test_an_asterisk_that_has_forgotten_is_told_again(led: Led) -> None:
    led.around.on = [Member(1, "agent1", paused=False)]
    await led.until(lambda: led.app.members)
    led.app.members = {"PJSIP/agent9": ("agent-9", False)}  # of a duty long over
    led.app.asterisk.hang_link_up()
    await led.until(lambda: led.app.members == {"PJSIP/agent1": ("agent-1", False)})
    assert led.around.asked >= 2, "who is with an agent by now must be asked for"


async def test_the_store_is_away_and_the_members_stay(led: Led) -> None:
    led.around.on = [Member(1, "agent1", paused=False)]
    await led.until(lambda: led.app.members)
    led.around.store_is_away = True
    summaries = len(led.app.asterisk.asked("QueueSummary"))
    led.around.on = []
    led.app.asterisk.send(connect(call := str(uuid4())))
    await led.until(lambda: led.around.connected)
    assert led.around.connected == [(call, 1, datetime.fromtimestamp(1617246000.5, UTC))]
    assert led.app.members
    led.around.store_is_away = False
    await led.until(lambda: not led.app.members)
    await led.until(lambda: len(led.app.asterisk.asked("QueueSummary")) > summaries)


async def test_strange_callers_are_passed_over(led: Led) -> None:
    await led.until(lambda: led.queue.view)
    for odd in (connect("1617246000.7"), connect(str(uuid4()), queue="other")):
        led.app.asterisk.send(odd)
    led.app.asterisk.send(block(Event="UserEvent", UserEvent="Else", Caller=str(uuid4())))
    call = str(uuid4())
    led.app.asterisk.send(block(Event="UserEvent", UserEvent="Agent9090", Caller=call))
    await led.until(lambda: led.around.connected)
    assert led.around.connected == [(call, None, NOW)]


async def test_whom_key_3_may_wait_for(led: Led) -> None:
    await led.until(lambda: led.queue.view)
    assert led.queue.refusal() is QueueOutcome.NO_AGENT
    led.around.on = [Member(1, "agent1", paused=True)]
    await led.until(lambda: led.app.members)
    assert led.queue.refusal() is QueueOutcome.NO_AGENT
    led.around.on = [Member(1, "agent1", paused=False)]
    await led.until(lambda: led.queue.refusal() is None)
    led.around.opens = False
    assert led.queue.refusal() is QueueOutcome.CLOSED


@pytest.mark.parametrize(
    ("name", "agent"), [("agent-7", 7), ("agent-", None), ("PJSIP/agent1", None), ("agent-x", None)]
)
def test_a_members_name_tells_the_agent(name: str, agent: int | None) -> None:
    assert agent_of(name) == agent


def connect(call: str, queue: str = "9090") -> bytes:
    return block(
        Event="AgentConnect",
        Queue=queue,
        Uniqueid=call,
        MemberName="agent-1",
        Timestamp="1617246000.500000",
    )
