"""The operator's pages that steer: gate, one number, preview, brakes, versions, recycling. I/O."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, update

from domain.addresses import Scheme
from domain.dispositions import Disposition
from domain.roles import Role
from domain.states import CampaignState
from store import apply, audit, campaigns, phases, variants
from store.audit import Act
from store.engine import Store
from store.models import Audit, Brake, Campaign, Event, Target
from store.phases import NewPhase
from tests.braking import draw_brakes
from tests.consoles import Rig, Visitor, console
from tests.rows import BY_NINE, NOW, all_rows, answered, claim_some, make_campaign, numbers, pressed
from tests.text_campaigns import make_text_campaign

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        yield served


@pytest.fixture
async def operator(rig: Rig) -> AsyncIterator[Visitor]:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.OPERATOR)
        yield visitor


async def counted(visitor: Visitor, campaign: Campaign) -> str:
    """The page, once it has its figures: on a busy machine it comes before them."""
    async with asyncio.timeout(10):
        while "Đang đếm" in (said := await visitor.text(f"/campaigns/{campaign.id}")):
            await asyncio.sleep(0.01)
    return said


async def acts(store: Store, action: str) -> list[dict[str, object]]:
    return [row for row in await all_rows(store, Audit) if row["action"] == action]


def set_targets(**values: object) -> object:
    """An operation that changes all targets."""

    def change(connection: Connection) -> None:
        connection.execute(update(Target).values(**values))

    return change


async def ask(visitor: Visitor, campaign: Campaign, number: str) -> tuple[int, str]:
    """The answer about one number."""
    place = f"/campaigns/{campaign.id}"
    answer = await visitor.send(place, f"{place}/number", number=number)
    return answer.status, await answer.text()


async def test_what_the_gate_holds_is_counted_by_reason_in_plain_words(
    store: Store, operator: Visitor
) -> None:
    campaign = await make_campaign(store, numbers(3))
    held = {"held_by": "phase_closed", "not_before": NOW + HOUR}
    await store.write(set_targets(**held))  # type: ignore[arg-type]
    said = await counted(operator, campaign)
    row = re.search(r"Địa bàn không trong đợt mời</th>.*?</tr>", said)
    assert row is not None
    assert ">3<" in row[0]
    assert "01/04/2021 11:00" in row[0]
    done = {"state": "done", "outcome": "opted_out", "held_by": None}
    await store.write(set_targets(**done))  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        while "đã từ chối nhận lời mời" not in said:
            said = await operator.text(f"/campaigns/{campaign.id}")


async def test_one_number_gets_its_verdict_and_the_question_is_audited(
    rig: Rig, store: Store, operator: Visitor
) -> None:
    campaign = await make_campaign(store, numbers(1))
    status, said = await ask(operator, campaign, "090 0000 000")
    assert (status, "Sẽ được gọi ngay khi có kênh trống" in said) == (200, True)
    assert "090****000" in said
    assert "0900 000 000" not in said.replace('placeholder="0901 234 567"', "")
    rig.hands.move(hours=12)
    await operator.log_in(Role.OPERATOR)
    _, said = await ask(operator, campaign, numbers(1)[0])
    assert "Cả chiến dịch đang chờ: Ngoài khung giờ gọi" in said
    await store.write(set_targets(state="done", outcome="opted_out"))  # type: ignore[arg-type]
    _, said = await ask(operator, campaign, numbers(1)[0])
    assert "Số này đã xong: Thuê bao đã từ chối nhận lời mời" in said
    _, said = await ask(operator, campaign, "0912345678")
    assert "Chiến dịch không có số này" in said
    assert (await ask(operator, campaign, "12"))[0] == 422
    looked = await acts(store, "number_looked_up")
    assert [row["subject"] for row in looked] == ["090****000"] * 3 + ["091****678"]
    assert looked[0]["data"] == {"campaign": "mekong"}


async def test_who_acts_at_the_command_line_is_named_on_the_page(
    store: Store, operator: Visitor
) -> None:
    campaign = await make_campaign(store)
    act = Act("campaign_tuned", None, "mekong", data={"pairs": ["cps=8"], "by": "lan.nguyen"})
    await store.write(audit.add, act, NOW)
    said = await operator.text(f"/campaigns/{campaign.id}")
    assert "<td>lan.nguyen</td>" in said
    assert "cps=8" in said


async def test_the_preview_is_that_of_the_command_line(
    rig: Rig, store: Store, operator: Visitor
) -> None:
    campaign = await make_campaign(store, numbers(100), cps=1.0, max_channels=10)
    it = rig.console.parts
    before, then = await it.control.preview(store, str(campaign.id), {"max_channels": 200}, NOW)
    assert (before["limited_by"], then["limited_by"]) == ("channels", "cps")
    said = await operator.text(f"/campaigns/{campaign.id}/tune?max_channels=200&priority=9")
    assert "số kênh của chiến dịch" in said
    assert "CPS của chiến dịch" in said
    assert "Tạm ước lượng" in said
    assert "Cuộc gọi lại tổng đài viên làm được mỗi ngày" in said
    assert "mức ưu tiên cao được gọi trước" in said
    for one in (before, then):
        assert f"{one['cps']:.2f}".replace(".", ",") in said


async def test_a_priority_is_given_tuned_and_reverted(store: Store, operator: Visitor) -> None:
    fields = await operator.hidden("/campaigns/new")
    new = {"name": "dot-2", "cps": "5", "max_channels": "10", "windows": "08:00-17:00"}
    await operator.post("/campaigns/new", fields | new | {"priority": "8"})
    made = await store.read(campaigns.by_name, "dot-2")
    assert made.priority == 8
    place = f"/campaigns/{made.id}"
    await operator.send(place, f"{place}/tune", pair="priority=2")
    assert (await store.read(campaigns.by_name, "dot-2")).priority == 2
    change = re.search(r'name="change" value="(\d+)"', await operator.text(place))
    assert change is not None
    await operator.send(place, f"{place}/revert", change=change[1])
    assert (await store.read(campaigns.by_name, "dot-2")).priority == 8
    assert 'name="change"' not in await operator.text(place)  # nothing is left to undo


async def test_brakes_are_shown_overridden_and_heeded_again_by_name(
    rig: Rig, store: Store, operator: Visitor
) -> None:
    campaign = await make_campaign(store, numbers(1))
    own, _trunk = await draw_brakes(store, campaign)
    rows = await operator.text("/campaigns")
    assert "giảm còn 25,0 %" in rows
    assert "đã ngừng gọi" in rows
    place = f"/campaigns/{campaign.id}"
    said = await operator.text(place)
    assert "Với 3 tổng đài viên" in said
    assert "Trung kế từ chối 9 trong 10 cuộc gọi gần nhất: 8 × nghẽn mạng" in said
    answer = await operator.send(place, f"{place}/brakes/{own}/override", minutes="60")
    assert answer.headers["Location"] == f"{place}?done=brake_overridden"
    assert "bởi operator" in await operator.text(place)
    row = (await all_rows(store, Brake))[0]
    assert (row["overridden_by"], row["override_until"]) == ("operator", NOW + HOUR)
    await operator.send(place, f"{place}/brakes/{own}/release")
    row = (await all_rows(store, Brake))[0]
    assert (row["overridden_by"], row["override_until"]) == (None, None)
    [act] = await acts(store, "brake_overridden")
    assert (act["user_id"], act["subject"]) == (rig.users[Role.OPERATOR], "mekong")
    assert act["data"] == {"cause": "promise", "trunk": None, "minutes": 60}
    assert len(await acts(store, "brake_released")) == 1
    kinds = [row["kind"] for row in await all_rows(store, Event)]
    assert kinds.count("brake_overridden") == kinds.count("brake_released") == 1


async def test_a_brake_that_is_not_there_and_a_time_that_is_none_are_refused(
    store: Store, operator: Visitor
) -> None:
    campaign = await make_campaign(store, numbers(1))
    own, _ = await draw_brakes(store, campaign)
    place = f"/campaigns/{campaign.id}"
    for path, minutes in ((f"{own}/override", "0"), (f"{own}/override", ""), ("99/override", "15")):
        answer = await operator.send(place, f"{place}/brakes/{path}", minutes=minutes)
        assert answer.status == 422, path
    assert await acts(store, "brake_overridden") == []


async def test_script_versions_are_compared(store: Store, operator: Visitor) -> None:
    campaign = await make_campaign(store, numbers(40), variants={"vi-1": 1, "vi-2": 1})
    claimed = await claim_some(store, campaign)
    half = numbers(21)[20]
    heard = await store.write(variants.split, claimed, lambda n: f"vi-{1 + (n > half)}")
    facts = [answered(attempt, NOW) for attempt in heard]
    facts += [pressed(heard[at], "1", NOW) for at in (0, 1, 2, 25)]  # type: ignore[misc]
    await store.write(apply.apply, facts, BY_NINE)
    said = await counted(operator, campaign)
    assert "14,3 %" in said
    assert "5,0 – 34,6 %" in said


async def done_with(store: Store, count: int = 6) -> Campaign:
    """A campaign whose numbers did not answer, but the first, who has opted out since."""
    campaign = await make_campaign(store, numbers(count), state=CampaignState.PAUSED)
    values = {"state": "done", "outcome": Disposition.NO_ANSWER, "attempts_made": 1}
    await store.write(set_targets(**values))  # type: ignore[arg-type]
    return campaign


async def test_numbers_are_recycled_after_a_look(store: Store, operator: Visitor) -> None:
    campaign = await done_with(store)
    place = f"/campaigns/{campaign.id}"
    assert 'value="no_answer"' in await operator.text(f"{place}/recycle")
    look = f"{place}/recycle?outcome=no_answer&province=&ended_before=2021-04-02"
    assert "Sẽ gọi thêm 6 số" in await operator.text(look)
    assert "Sẽ gọi thêm 0 số" in await operator.text(look.replace("province=", "province=x"))
    fields = await operator.hidden(look) | {"outcome": "no_answer"}
    for _ in range(2):
        answer = await operator.post(f"{place}/recycle", fields)
        assert answer.headers["Location"] == f"{place}?done=campaign_recycled"
    assert {row["state"] for row in await all_rows(store, Target)} == {"ready"}
    [act] = await acts(store, "campaign_recycled")
    assert act["data"] == {"outcomes": "no_answer", "province": "", "ended_before": ""}
    kinds = [row["kind"] for row in await all_rows(store, Event)]
    assert kinds.count("campaign_recycled") == 1


async def test_a_long_list_is_put_back_beside_the_pages(
    store: Store, operator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.recycling.AT_ONCE", 2)
    campaign = await done_with(store, 7)
    place = f"/campaigns/{campaign.id}/recycle"
    await operator.send(f"{place}?outcome=no_answer", place, outcome="no_answer")
    async with asyncio.timeout(10):
        while {row["state"] for row in await all_rows(store, Target)} != {"ready"}:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("province=x", "ít nhất một lý do"),
        ("outcome=answered", "ít nhất một lý do"),
        ("outcome=busy&ended_before=noon", "Hãy chọn ngày trên lịch"),
        ("outcome=busy&province=a%00b", "Hãy ghi tên hoặc mã tỉnh"),
    ],
)
async def test_a_filter_that_makes_no_sense_is_refused(
    store: Store, operator: Visitor, query: str, said: str
) -> None:
    campaign = await done_with(store)
    answer = await operator.get(f"/campaigns/{campaign.id}/recycle?{query}")
    assert (answer.status, said in await answer.text()) == (422, True)


async def test_what_the_gate_has_ended_can_be_chosen_and_why_some_are_left_out_is_said(
    store: Store, operator: Visitor
) -> None:
    campaign = await make_campaign(store, numbers(5), by_phase=True, max_attempts=2)
    ended = {"state": "done", "outcome": "phase_closed", "attempts_made": 2}
    await store.write(set_targets(**ended))  # type: ignore[arg-type]
    look = f"/campaigns/{campaign.id}/recycle?outcome=phase_closed"
    said = await operator.text(look)
    assert "Địa bàn không trong đợt mời" in said
    assert "Sẽ gọi thêm 0 số" in said
    assert "5 số không được tính: đã gọi đủ số lần chi" in said
    await store.write(set_targets(attempts_made=1, province_code="86"))
    over = NewPhase(Scheme.VN_2021, "86", None, date(2021, 3, 1), date(2021, 3, 31))
    await store.write(phases.put, [over], "lan", NOW)
    assert "5 số bị loại ra: đợt mời của địa bàn đã hết" in await operator.text(look)
    await store.write(phases.put, [replace(over, closes_on=None)], "lan", NOW)
    assert "Sẽ gọi thêm 5 số" in await operator.text(look)


async def test_a_campaign_of_texts_recycles_nothing(store: Store, operator: Visitor) -> None:
    campaign = await make_text_campaign(store, numbers(2))
    await store.write(set_targets(state="done", outcome="unknown"))  # type: ignore[arg-type]
    place = f"/campaigns/{campaign.id}"
    assert "/recycle" not in await operator.text(place)
    answer = await operator.send("/numbers", f"{place}/recycle", outcome="unknown")
    assert answer.status == 422
    assert await acts(store, "campaign_recycled") == []


async def test_a_stopped_campaign_recycles_nothing(store: Store, operator: Visitor) -> None:
    campaign = await make_campaign(store, numbers(2), state=CampaignState.STOPPED)
    place = f"/campaigns/{campaign.id}/recycle"
    answer = await operator.send("/numbers", place, outcome="busy")
    assert (answer.status, "đã dừng hẳn" in await answer.text()) == (422, True)
    assert await acts(store, "campaign_recycled") == []


async def test_an_auditor_sees_brakes_and_has_no_button(rig: Rig, store: Store) -> None:
    campaign = await make_campaign(store, numbers(1))
    own, _ = await draw_brakes(store, campaign)
    async with Visitor(rig) as auditor:
        await auditor.log_in(Role.AUDITOR)
        place = f"/campaigns/{campaign.id}"
        said = await auditor.text(place)
        assert "Với 3 tổng đài viên" in said
        assert "/override" not in said
        assert "/recycle" not in said
        answer = await auditor.send(place, f"{place}/brakes/{own}/override", minutes="60")
        assert answer.status == 403
