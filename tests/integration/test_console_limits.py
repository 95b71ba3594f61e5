"""The page of the limits: preview, change, revert, and who may. I/O."""

import re
from collections.abc import AsyncIterator

import pytest

from domain.roles import Role
from domain.states import CampaignState
from store import audit, campaigns, limits
from store.engine import Store
from store.limits import Caps
from tests.consoles import Rig, Visitor, console
from tests.rows import NOW, make_campaign, numbers


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        yield served


@pytest.fixture
async def operator(rig: Rig) -> AsyncIterator[Visitor]:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.OPERATOR)
        yield visitor


async def stored(store: Store) -> dict[str, Caps]:
    return await store.read(limits.read)


async def set_by_page(visitor: Visitor, scope: str, *pairs: str) -> None:
    """Preview, and the preview's button."""
    hidden = await visitor.hidden(f"/limits/{scope}/change?{'&'.join(pairs)}")
    fields = [*hidden.items(), *(("pair", pair) for pair in pairs)]
    answer = await visitor.post(f"/limits/{scope}", fields)  # type: ignore[arg-type]
    assert answer.status == 303, await answer.text()


async def revert_on_page(visitor: Visitor, change: int) -> int:
    hidden = await visitor.hidden("/limits")
    answer = await visitor.post("/limits/global/revert", {**hidden, "change": str(change)})
    return answer.status


async def change_shown(visitor: Visitor) -> int:
    """The change that the page's button reverts."""
    found = re.search(r'name="change" value="(\d+)"', await visitor.text("/limits"))
    assert found is not None
    return int(found[1])


async def test_limits_are_those_of_the_settings_until_they_are_set(
    operator: Visitor, store: Store
) -> None:
    said = await operator.text("/limits")
    assert "Toàn máy chủ" in said
    assert "Trung kế carrier" in said
    assert said.count("theo cài đặt") == 2
    await set_by_page(operator, "trunk:carrier", "cps=7.5", "channels=90")
    assert await stored(store) == {"trunk:carrier": Caps(7.5, 90)}
    said = await operator.text("/limits")
    assert "7,50" in said
    assert said.count("theo cài đặt") == 2  # the server's own, and what stood before the change


async def test_a_preview_says_what_it_means_for_each_running_campaign_and_changes_nothing(
    operator: Visitor, store: Store
) -> None:
    for name in ("mekong", "ha-noi", "de-sau"):
        campaign = await make_campaign(store, numbers(30), name=name, cps=5.0)
        if name == "de-sau":
            await store.write(campaigns.move, campaign, CampaignState.PAUSED, NOW)
    said = await operator.text("/limits/global/change?cps=0.5&channels=")
    assert "mekong" in said
    assert "ha-noi" in said
    assert "de-sau" not in said
    assert said.count("CPS của trung kế và máy chủ") == 2  # after the change
    assert "0,50" in said
    assert await stored(store) == {}


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("cps=-1", "Cuộc gọi mỗi giây (CPS)"),
        ("cps=viele", "Cuộc gọi mỗi giây (CPS)"),
        ("channels=1.5", "Số kênh"),
        ("channels=20001", "Số kênh"),
        ("", "Không có gì thay đổi"),
    ],
)
async def test_what_can_not_be_is_refused_in_words(operator: Visitor, query: str, why: str) -> None:
    answer = await operator.get(f"/limits/global/change?{query}")
    assert answer.status == 422
    assert why in await answer.text()


@pytest.mark.parametrize("scope", ["trunk:other", "trunk:", "everything"])
async def test_a_scope_that_nobody_has_is_not_found(operator: Visitor, scope: str) -> None:
    assert (await operator.get(f"/limits/{scope}/change?cps=3")).status == 404


async def test_the_change_that_was_shown_is_reverted_and_no_later_one(
    operator: Visitor, store: Store
) -> None:
    await set_by_page(operator, "global", "cps=20")
    first = await change_shown(operator)
    await set_by_page(operator, "global", "cps=10")
    assert await revert_on_page(operator, first) == 422
    assert (await stored(store))["global"].cps == 10
    assert await revert_on_page(operator, await change_shown(operator)) == 303
    assert (await stored(store))["global"].cps == 20
    assert await change_shown(operator) == first
    assert await revert_on_page(operator, first) == 303
    assert await stored(store) == {}
    assert 'name="change"' not in await operator.text("/limits")
    done = [entry.action for entry in await store.read(audit.of_subject, "global", 9)]
    assert done == ["limits_reverted", "limits_reverted", "limits_set", "limits_set"]


async def test_who_only_reads_has_no_button(rig: Rig) -> None:
    async with Visitor(rig) as auditor:
        await auditor.log_in(Role.AUDITOR)
        assert "<form" not in (await auditor.text("/limits")).partition("<main")[2]
