"""The agent's desk: duty, the claim and its way back; by two agents, twice, live. I/O."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse

from domain.roles import Role
from domain.sla import SlaState
from domain.states import CallbackState, ClaimEnd, Duty
from store import callback_views, users
from store.apply import apply
from store.engine import Store
from store.models import (
    Agent,
    Audit,
    CallbackClaim,
)
from store.users import NewUser
from tests.agent_desks import Desk, opened_desk
from tests.consoles import PASSWORD_HASH, Visitor
from tests.rows import BY_NINE, NOW, all_rows, asked


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    async with opened_desk(store) as opened:
        yield opened


@pytest.fixture
async def agent(desk: Desk) -> AsyncIterator[Visitor]:
    async with Visitor(desk.rig) as visitor:
        await visitor.log_in(Role.AGENT)
        yield visitor


@pytest.fixture
async def lan(desk: Desk) -> AsyncIterator[Visitor]:
    new = NewUser("lan", "Trần Thị Lan", Role.AGENT, PASSWORD_HASH, None, "agent2")
    await desk.rig.store.write(users.add, new, NOW)
    async with Visitor(desk.rig) as visitor:
        await visitor.log_in("lan")
        yield visitor


async def test_nothing_is_handed_out_off_duty(desk: Desk, agent: Visitor) -> None:
    answer = await agent.send("/desk", "/desk/next")
    assert answer.headers["Location"] == "/desk?said=not_on_duty"
    assert {row["state"] for row in await desk.rows()} == {CallbackState.OPEN}
    assert not [row for row in await all_rows(desk.rig.store, Audit) if "taken" in row["action"]]


async def test_numbers_are_masked_until_they_are_taken(desk: Desk, agent: Visitor) -> None:
    before = await agent.text("/desk")
    assert "090****000" in before
    assert "0900 000 000" not in before
    await desk.taken(agent)
    after = await agent.text("/desk")
    assert "0900 000 000" in after
    assert "0900 000 001" not in after


async def test_two_agents_never_get_the_same_one(desk: Desk, agent: Visitor, lan: Visitor) -> None:
    assert await desk.taken(agent) != await desk.taken(lan)
    claimed = [row for row in await desk.rows() if row["state"] == CallbackState.CLAIMED]
    assert (
        len({row["msisdn"] for row in claimed}) == len({row["claimed_by"] for row in claimed}) == 2
    )


async def test_a_form_sent_twice_takes_one(desk: Desk, agent: Visitor) -> None:
    await agent.send("/desk", "/desk/duty", duty="on")
    fields = await agent.hidden("/desk")
    answers = await asyncio.gather(*(agent.post("/desk/next", fields) for _ in range(2)))
    assert [answer.headers["Location"] for answer in answers] == ["/desk", "/desk"]
    assert len(await all_rows(desk.rig.store, CallbackClaim)) == 1


async def test_nobody_touches_the_call_back_of_another(
    desk: Desk, agent: Visitor, lan: Visitor
) -> None:
    claim = await desk.taken(agent)
    for path, fields in (
        ("/desk/call", {}),
        ("/desk/hang-up", {}),
        ("/desk/give-back", {}),
        ("/desk/result", {"outcome": "refused"}),
    ):
        await lan.send("/desk", path, claim=claim, **fields)
    [row] = [row for row in await desk.rows() if row["state"] == CallbackState.CLAIMED]
    assert str(row["claim_id"]) == claim
    assert desk.line.placed == []


async def test_logging_out_gives_the_call_back_back(desk: Desk, agent: Visitor) -> None:
    await desk.taken(agent)
    await agent.send("/desk", "/logout")
    assert {row["state"] for row in await desk.rows()} == {CallbackState.OPEN}
    [row] = await all_rows(desk.rig.store, Agent)
    assert row["duty"] == Duty.OFF
    [claim] = await all_rows(desk.rig.store, CallbackClaim)
    assert claim["ending"] == ClaimEnd.OFF_DUTY


async def test_a_pause_has_its_reason_and_keeps_what_is_in_hand(desk: Desk, agent: Visitor) -> None:
    claim = await desk.taken(agent)
    await agent.send("/desk", "/desk/duty", duty="paused", reason="meal")
    [row] = await all_rows(desk.rig.store, Agent)
    assert (row["duty"], row["pause_reason"]) == (Duty.PAUSED, "meal")
    assert await desk.claim(agent) == claim
    await agent.send("/desk", "/desk/give-back", claim=claim)
    assert {row["state"] for row in await desk.rows()} == {CallbackState.OPEN}


async def test_an_open_page_holds_the_claim(desk: Desk, agent: Visitor) -> None:
    claim = await desk.taken(agent)
    desk.hands.move(seconds=100)
    answer = await agent.get(f"/desk/stream?claim={claim}", headers={"Accept": "text/event-stream"})
    heard = b""
    async with asyncio.timeout(10):
        while b"event: call" not in heard:
            heard += await answer.content.readany()
        while True:
            [row] = [row for row in await desk.rows() if row["state"] == CallbackState.CLAIMED]
            if row["claimed_until"] == desk.hands.at + timedelta(seconds=120):
                break
    answer.close()


async def test_what_waits_is_shown_without_reload(desk: Desk, agent: Visitor) -> None:
    answer = await agent.get("/desk/stream", headers={"Accept": "text/event-stream"})
    heard = ""
    async with asyncio.timeout(10):
        while "event: upcoming" not in heard:
            heard += (await answer.content.readany()).decode()
        await desk.rig.store.write(apply, [asked("+84907777777", desk.hands.at)], BY_NINE)
        while "090****777" not in heard:
            heard += (await answer.content.readany()).decode()
    answer.close()


async def test_a_change_of_the_queue_is_counted_once_for_all_open_desks(
    desk: Desk, agent: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts, count = [], callback_views.sla_counts

    def counted(*of: Any) -> dict[SlaState, int]:
        counts.append(of)
        return count(*of)

    monkeypatch.setattr(callback_views, "sla_counts", counted)
    accept = {"Accept": "text/event-stream"}
    pages = [await agent.get("/desk/stream", headers=accept) for _ in range(8)]
    await asyncio.gather(*(_hears(one, "event: upcoming") for one in pages))
    at_first = len(counts)
    await desk.rig.store.write(apply, [asked("+84907777777", desk.hands.at)], BY_NINE)
    desk.rig.console.parts.live.push("desk_queue")
    await asyncio.gather(*(_hears(one, "090****777") for one in pages))
    assert at_first <= 8
    assert len(counts) - at_first <= 3  # a look each second, whoever listens
    for one in pages:
        one.close()


async def _hears(answer: ClientResponse, words: str) -> None:
    heard = ""
    async with asyncio.timeout(10):
        while words not in heard:
            heard += (await answer.content.readany()).decode()
