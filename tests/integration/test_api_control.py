"""The API's control of campaigns: why not, a look ahead, a step back, brakes, once more. I/O."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from domain.roles import Role
from domain.states import BrakeCause, CampaignState
from store import brakes
from store.brakes import Change, Scope
from store.engine import Store
from store.models import Audit, Brake, Target
from tests.api_calls import Program, add_tokens, program, token_of
from tests.consoles import Rig, console
from tests.integration.test_console_campaigns import called
from tests.rows import NOW, all_rows, make_campaign, numbers
from tests.text_campaigns import make_text_campaign

ONE = "/campaigns/mekong"
KEY = {"Idempotency-Key": "0f8fad5b-d9cb-469f"}


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        await add_tokens(served)
        yield served


@pytest.fixture
async def by(rig: Rig) -> AsyncIterator[Program]:
    async with program(rig, token_of(Role.OPERATOR)) as made:
        yield made


async def acts(rig: Rig, action: str) -> list[dict[str, Any]]:
    return [row for row in await all_rows(rig.store, Audit) if row["action"] == action]


async def set_targets(rig: Rig, **values: Any) -> None:
    def change(connection: Connection) -> None:
        connection.execute(update(Target).values(**values))

    await rig.store.write(change)


async def test_why_a_campaign_is_not_dialling_is_told(by: Program, rig: Rig) -> None:
    await make_campaign(rig.store, numbers(3))
    rig.report["why_idle"] = {"mekong": "the trunk carrier takes no calls"}
    told = await by.json("GET", f"{ONE}/why-not")
    assert (told["state"], told["reason"], told["targets"]["due"]) == ("running", None, 3)
    assert told["server"] == "the trunk carrier takes no calls"
    await set_targets(rig, held_by="phase_closed", not_before=NOW + timedelta(days=2))
    rig.hands.move(hours=12)
    told = await by.json("GET", f"{ONE}/why-not")
    assert (told["reason"], told["until"]) == ("outside_window", "2021-04-02T01:00:00Z")
    assert told["targets"]["held"] == {"phase_closed": 3}
    assert told["targets"]["held_until"] == {"phase_closed": "2021-04-03T03:00:00Z"}


async def test_why_one_number_is_not_dialled_is_told_and_audited(by: Program, rig: Rig) -> None:
    await make_campaign(rig.store, numbers(1), state=CampaignState.PAUSED)
    told = await by.json("POST", f"{ONE}/why-not", json={"msisdn": "0900000000"})
    assert (told["stand"], told["reason"], told["msisdn"]) == (
        "closed",
        "not_running",
        "090****000",
    )
    assert told["target"]["state"] == "ready"
    stranger = await by.json("POST", f"{ONE}/why-not", json={"msisdn": "0912345678"})
    assert (stranger["stand"], stranger["target"]) == ("not_here", None)
    await by.json("POST", f"{ONE}/why-not", 422, json={"msisdn": "12"})
    assert [row["subject"] for row in await acts(rig, "number_looked_up")] == [
        "090****000",
        "091****678",
    ]


async def test_knobs_are_looked_at_and_change_nothing(by: Program, rig: Rig) -> None:
    await make_campaign(rig.store, numbers(100), cps=1.0, max_channels=10)
    seen = await by.json("POST", f"{ONE}/preview", json={"max_channels": 200, "cps": 2})
    assert (seen["before"]["limited_by"], seen["after"]["limited_by"]) == ("channels", "cps")
    assert seen["after"]["finishes_at"] < seen["before"]["finishes_at"]
    assert (await by.json("GET", ONE))["cps"] == 1.0
    await by.json("POST", f"{ONE}/preview", 422, json={"windows": ["late"]})


async def test_what_is_of_calls_is_refused_for_texts(by: Program, rig: Rig) -> None:
    await make_text_campaign(rig.store, numbers(2))
    await by.json("POST", "/campaigns/texts/preview", 409, json={"cps": 2})
    asked = {"outcomes": ["unknown"]}
    for what in ("recycle/preview", "recycle"):
        await by.json("POST", f"/campaigns/texts/{what}", 409, json=asked)


async def test_a_tuning_is_reverted_once_a_key(by: Program, rig: Rig) -> None:
    await make_campaign(rig.store, cps=1.0)
    await by.json("PATCH", ONE, json={"cps": 2})
    await by.json("PATCH", ONE, json={"cps": 3, "priority": 9})
    for _ in range(2):
        told = await by.json("POST", f"{ONE}/revert", headers=KEY)
        assert told["before"] == {"cps": 3.0, "priority": 9}
        assert told["after"] == {"cps": 2.0, "priority": 5}
    assert (await by.json("POST", f"{ONE}/revert"))["after"] == {"cps": 1.0}
    refused = await by.json("POST", f"{ONE}/revert", 409)
    assert refused["detail"] == "campaign 'mekong' has no tuning to undo"
    assert len(await acts(rig, "campaign_reverted")) == 2


async def test_numbers_are_recycled_to_the_last(
    by: Program, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.recycling.AT_ONCE", 2)
    await make_campaign(rig.store, numbers(5), state=CampaignState.PAUSED)
    await set_targets(rig, state="done", outcome="no_answer")
    sent = {"json": {"outcomes": ["no_answer"], "ended_before": "2021-04-02"}}
    seen = await by.json("POST", f"{ONE}/recycle/preview", **sent)
    assert seen == {"recycled": {"no_answer": 5}, "left_out": 0, "spent": 0, "over": 0}
    assert await by.json("POST", f"{ONE}/recycle", **sent) == {"recycled": {"no_answer": 5}}
    assert await by.json("POST", f"{ONE}/recycle", **sent) == {"recycled": {}}
    assert {row["state"] for row in await all_rows(rig.store, Target)} == {"ready"}
    [first, _] = await acts(rig, "campaign_recycled")
    assert first["data"]["outcomes"] == ["no_answer"]
    for wrong in ({"outcomes": []}, {"outcomes": ["answered"]}, {"outcomes": ["busy"], "x": 1}):
        await by.json("POST", f"{ONE}/recycle", 422, json=wrong)
    late = {"outcomes": ["busy"], "ended_before": "noon"}
    assert (
        "noon is no moment" in (await by.json("POST", f"{ONE}/recycle", 422, json=late))["detail"]
    )
    await by.json("POST", f"{ONE}/stop")
    await by.json("POST", f"{ONE}/recycle", 409, **sent)


async def test_a_campaign_of_texts_recycles_nothing(by: Program, rig: Rig) -> None:
    await make_text_campaign(rig.store, numbers(1), "mekong")
    await set_targets(rig, state="done", outcome="unknown")
    for path in ("recycle", "recycle/preview"):
        await by.json("POST", f"{ONE}/{path}", 409, json={"outcomes": ["unknown"]})


async def test_brakes_are_listed_overridden_and_heeded_again(by: Program, rig: Rig) -> None:
    assert await by.json("GET", "/brakes") == {"items": []}
    campaign = await make_campaign(rig.store)
    own = Scope(BrakeCause.PROMISE, campaign_id=campaign.id)
    await rig.store.write(brakes.put, own, Change(0.5, "late"), NOW)
    [row] = await all_rows(rig.store, Brake)
    [shown] = (await by.json("GET", "/brakes"))["items"]
    assert (shown["scope"], shown["factor"], shown["overridden_by"]) == ("mekong", 0.5, None)
    at = f"/brakes/{row['id']}"
    [shown] = (await by.json("POST", f"{at}/override", json={"minutes": 30}))["items"]
    assert shown["overridden_by"] == "token by-operator"
    assert shown["override_until"] == "2021-04-01T03:30:00Z"
    [shown] = (await by.json("POST", f"{at}/release"))["items"]
    assert shown["overridden_by"] is None
    await by.json("POST", f"{at}/override", 422, json={"minutes": 0})
    await by.json("POST", "/brakes/99/override", 404, json={"minutes": 30})
    await by.json("POST", "/brakes/99/release", 404)
    [act] = await acts(rig, "brake_overridden")
    assert (act["subject"], act["data"]) == ("mekong", {"cause": "promise", "minutes": 30})


async def test_the_figures_are_those_of_the_page(by: Program, rig: Rig) -> None:
    variants = {"vi-1": 1, "vi-2": 1}
    campaign = await make_campaign(rig.store, numbers(10), variants=variants)
    await called(rig.store, campaign)
    told = await by.json("GET", f"{ONE}/figures")
    steps = [told[name] for name in ("audience", "called", "answered", "registered", "confirmed")]
    assert steps == [10, 7, 1, 1, 0]
    assert told["keys"] == {"1": 1, "3": 1}
    assert told["attempts"] == {"answered": 1, "no_answer": 5, "open": 1}
    assert told["asr"] == pytest.approx(1 / 6)
    first, second = told["versions"]
    assert (first["version"], first["called"], second["called"]) == ("vi-1", 7, 0)
    assert 0 < first["key_1_low"] < first["key_1_rate"] < first["key_1_high"] < 1
    assert (second["key_1_rate"], second["key_1_low"]) == (None, None)


async def test_the_first_count_is_waited_for_a_while(
    by: Program, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.api.figures._PATIENCE_SECONDS", 0.1)
    await make_campaign(rig.store, numbers(3), state=CampaignState.PAUSED)
    async with rig.console.parts.tallies._turn:
        answer = await by.ask("GET", f"{ONE}/figures")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "being counted" in (await answer.json(content_type=None))["detail"]
    monkeypatch.setattr("console.api.figures._PATIENCE_SECONDS", 60.0)
    assert (await by.json("GET", f"{ONE}/figures"))["audience"] == 3
