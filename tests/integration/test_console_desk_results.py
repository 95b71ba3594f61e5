"""Calls and results of the agent's desk as they are sent: once, twice, wrongly. I/O."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from console.phone_line import LineState
from domain.dispositions import Disposition
from domain.roles import Role
from domain.states import CallbackState
from store import callback_queue
from store.apply import apply
from store.engine import Store
from store.models import (
    Address,
    Audit,
    CallbackAttempt,
)
from tests.agent_desks import ADDRESS, Desk, opened_desk, release
from tests.consoles import Visitor
from tests.rows import BY_NINE, NOW, all_rows, wants_advice


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    async with opened_desk(store) as opened:
        yield opened


@pytest.fixture
async def agent(desk: Desk) -> AsyncIterator[Visitor]:
    async with Visitor(desk.rig) as visitor:
        await visitor.log_in(Role.AGENT)
        yield visitor


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
    for name in ("hamlet", "landmark", "day"):
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
    assert "<dt>Yêu cầu lúc</dt>" in page
    assert "Kết thúc, không gọi nữa" in page
    assert "kết thúc đăng ký" not in page  # nobody has registered
    assert 'name="ward"' not in page
    answer = await agent.send("/desk", "/desk/result", claim=claim, outcome="advised")
    assert answer.headers["Location"] == "/desk?said=recorded"


async def test_a_form_of_one_subscriber_is_never_drawn_on_the_page_of_another(
    desk: Desk, agent: Visitor
) -> None:
    """The claim ended and another call-back was handed over, while the page stood open."""
    claim = await desk.taken(agent)
    form = await agent.hidden("/desk") | ADDRESS | {"claim": claim}
    await desk.rig.store.write(callback_queue.give_back, UUID(claim), desk.hands())
    other = max(row["id"] for row in await desk.rows())
    agent_id, lease = desk.rig.users[Role.AGENT], timedelta(minutes=2)
    await desk.rig.store.write(callback_queue.assign, other, agent_id, desk.hands(), lease)
    answer = await agent.post("/desk/result", form | {"landmark": ""})
    said = await answer.text()
    assert answer.status == 409
    assert "Nguyễn Thị Sáu" in said  # to be read, not to be sent
    assert 'name="claim"' not in said
    assert await desk.claim(agent) not in said
    assert {row["outcome"] for row in await desk.rows()} == {None}


async def test_a_late_result_is_in_the_audit_under_its_own_number(
    desk: Desk, agent: Visitor
) -> None:
    first = await desk.taken(agent)
    await agent.send("/desk", "/desk/result", claim=first, outcome="no_answer")
    second = await desk.taken(agent)
    assert second != first
    await agent.send("/desk", "/desk/result", claim=first, outcome="no_answer")
    acts = [
        row for row in await all_rows(desk.rig.store, Audit) if row["action"] == "callback_result"
    ]
    assert [row["subject"] for row in acts] == ["090****000"] * 2


async def test_a_result_counts_after_the_lease_ran_out(desk: Desk, agent: Visitor) -> None:
    """The server or the network was away for as long as a lease lasts."""
    claim = await desk.taken(agent)
    form = await agent.hidden("/desk") | ADDRESS | {"claim": claim}
    desk.hands.move(seconds=121)
    assert await desk.rig.store.write(callback_queue.expire, desk.hands()) == 1
    answer = await agent.post("/desk/result", form)
    assert answer.headers["Location"] == "/desk?said=recorded"
    [address] = await all_rows(desk.rig.store, Address)
    assert address["confirmed_by"] == desk.rig.users[Role.AGENT]
    [row] = [row for row in await desk.rows() if row["state"] == CallbackState.DONE]
    assert row["id"] == address["callback_id"]


@pytest.mark.parametrize("missing", [{}, {"landmark": ""}])
async def test_what_was_typed_can_be_read_where_it_is_not_recorded(
    desk: Desk, agent: Visitor, missing: dict[str, str]
) -> None:
    claim = await desk.taken(agent)
    form = await agent.hidden("/desk") | ADDRESS | {"claim": claim, "note": "cổng <xanh>"}
    await desk.rig.store.write(callback_queue.give_back, UUID(claim), desk.hands())
    answer = await agent.post("/desk/result", form | missing)
    said = await answer.text()
    assert answer.status == 409
    for words in ("090****000", "Nguyễn Thị Sáu", "Trung Hiếu", "ấp 3", "03/04/2021", "Buổi sáng"):
        assert words in said, words
    assert "cổng &lt;xanh&gt;" in said
    assert await all_rows(desk.rig.store, Address) == []
    later = {"outcome": "call_later", "later_at": "2021-04-02T02:30:00+00:00"}
    told = await agent.post("/desk/result", form | later | {"day": "?", "slot": "", "scheme": "?"})
    assert "02/04/2021 09:30" in await told.text()
