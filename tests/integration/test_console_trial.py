"""A test call from the page of a campaign: asked for, refused, told of, audited. I/O."""

from collections.abc import AsyncIterator

import pytest

from domain.roles import Role
from domain.states import CampaignState
from store import trial_calls
from store.engine import Store
from store.models import Audit, Campaign, TrialCall
from tests.consoles import Rig, Visitor, console
from tests.rows import NOW, all_rows, make_campaign
from tests.text_campaigns import make_text_campaign

GIVEN = {"number": "0901 234 567", "script": "vi-1", "own": "yes"}


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        yield served


@pytest.fixture
async def campaign(store: Store) -> Campaign:
    return await make_campaign(store, state=CampaignState.DRAFT)


@pytest.fixture
async def operator(rig: Rig) -> AsyncIterator[Visitor]:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.OPERATOR)
        yield visitor


async def test_a_call_is_asked_for_once_a_form_and_by_name(
    store: Store, campaign: Campaign, operator: Visitor
) -> None:
    place = f"/campaigns/{campaign.id}/test-call"
    assert f'href="{place}"' in await operator.text(f"/campaigns/{campaign.id}")
    fields = await operator.hidden(place) | GIVEN
    for _ in range(2):
        answer = await operator.post(place, fields)
        assert (answer.status, answer.headers["Location"]) == (303, place)
    [row] = await all_rows(store, TrialCall)
    assert (row["msisdn"], row["script_version"]) == ("+84901234567", "vi-1")
    assert row["asked_by"] == "Nguyễn Thị Operator"
    [act] = [row for row in await all_rows(store, Audit) if row["action"] == "trial_call_asked"]
    assert act["data"] == {"script": "vi-1", "number": "090****567"}
    said = await operator.text(place)
    assert "090****567" in said
    assert "Chờ máy chủ" in said
    await store.write(trial_calls.take, "node1", "carrier", 180, NOW)
    assert "Đang gọi" in await operator.text(place)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"number": "12"}, "số 0 và 9 chữ số"),
        ({"number": "9231"}, "số 0 và 9 chữ số"),
        ({"script": "vi-99"}, "chưa có âm thanh"),
        ({"own": ""}, "máy của chính bạn"),
    ],
)
async def test_what_can_not_be_called_is_said(
    store: Store, campaign: Campaign, operator: Visitor, wrong: dict[str, str], said: str
) -> None:
    place = f"/campaigns/{campaign.id}/test-call"
    answer = await operator.send(place, place, **GIVEN | wrong)
    assert (answer.status, said in await answer.text()) == (422, True)
    assert await all_rows(store, TrialCall) == []


async def test_a_second_call_at_once_is_refused_in_vietnamese(
    store: Store, campaign: Campaign, operator: Visitor
) -> None:
    place = f"/campaigns/{campaign.id}/test-call"
    await operator.send(place, place, **GIVEN)
    answer = await operator.send(place, place, **GIVEN)
    assert (answer.status, "đang có cuộc gọi thử" in await answer.text()) == (422, True)
    assert len(await all_rows(store, TrialCall)) == 1


async def test_texts_are_not_tried_by_a_call(store: Store, operator: Visitor) -> None:
    texts = await make_text_campaign(store, [])
    assert (await operator.get(f"/campaigns/{texts.id}/test-call")).status == 404
