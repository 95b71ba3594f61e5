"""Our side of agents' calls with a real Asterisk: in this process, or in one that may be killed."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from domain.clock import utc_now
from domain.msisdn import national
from ivr.agent_call_script import State
from ivr.agent_call_setting import AgentCall, AgentCallSetting, Progress
from ivr.agent_calls import AgentCalls
from ivr.ari.client import AriClient
from ivr.ari.websocket import AriStream
from ivr.node import AsteriskNode, NodeSetting
from ivr.queue_9090 import Member, Queue9090
from runtime.agents import queue_9090
from runtime.settings import Settings
from runtime.settings_load import load_settings
from store.engine import Store, open_store
from store.journal import Journal
from store.migrate import migrate
from store.models import Attempt, Callback
from store.spool import Spool
from tests.agent_rows import AgentRows
from tests.rows import BY_NINE, all_rows, claim_some, make_campaign

RING_TIMEOUT_SECONDS = 3
WAIT_SECONDS = 20.0


@dataclass
class Roster:
    """Who is on duty: changed by a test as the agents' pages will."""

    on: list[Member] = field(default_factory=list)

    async def members(self) -> Sequence[Member]:
        return tuple(self.on)


@dataclass
class Desk:
    """A node that is ready, and what its agents' calls have come to."""

    calls: AgentCalls
    node: AsteriskNode
    rows: AgentRows
    seen: dict[UUID, list[State]]
    ended: dict[UUID, Progress]
    store: Store
    duty: Roster
    queue: Queue9090

    async def place(self, phone: str, msisdn: str) -> UUID:
        """A call as the agent's page places it: the row first."""
        call = AgentCall(uuid4(), phone, msisdn, utc_now())
        self.rows.begin(call)
        await self.calls.place(call)
        return call.call_id

    async def call_subscriber(self, msisdn: str) -> UUID:
        """An invitation, as the dialler makes it."""
        name = f"c{uuid4().hex}"
        campaign = await make_campaign(self.store, [msisdn], name, due=utc_now())
        node = self.calls.setting.node
        [attempt] = await claim_some(self.store, campaign, now=utc_now(), node=node)
        assert await self.node.originate(attempt)
        return attempt.attempt_id

    async def attempt(self, attempt_id: UUID) -> dict[str, Any]:
        """Its row."""
        rows = await all_rows(self.store, Attempt)
        return next(row for row in rows if row["id"] == attempt_id)

    async def until_attempt(
        self, attempt_id: UUID, holds: Callable[[dict[str, Any]], object]
    ) -> dict[str, Any]:
        """Its row, once this holds of it."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not holds(row := await self.attempt(attempt_id)):
                await asyncio.sleep(0.05)
        return row

    async def advice(self) -> list[str]:
        """The numbers that were promised advice."""
        rows = await all_rows(self.store, Callback)
        return [row["msisdn"] for row in rows if row["kind"] == "advice"]

    async def until(self, condition: Callable[[], object]) -> None:
        """Return once it holds."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not condition():
                await asyncio.sleep(0.02)

    async def until_state(self, call_id: UUID, state: State) -> None:
        """Return once a page has been told so."""
        await self.until(lambda: state in self.seen.get(call_id, []))

    async def until_ended(self, call_id: UUID) -> dict[str, object]:
        """The row, once it is closed."""
        await self.until(lambda: self.rows.ended(call_id))
        return self.rows.row(call_id)


@asynccontextmanager
async def desk(settings: Settings, directory: Path) -> AsyncIterator[Desk]:
    """Our node over the Asterisk of these settings; what it keeps lies in the directory."""
    store = open_store(f"sqlite:///{directory}/store.sqlite")
    await migrate(store)
    spool = Spool(directory / "spool.sqlite")
    asterisk = settings.asterisk
    rows = AgentRows(directory / "agent-calls.sqlite")
    async with AriClient(
        asterisk.ari_url, asterisk.ari_user, asterisk.ari_password, asterisk.app
    ) as client:
        journal = Journal(store, spool, BY_NINE, 2.0)
        calls = AgentCalls(_setting(settings), client, rows, utc_now)
        setting = NodeSetting(asterisk.node, "9090", national, 60, 5)
        duty = Roster()
        queue = queue_9090(settings, duty)
        node = AsteriskNode(
            setting, client, AriStream(client), store, journal, prompt, utc_now, calls, queue
        )
        made = Desk(calls, node, rows, {}, {}, store, duty, queue)
        tasks = [
            asyncio.create_task(work)
            for work in (journal.run(), node.run(), queue.run(node), _watch(made))
        ]
        try:
            await made.until(lambda: node.ready)
            yield made
        finally:
            for task in tasks:
                task.cancel()
            await journal.flush()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)
            spool.close()
            await store.close()


def prompt(version: str, names: Sequence[str]) -> Sequence[str]:
    """Prompts of the script, as ARI names them."""
    return [f"sound:tstn/{version}/{name}" for name in names]


async def _watch(desk: Desk) -> None:
    async for progress in desk.calls.changes():
        desk.seen.setdefault(progress.call_id, []).append(progress.state)
        desk.ended[progress.call_id] = progress


def _setting(settings: Settings) -> AgentCallSetting:
    return AgentCallSetting(
        node=settings.asterisk.node,
        trunk=settings.trunk.name,
        caller_id=settings.trunk.caller_id,
        dial_form=national,
        agent_ring_seconds=settings.agents.ring_seconds,
        ring_timeout_seconds=RING_TIMEOUT_SECONDS,
        max_talk_seconds=settings.agents.max_talk_seconds,
    )


async def _serve(settings_file: Path, directory: Path, phone: str, msisdn: str) -> None:
    """Place one call, and stay."""
    async with desk(load_settings(settings_file, {}), directory) as here:
        if phone:
            await here.place(phone, msisdn)
        await asyncio.Event().wait()


if __name__ == "__main__":
    settings_file, directory, phone, msisdn = sys.argv[1:]
    asyncio.run(_serve(Path(settings_file), Path(directory), phone, msisdn))
