"""The operator's pages as they are asked for: list, detail, moves, tuning, revert. I/O."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from domain.dispositions import Disposition
from domain.roles import Role
from domain.states import CampaignState
from store import apply, campaigns
from store.engine import Store
from store.models import Audit, Campaign, Event
from tests.consoles import Rig, Visitor, console
from tests.rows import (
    BY_NINE,
    NOW,
    all_rows,
    answered,
    asked,
    claim_some,
    ended,
    make_campaign,
    numbers,
    pressed,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        yield served


@pytest.fixture
async def operator(rig: Rig) -> AsyncIterator[Visitor]:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.OPERATOR)
        yield visitor


async def called(store: Store, campaign: Campaign) -> None:
    """Of ten numbers, seven were called: two answered, one of them registered."""
    first, second, *others = await claim_some(store, campaign, 7)
    facts: list[Any] = [
        answered(first, NOW),
        pressed(first, "1", NOW),
        asked(first.msisdn, NOW, first.attempt_id, campaign_id=campaign.id),
        ended(first, Disposition.ANSWERED, NOW + MINUTE, cause=16, answered_at=NOW),
        answered(second, NOW),
        pressed(second, "3", NOW),
    ]
    facts += [ended(one, Disposition.NO_ANSWER, NOW + MINUTE, cause=19) for one in others]
    await store.write(apply.apply, facts, BY_NINE)


async def row_of(store: Store, name: str = "mekong") -> Campaign:
    return await store.read(campaigns.by_name, name)


async def counted(operator: Visitor, campaign: Campaign) -> str:
    """The page, once it has its figures: on a busy machine it comes before them."""
    async with asyncio.timeout(10):
        while "Đang đếm" in (said := await operator.text(f"/campaigns/{campaign.id}")):
            await asyncio.sleep(0.01)
    return said


async def acts(store: Store) -> list[tuple[str, str | None]]:
    rows = await all_rows(store, Audit)
    return [(row["action"], row["subject"]) for row in rows if row["action"] != "logged_in"]


async def test_an_empty_list_says_what_to_do(operator: Visitor) -> None:
    assert "Chưa có chiến dịch nào" in await operator.text("/campaigns")


async def test_the_list_tells_what_runs_and_why_one_does_not_dial(
    rig: Rig, store: Store, operator: Visitor
) -> None:
    campaign = await make_campaign(store, numbers(10))
    await make_campaign(store, name="bac", state=CampaignState.DRAFT)
    await called(store, campaign)
    rig.report["why_idle"] = {
        "mekong": "outside the calling window until 2021-04-02T01:00:00+00:00"
    }
    said = await operator.text("/campaigns")
    assert "Đang chạy" in said
    assert "Bản nháp" in said
    assert "Ngoài khung giờ gọi" in said
    assert "1 / 1000" in said  # the second call is still in the air
    assert said.index("mekong") < said.index("bac")


async def test_the_funnel_counts_each_step(store: Store, operator: Visitor) -> None:
    campaign = await make_campaign(store, numbers(10))
    await called(store, campaign)
    said = await counted(operator, campaign)
    steps = re.findall(
        r'<th scope="row">([^<]+)</th><td class="bar-cell">.*?class="amount">(\d+)', said
    )
    assert [number for _, number in steps[:8]] == ["10", "7", "1", "1", "0", "1", "1", "0"]
    assert "19 / –" in said  # the causes
    assert "16,7 %" in said  # one answered of six that ended


async def test_what_runs_is_counted_before_anybody_looks(store: Store) -> None:
    running = await make_campaign(store, numbers(3))
    paused = await make_campaign(store, name="bac", state=CampaignState.PAUSED)
    async with console(store) as rig, asyncio.timeout(10):
        tallies = rig.console.parts.tallies
        while (tally := tallies.known(running.id)) is None:
            await asyncio.sleep(0.01)
        assert tally.audience.total == 3
        assert tallies.known(paused.id) is None


async def test_no_campaign_is_no_page(operator: Visitor) -> None:
    for path in ("/campaigns/7", "/campaigns/0", "/campaigns/000"):
        assert (await operator.get(path)).status == 404


async def test_a_campaign_is_started_paused_and_stopped_once_a_form(
    store: Store, operator: Visitor
) -> None:
    campaign = await make_campaign(store, numbers(1), state=CampaignState.DRAFT)
    place = f"/campaigns/{campaign.id}"
    fields = await operator.hidden(place)
    for _ in range(2):
        answer = await operator.post(f"{place}/start", fields)
        assert answer.headers["Location"] == f"{place}?done=campaign_running"
    await operator.send(place, f"{place}/pause")
    assert (await row_of(store)).state == CampaignState.PAUSED
    await operator.send(place, f"{place}/start")
    await operator.send(f"{place}/stop", f"{place}/stop")
    assert (await row_of(store)).state == CampaignState.STOPPED
    moved = ("running", "paused", "running", "stopped")
    assert await acts(store) == [(f"campaign_{state}", "mekong") for state in moved]
    refused = await operator.send("/numbers", f"{place}/start", once="a" * 32)
    assert (refused.status, "đã ở trạng thái khác" in await refused.text()) == (422, True)


async def test_a_draft_without_a_purpose_does_not_start(store: Store, operator: Visitor) -> None:
    campaign = await make_campaign(store, numbers(1), state=CampaignState.DRAFT, purpose=None)
    answer = await operator.send(f"/campaigns/{campaign.id}", f"/campaigns/{campaign.id}/start")
    assert (answer.status, "mục đích" in await answer.text()) == (422, True)
    assert (await row_of(store)).state == CampaignState.DRAFT


async def test_knobs_are_previewed_applied_and_reverted(store: Store, operator: Visitor) -> None:
    campaign = await make_campaign(store, numbers(10), cps=1.0)
    place = f"/campaigns/{campaign.id}"
    preview = f"{place}/tune?cps=2&max_channels=1000&retry.busy.max=5&windows=08:00-17:00"
    said = await operator.text(preview)
    assert 'value="cps=2"' in said
    assert 'value="retry.busy.max=5"' in said
    assert 'value="max_channels=' not in said  # what stays is no change
    assert (await row_of(store)).cps == 1.0
    answer = await tune(operator, place, preview, "cps=2", "retry.busy.max=5")
    assert answer == f"{place}?done=campaign_tuned"
    tuned = await row_of(store)
    assert (tuned.cps, tuned.retry["busy"]["max"]) == (2.0, 5)
    fields = await operator.hidden(place) | {"change": await change_of(operator, place)}
    for _ in range(2):
        answer = (await operator.post(f"{place}/revert", fields)).headers["Location"]
        assert answer == f"{place}?done=campaign_reverted"
    back = await row_of(store)
    assert (back.cps, back.retry) == (1.0, campaign.retry)
    assert await acts(store) == [("campaign_tuned", "mekong"), ("campaign_reverted", "mekong")]
    kinds = [row["kind"] for row in await all_rows(store, Event)]
    assert kinds.count("campaign_tuned") == 2


async def test_what_a_campaign_says_and_where_is_tuned_too(store: Store, operator: Visitor) -> None:
    campaign = await make_campaign(store, numbers(2))
    place = f"/campaigns/{campaign.id}"
    asked = "script_version=vi-2&by_phase=true&variants=vi-1+30,+vi-2+70"
    said = unescape(await operator.text(f"{place}/tune?{asked}"))
    pairs = ("by_phase=true", "script_version=vi-2", 'variants={"vi-1" = 30, "vi-2" = 70}')
    for pair in pairs:
        assert pair in said
    await tune(operator, place, place, *pairs)
    tuned = await row_of(store)
    assert (tuned.by_phase, tuned.script_version) == (True, "vi-2")
    assert tuned.variants == {"vi-1": 30, "vi-2": 70}
    assert 'value="vi-1 30, vi-2 70"' in await operator.text(place)
    await tune(operator, place, place, "variants={}")
    assert (await row_of(store)).variants == {}
    answer = await operator.get(f"{place}/tune?variants=vi-1")
    assert answer.status == 422
    assert "trọng số từ 1 đến 1000" in await answer.text()


async def tune(operator: Visitor, place: str, page: str, *pairs: str) -> str:
    """Apply pairs; tells where that leads."""
    fields = [*(await operator.hidden(page)).items(), *(("pair", pair) for pair in pairs)]
    answer = await operator.post(f"{place}/tune", fields)  # type: ignore[arg-type]
    assert answer.status == 303, await answer.text()
    return answer.headers["Location"]


async def change_of(operator: Visitor, place: str) -> str:
    """The change that the page offers to revert."""
    found = re.search(r'name="change" value="(\d+)"', await operator.text(place))
    assert found is not None
    return found[1]


async def test_what_was_changed_again_is_not_reverted(store: Store, operator: Visitor) -> None:
    campaign = await make_campaign(store, cps=1.0)
    place = f"/campaigns/{campaign.id}"
    await tune(operator, place, place, "cps=2")
    fields = await operator.hidden(place) | {"change": await change_of(operator, place)}
    await store.write(campaigns.tune, await row_of(store), {"max_channels": 7}, NOW)
    answer = await operator.post(f"{place}/revert", fields)
    assert (answer.status, (await row_of(store)).cps) == (422, 2.0)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("cps=0", "Cuộc gọi mỗi giây (CPS): số từ 0,01 đến 1000"),
        ("cps=x", "Cuộc gọi mỗi giây (CPS): số từ 0,01 đến 1000"),
        ("windows=17:00-08:00", "Khung giờ gọi"),
        ("retry.busy.max=99", "Máy bận"),
        ("cps=1", "Không có gì thay đổi"),
        ("colour=red", "Không có gì thay đổi"),
    ],
)
async def test_what_no_knob_may_be_is_said_in_vietnamese(
    store: Store, operator: Visitor, query: str, said: str
) -> None:
    campaign = await make_campaign(store, cps=1.0)
    answer = await operator.get(f"/campaigns/{campaign.id}/tune?{query}")
    assert (answer.status, said in await answer.text()) == (422, True)


async def test_a_tuning_that_is_no_knob_is_refused(store: Store, operator: Visitor) -> None:
    campaign = await make_campaign(store, cps=1.0)
    place = f"/campaigns/{campaign.id}"
    for pair in ("name=x", "state=draft", "cps=-1", "cps"):
        fields = await operator.hidden(place) | {"pair": pair}
        assert (await operator.post(f"{place}/tune", fields)).status == 422, pair
    assert (await row_of(store)).name == "mekong"


async def test_an_auditor_looks_and_has_no_button(rig: Rig, store: Store) -> None:
    campaign = await make_campaign(store, numbers(1))
    async with Visitor(rig) as auditor:
        await auditor.log_in(Role.AUDITOR)
        said = await auditor.text(f"/campaigns/{campaign.id}")
        asks = f'action="/campaigns/{campaign.id}/number"'
        assert f'action="/campaigns/{campaign.id}' not in said.replace(asks, "")
        assert "/campaigns/new" not in await auditor.text("/campaigns")
