"""The agent's desk as its forms are sent: once, twice, late, wrongly, by another agent. I/O."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from console.phone_line import LineState
from domain.dispositions import Disposition
from domain.roles import Role
from domain.states import CallbackState, ClaimEnd, Duty
from store import users
from store.apply import apply
from store.callback_schedule import make_ready, unscheduled
from store.engine import Store
from store.models import (
    Address,
    Agent,
    Audit,
    Callback,
    CallbackAttempt,
    CallbackClaim,
)
from store.users import NewUser
from tests.consoles import PASSWORD_HASH, Hands, Rig, Visitor, a_desk, console
from tests.phone_lines import ScriptedLine
from tests.rows import BY_NINE, NOW, all_rows, asked, make_campaign, numbers, wants_advice

ADDRESS = {
    "outcome": "confirmed",
    "province": "vinh long",
    "district": "Vũng Liêm",
    "ward": "Trung Hiếu",
    "hamlet": "ấp 3",
    "landmark": "gần chợ",
    "contact_name": "Nguyễn Thị Sáu",
    "day": "2021-04-03",
    "slot": "morning",
}


def release(connection: Connection, at: datetime) -> None:
    """All call-backs are ready now."""
    make_ready(connection, [(each.id, at) for each in unscheduled(connection)])


@dataclass
class Desk:
    """A console with three subscribers that wait, and its line."""

    rig: Rig
    line: ScriptedLine
    hands: Hands

    async def rows(self) -> list[dict[str, Any]]:
        return await all_rows(self.rig.store, Callback)

    async def claim(self, visitor: Visitor) -> str:
        return (await visitor.text("/desk")).split('name="claim" value="')[1].split('"')[0]

    async def taken(self, visitor: Visitor) -> str:
        """Go on duty and take the next one; its claim."""
        await visitor.send("/desk", "/desk/duty", duty="on")
        answer = await visitor.send("/desk", "/desk/next")
        assert answer.headers["Location"] == "/desk"
        return await self.claim(visitor)


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    hands = Hands()
    line = ScriptedLine(store, hands)
    async with console(store, hands=hands, desk=a_desk(line)) as rig:
        msisdns = numbers(3)
        await make_campaign(store, msisdns)
        facts = [asked(each, NOW + timedelta(seconds=at)) for at, each in enumerate(msisdns)]
        await store.write(apply, facts, BY_NINE)
        hands.move(minutes=5)
        await store.write(release, hands.at)
        yield Desk(rig, line, hands)


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


async def test_a_call_has_its_row_before_the_line_is_asked(desk: Desk, agent: Visitor) -> None:
    claim = await desk.taken(agent)
    fields = await agent.hidden("/desk") | {"claim": claim}
    for _ in range(2):
        assert (await agent.post("/desk/call", fields)).headers["Location"] == "/desk"
    [row] = await all_rows(desk.rig.store, CallbackAttempt)
    assert desk.line.placed == [(row["id"], "agent1", "+84900000000")]
    assert str(row["claim_id"]) == claim
    again = await agent.send("/desk", "/desk/call", claim=claim)
    assert again.headers["Location"] == "/desk?said=call_not_begun"
    await desk.line.move(LineState.TALKING)
    assert "Đang nói chuyện" in await agent.text("/desk")
    await agent.send("/desk", "/desk/hang-up", claim=claim)
    [row] = await all_rows(desk.rig.store, CallbackAttempt)
    assert row["disposition"] == Disposition.ANSWERED


async def test_a_phone_that_does_not_ring_is_told(desk: Desk, agent: Visitor) -> None:
    claim = await desk.taken(agent)
    desk.line.rings = False
    answer = await agent.send("/desk", "/desk/call", claim=claim)
    assert answer.headers["Location"] == "/desk?said=phone_not_ringing"
    assert "Không gọi được máy của bạn" in await agent.text("/desk?said=phone_not_ringing")


async def test_an_address_is_confirmed_and_spelt_as_the_list_has_it(
    desk: Desk, agent: Visitor
) -> None:
    claim = await desk.taken(agent)
    fields = await agent.hidden("/desk") | ADDRESS | {"claim": claim}
    for _ in range(2):
        answer = await agent.post("/desk/result", fields)
        assert answer.headers["Location"] == "/desk?said=recorded"
    [address] = await all_rows(desk.rig.store, Address)
    assert (address["province"], address["ward"]) == ("Vĩnh Long", "Trung Hiếu")
    [row] = [row for row in await desk.rows() if row["state"] == CallbackState.DONE]
    assert str(row["appointment_day"]) == "2021-04-03"
    told = await agent.send("/desk", "/desk/result", **ADDRESS | {"claim": claim})
    assert told.headers["Location"] == "/desk?said=recorded"
    assert len(await all_rows(desk.rig.store, Address)) == 1


async def test_what_is_missing_is_said_at_its_field_and_nothing_is_lost(
    desk: Desk, agent: Visitor
) -> None:
    claim = await desk.taken(agent)
    wrong = {"claim": claim, "outcome": "confirmed", "ward": "Trung <Hiếu>", "day": "2021-03-01"}
    answer = await agent.send("/desk", "/desk/result", **wrong)
    said = await answer.text()
    assert answer.status == 422
    for name in ("hamlet", "landmark", "contact_name", "day"):
        assert f'id="{name}-wrong"' in said, name
    assert 'id="ward-wrong"' not in said
    assert "Trung &lt;Hiếu&gt;" in said
    assert await all_rows(desk.rig.store, Address) == []


async def test_call_later_only_inside_the_agents_hours(desk: Desk, agent: Visitor) -> None:
    claim = await desk.taken(agent)
    for at, said in (("", "Hãy chọn giờ gọi lại"), ("2021-04-02T16:00:00+00:00", "ngoài giờ")):
        answer = await agent.send(
            "/desk", "/desk/result", claim=claim, outcome="call_later", later_at=at
        )
        assert answer.status == 422
        assert said in await answer.text()
    at = "2021-04-02T02:30:00+00:00"
    page = await agent.text("/desk")
    assert f'<option value="{at}">09:30</option>' in page
    assert 'class="past"' in page
    await agent.send("/desk", "/desk/result", claim=claim, outcome="call_later", later_at=at)
    [row] = [row for row in await desk.rows() if row["outcome"] == "call_later"]
    assert (row["state"], row["ready_at"].isoformat()) == (CallbackState.OPEN, at)


async def test_a_result_waits_for_the_end_of_a_talk_and_ends_a_ringing(
    desk: Desk, agent: Visitor
) -> None:
    claim = await desk.taken(agent)
    await agent.send("/desk", "/desk/call", claim=claim)
    await desk.line.move(LineState.TALKING)
    refused = await agent.send("/desk", "/desk/result", claim=claim, outcome="busy")
    assert refused.status == 422
    await desk.line.move(LineState.RINGING)
    answer = await agent.send("/desk", "/desk/result", claim=claim, outcome="no_answer")
    assert answer.headers["Location"] == "/desk?said=recorded"
    [row] = await all_rows(desk.rig.store, CallbackAttempt)
    assert row["ended_at"] is not None


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


async def test_a_call_is_shown_as_it_goes_on(desk: Desk, agent: Visitor) -> None:
    claim = await desk.taken(agent)
    answer = await agent.get(f"/desk/stream?claim={claim}", headers={"Accept": "text/event-stream"})
    heard = ""
    async with asyncio.timeout(10):
        await agent.send("/desk", "/desk/call", claim=claim)
        await desk.line.move(LineState.AGENT_RINGING)
        while "Máy của bạn đang đổ chuông" not in heard:
            heard += (await answer.content.readany()).decode()
        await desk.line.end(Disposition.NO_ANSWER)
        while "Cuộc gọi đã kết thúc" not in heard:
            heard += (await answer.content.readany()).decode()
    answer.close()


async def test_wards_confirmed_before_are_suggested(desk: Desk, agent: Visitor) -> None:
    claim = await desk.taken(agent)
    await agent.send("/desk", "/desk/result", **ADDRESS | {"claim": claim})
    [address] = await all_rows(desk.rig.store, Address)
    found = await agent.get(
        "/desk/wards", params={"province": "VINH LONG", "district": address["district"]}
    )
    assert 'value="Trung Hiếu"' in await found.text()


async def test_advice_has_other_words_and_no_address(desk: Desk, agent: Visitor) -> None:
    early = NOW - timedelta(days=1)
    await desk.rig.store.write(apply, [wants_advice("+84900000009", early)], BY_NINE)
    await desk.rig.store.write(release, desk.hands.at)
    claim = await desk.taken(agent)
    page = await agent.text("/desk")
    assert "bấm phím 3" in page
    assert 'name="ward"' not in page
    answer = await agent.send("/desk", "/desk/result", claim=claim, outcome="advised")
    assert answer.headers["Location"] == "/desk?said=recorded"


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
