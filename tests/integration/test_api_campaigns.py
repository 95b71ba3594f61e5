"""The API's writes: done once by a key, refused in one sentence, seen by the lists. I/O."""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
from aiohttp import FormData

from domain.roles import Role
from domain.states import CampaignState
from store.engine import Store
from store.models import ApiAnswer, Audit, Campaign, Target
from tests.api_calls import Program, add_tokens, program, token_of
from tests.consoles import Rig, console
from tests.rows import all_rows, make_campaign, numbers

KEY = {"Idempotency-Key": "0f8fad5b-d9cb-469f"}
CSV = {"Content-Type": "text/csv"}


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        await add_tokens(served)
        yield served


@pytest.fixture
async def by(rig: Rig) -> AsyncIterator[Program]:
    async with program(rig, token_of(Role.OPERATOR)) as made:
        yield made


async def names(rig: Rig) -> list[str]:
    return [row["name"] for row in await all_rows(rig.store, Campaign)]


async def acts(rig: Rig) -> list[str]:
    return [row["action"] for row in await all_rows(rig.store, Audit)]


async def test_a_campaign_is_made_tuned_started_paused_and_stopped(by: Program, rig: Rig) -> None:
    new = {
        "name": "Vĩnh-Long",
        "purpose": "customer_care",
        "cps": 2,
        "windows": ["mon-fri 08:00-11:30", "13:30-17:00"],
        "retry": {"busy": {"max": 1, "delay_seconds": 600}},
    }
    made = await by.json("POST", "/campaigns", 201, json=new)
    assert made | {**new, "retry": made["retry"]} == made
    assert (made["state"], made["max_channels"], made["retry"]["busy"]["max"]) == ("draft", 50, 1)
    assert made["created_at"] == "2021-04-01T03:00:00Z"
    one = f"/campaigns/{made['id']}"
    tuned = await by.json("PATCH", one, json={"cps": 8, "retry": {"busy": {"max": 2}}})
    assert tuned == made | {
        "cps": 8.0,
        "retry": made["retry"] | {"busy": {"max": 2, "delay_seconds": 600.0, "factor": 1.0}},
    }
    for word, state in (("start", "running"), ("pause", "paused"), ("stop", "stopped")):
        for changed in (True, False):
            answer = await by.json("POST", f"/campaigns/Vĩnh-Long/{word}")
            assert answer == {"name": "Vĩnh-Long", "state": state, "changed": changed}
    assert (await by.json("GET", one))["state"] == "stopped"
    refused = await by.json("POST", f"{one}/start", 409)
    assert refused["detail"] == "campaign 'Vĩnh-Long' is stopped, it can't be running"
    assert set(await acts(rig)) >= {"campaign_created", "campaign_tuned", "campaign_running"}


async def test_what_is_made_with_a_key_is_made_once_and_answered_alike(
    by: Program, rig: Rig
) -> None:
    new = {"json": {"name": "mekong"}, "headers": KEY}
    first = await by.json("POST", "/campaigns", 201, **new)
    rig.hands.move(hours=3)
    assert await by.json("POST", "/campaigns", 201, **new) == first
    assert await names(rig) == ["mekong"]
    assert (await acts(rig)).count("campaign_created") == 1
    other = await by.json("POST", "/campaigns", 409, json={"name": "delta"}, headers=KEY)
    assert "another request" in other["detail"]
    without = await by.json("POST", "/campaigns", 409, json={"name": "mekong"})
    assert without["detail"] == "a campaign named 'mekong' exists already"
    assert await names(rig) == ["mekong"]


async def test_of_many_at_once_with_one_key_one_works_and_all_get_its_answer(
    by: Program, rig: Rig
) -> None:
    new = {"json": {"name": "mekong"}, "headers": KEY}
    answers = await asyncio.gather(*(by.json("POST", "/campaigns", 201, **new) for _ in range(8)))
    assert answers == answers[:1] * 8
    assert await names(rig) == ["mekong"]


async def test_a_key_is_of_its_token_and_is_forgotten_after_a_day(by: Program, rig: Rig) -> None:
    await by.json("POST", "/campaigns", 201, json={"name": "one"}, headers=KEY)
    rig.hands.move(days=1, seconds=1)
    await by.json("POST", "/campaigns", 201, json={"name": "two"}, headers={"Idempotency-Key": "2"})
    assert [row["key"] for row in await all_rows(rig.store, ApiAnswer)] == ["2"]


async def test_a_request_that_was_refused_leaves_its_key_free(by: Program, rig: Rig) -> None:
    await by.json("POST", "/campaigns", 201, json={"name": "mekong"})
    await by.json("POST", "/campaigns", 409, json={"name": "mekong"}, headers=KEY)
    assert await all_rows(rig.store, ApiAnswer) == []
    await by.json("POST", "/campaigns", 201, json={"name": "delta"}, headers=KEY)


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"data": "{"}, 400, "JSON"),
        ({"data": b'{"name": "\xff"}'}, 400, "JSON"),
        ({"data": '{"name": "m", "cps": NaN}'}, 422, "cps"),
        ({"data": "[]"}, 422, "object"),
        ({"json": {}}, 422, "name"),
        ({"json": {"name": "m", "colour": "red"}}, 422, "colour"),
        ({"json": {"name": "m", "cps": 0}}, 422, "cps"),
        ({"json": {"name": "m", "cps": "8"}}, 422, "cps"),
        ({"json": {"name": "m", "purpose": None}}, 422, "purpose"),
        ({"json": {"name": "m", "windows": ["late"]}}, 422, "late"),
        ({"json": {"name": "123"}}, 422, "name"),
        ({"json": {"name": "m\x00"}}, 422, "name"),
        ({"json": {"name": "m", "retry": {"answered": {"max": 1}}}}, 422, "retry"),
        ({"json": {"name": "m"}, "headers": {"Idempotency-Key": "a b"}}, 422, "Idempotency-Key"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_what_is_wrong(
    by: Program, rig: Rig, sent: dict[str, Any], status: int, said: str
) -> None:
    if "data" in sent:
        sent = {**sent, "headers": {"Content-Type": "application/json"}}
    problem = await by.json("POST", "/campaigns", status, **sent)
    assert said in problem["detail"]
    assert await names(rig) == []


async def test_a_body_that_is_too_large_is_refused(by: Program, rig: Rig) -> None:
    sent = {"data": BytesIO(b" " * 2**21), "headers": {"Content-Type": "application/json"}}
    assert "too large" in (await by.json("POST", "/campaigns", 413, **sent))["detail"]
    assert await names(rig) == []


async def test_a_body_of_another_kind_is_refused(by: Program) -> None:
    assert (await by.ask("POST", "/campaigns", data={"name": "m"})).status == 415


async def test_a_change_of_nothing_is_refused(by: Program, rig: Rig) -> None:
    await make_campaign(rig.store)
    await by.json("PATCH", "/campaigns/mekong", 422, json={})
    await by.json("PATCH", "/campaigns/mekong", 422, json={"name": "delta"})
    follows = await by.json("PATCH", "/campaigns/mekong", 422, json={"follow_after_hours": 5})
    assert follows["detail"] == "follow_after_hours: this campaign follows no text campaign"


async def test_the_newer_knobs_are_kept(by: Program) -> None:
    new = {"name": "mekong", "by_phase": True, "priority": 9, "variants": {"vi-1": 1, "vi-2": 3}}
    assert (made := await by.json("POST", "/campaigns", 201, json=new)) | new == made
    text = {"name": "texts", "kind": "text", "text": "TSTN", "purpose": "customer_care"}
    await by.json("POST", "/campaigns", 422, json={**text, "cps": 3, "max_channels": 5})
    await by.json("POST", "/campaigns", 422, json={"name": "after", "follows": "nothing"})


async def test_campaigns_are_listed_page_by_page_while_more_are_made(by: Program, rig: Rig) -> None:
    for name in ("a", "b", "c"):
        await make_campaign(rig.store, name=name)
    seen, after = [], 0
    while after is not None:
        at = f"?after={after}" if after else "?limit=2"
        page = await by.json("GET", f"/campaigns{at}" + ("&limit=2" if after else ""))
        seen += [one["name"] for one in page["items"]]
        if len(seen) == 2:
            await make_campaign(rig.store, name="d")
            await by.json("PATCH", "/campaigns/a", json={"cps": 1})
        after = page["next"]
    assert seen == ["a", "b", "c", "d"]


async def test_limits_are_the_settings_until_they_are_set(by: Program) -> None:
    before = (await by.json("GET", "/limits"))["scopes"]
    assert [scope["is_set"] for scope in before.values()] == [False, False]
    after = await by.json("PUT", "/limits/global", json={"cps": 12.5, "channels": 0})
    assert after["scopes"]["global"] == {"cps": 12.5, "channels": 0, "is_set": True}
    assert await by.json("GET", "/limits") == after


async def test_the_last_change_of_limits_is_undone_once_a_key(by: Program, rig: Rig) -> None:
    trunk = "/limits/trunk:carrier"
    await by.json("POST", f"{trunk}/revert", 409)
    for channels in (5, 9):
        await by.json("PUT", trunk, json={"cps": 3, "channels": channels})
    for _ in range(2):
        told = await by.json("POST", f"{trunk}/revert", headers=KEY)
        assert told["scopes"]["trunk:carrier"] == {"cps": 3.0, "channels": 5, "is_set": True}
    told = await by.json("POST", f"{trunk}/revert")
    assert told["scopes"]["trunk:carrier"]["is_set"] is False
    assert (await acts(rig)).count("limits_reverted") == 2


async def test_a_file_is_brought_in_once_and_its_targets_are_counted(by: Program, rig: Rig) -> None:
    await make_campaign(rig.store, state=CampaignState.DRAFT)
    sent = {"data": "msisdn\n0901234567\n0901234567\nnone\n", "headers": CSV | KEY}
    first = await by.json("POST", "/campaigns/mekong/imports", 201, **sent)
    assert (first["added"], first["rejected"], first["reasons"]["twice_in_file"]) == (1, 2, 1)
    assert await by.json("POST", "/campaigns/mekong/imports", 201, **sent) == first
    again = await by.json("POST", "/campaigns/mekong/imports", 201, **(sent | {"headers": CSV}))
    assert (again["added"], again["reasons"]["in_campaign"]) == (0, 1)
    one = (await by.json("GET", "/campaigns/mekong/imports"))["items"][0]
    assert (one["state"], one["imported_by"]) == ("done", "token by-operator")
    counts = await by.json("GET", "/campaigns/mekong/counts")
    assert counts == {"targets": {"ready": 1}, "outcomes": {}, "attempts": {}}
    assert (await acts(rig)).count("audience_imported") == 2


async def test_a_file_comes_by_a_form_too(by: Program, rig: Rig) -> None:
    await make_campaign(rig.store, state=CampaignState.DRAFT)
    form = FormData(quote_fields=False)
    form.add_field("note", "for phase 1")
    form.add_field("file", b"msisdn\n0901234567\n", filename="../../etc/List 1.csv")
    form.add_field("more", b"msisdn\n0907654321\n", filename="more.csv")
    made = await by.json("POST", "/campaigns/mekong/imports", 201, data=form)
    assert (made["added"], made["file_name"]) == (1, "List 1.csv")
    assert [row["msisdn"] for row in await all_rows(rig.store, Target)] == ["+84901234567"]


FORM = {"Content-Type": "multipart/form-data; boundary=b"}
HEAD = 'Content-Disposition: form-data; name="file"; filename="f"\r\n\r\n'


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"data": "", "headers": CSV}, 400),
        ({"data": "name\nLan\n", "headers": CSV}, 422),
        ({"data": b"\x00\xff\xfe", "headers": CSV}, 422),
        ({"data": "msisdn\n", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"data": "--b--\r\n", "headers": {"Content-Type": "multipart/form-data"}}, 400),
        ({"data": "--b--\r\n", "headers": FORM}, 422),
        ({"data": f"--b\r\n{HEAD}msisdn\n0901234567\n", "headers": FORM}, 400),
        ({"data": f'--b\r\nContent-Disposition: form-data; name="\x04"\r\n\r\n1\r\n--b\r\n{HEAD}'
                  "msisdn\n0901234567\r\n--b--\r\n", "headers": FORM}, 400),
    ],
)  # fmt: skip
async def test_a_file_that_can_not_be_read_is_refused(
    by: Program, rig: Rig, sent: dict[str, Any], status: int
) -> None:
    await make_campaign(rig.store)
    problem = await by.json("POST", "/campaigns/mekong/imports", status, **sent)
    assert problem["detail"]
    assert await all_rows(rig.store, Target) == []


async def test_a_file_beyond_the_bound_is_refused(
    by: Program, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.api.uploads.MOST_BYTES", 1000)
    await make_campaign(rig.store, numbers(1))
    sent = {"data": "msisdn\n" + "0901234567\n" * 200, "headers": CSV}
    await by.json("POST", "/campaigns/mekong/imports", 413, **sent)
    assert len(await all_rows(rig.store, Target)) == 1
