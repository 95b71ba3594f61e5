"""A subscriber tells the agent to be left alone: at once, once, by name; the call goes on. I/O."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.gate import Refusal
from domain.roles import Role
from domain.states import CallbackState, PostKind
from store import gate
from store.consent import OptedOut, OptOutAsked, opt_out
from store.engine import Store
from store.models import Audit, Event, MessageOut, OptOut, Target
from store.outbox import PartRow, Post
from tests.agent_desks import Desk, opened_desk
from tests.consoles import Visitor
from tests.rows import NOW, all_rows

NUMBER = "+84900000000"


def confirmation(refusal: OptedOut) -> Post:
    words = f"{refusal.at:%H:%M}"
    part = PartRow(words.encode(), 0, 0)
    return Post("acc", refusal.msisdn, "9231", PostKind.MANUAL, words, (part,))


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    async with opened_desk(store, confirm_refusal=confirmation) as opened:
        yield opened


@pytest.fixture
async def agent(desk: Desk) -> AsyncIterator[Visitor]:
    async with Visitor(desk.rig) as visitor:
        await visitor.log_in(Role.AGENT)
        yield visitor


async def events(store: Store) -> list[dict[str, Any]]:
    return [row for row in await all_rows(store, Event) if row["kind"] == "opted_out"]


async def test_it_is_in_force_at_once_confirmed_once_and_by_name(
    desk: Desk, agent: Visitor
) -> None:
    store = desk.rig.store
    claim = await desk.taken(agent)
    fields = await agent.hidden("/desk") | {"claim": claim}
    for _ in range(2):
        answer = await agent.post("/desk/opt-out", fields)
        assert answer.headers["Location"] == "/desk?said=opted_out"
    [row] = await all_rows(store, OptOut)
    assert (row["msisdn"], row["source_id"]) == (NUMBER, f"agent:{claim}")
    [event] = await events(store)
    assert event["data"]["by"] == "Nguyễn Thị Agent"
    [text] = await all_rows(store, MessageOut)
    assert (text["msisdn"], text["state"]) == (NUMBER, "queued")
    [act] = [row for row in await all_rows(store, Audit) if row["action"] == "subscriber_opted_out"]
    assert (act["subject"], act["user_id"]) == ("090****000", desk.rig.users[Role.AGENT])
    # The claim itself heeds it, and the call-back goes on.
    [target] = [row for row in await all_rows(store, Target) if row["msisdn"] == NUMBER]
    assert await store.read(gate.judge, target["id"], NOW) is Refusal.OPTED_OUT
    [held] = [row for row in await desk.rows() if row["state"] == CallbackState.CLAIMED]
    assert str(held["claim_id"]) == claim
    said = await agent.text("/desk")
    assert "/desk/opt-out" not in said  # said once
    assert "không mời nữa" in said


async def test_who_was_told_so_before_gets_no_second_text(desk: Desk, agent: Visitor) -> None:
    store = desk.rig.store
    await store.write(opt_out, [OptOutAsked(NUMBER, NOW, "sms:7")], NOW)
    claim = await desk.taken(agent)
    await agent.send("/desk", "/desk/opt-out", claim=claim)
    assert len(await all_rows(store, OptOut)) == 2
    assert await all_rows(store, MessageOut) == []


async def test_by_a_claim_that_is_over_nothing_is_written(desk: Desk, agent: Visitor) -> None:
    claim = await desk.taken(agent)
    await agent.send("/desk", "/desk/give-back", claim=claim)
    answer = await agent.send("/desk", "/desk/opt-out", claim=claim)
    assert answer.headers["Location"] == "/desk?said=claim_lost"
    assert await all_rows(desk.rig.store, OptOut) == []
