"""What the API gives out: exports on from any row, one number, call-backs, health; masked. I/O."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientError

from domain.dispositions import Disposition
from domain.errors import StoreUnavailable
from domain.roles import Role
from store import exports
from store.apply import apply
from store.engine import Store
from store.models import Audit, Import
from tests.answering_calls import register
from tests.api_calls import Program, add_tokens, program, token_of
from tests.consoles import Rig, console
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


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        await add_tokens(served)
        yield served


@pytest.fixture
async def operator(rig: Rig) -> AsyncIterator[Program]:
    async with program(rig, token_of(Role.OPERATOR)) as made:
        yield made


@pytest.fixture
async def supervisor(rig: Rig) -> AsyncIterator[Program]:
    async with program(rig, token_of(Role.SUPERVISOR)) as made:
        yield made


async def call_all(store: Store, count: int) -> None:
    """A campaign whose numbers were all called, answered, and registered by key 1."""
    campaign = await make_campaign(store, numbers(count))
    for attempt in await claim_some(store, campaign):
        facts = [
            answered(attempt, NOW),
            pressed(attempt, "1", NOW),
            asked(attempt.msisdn, NOW, attempt.attempt_id, campaign_id=campaign.id),
            ended(attempt, Disposition.ANSWERED, NOW, answered_at=NOW),
        ]
        await store.write(apply, facts, BY_NINE)


async def lines(by: Program, path: str) -> list[dict[str, Any]]:
    answer = await by.ask("GET", path)
    assert answer.status == 200, await answer.text()
    assert answer.content_type == "application/x-ndjson"
    return [json.loads(line) for line in (await answer.text()).splitlines()]


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("attempts", "attempt_id"),
        ("registrations", "registration_id"),
        ("callbacks", "callback_id"),
    ],
)
async def test_an_export_goes_on_after_any_row(
    operator: Program, rig: Rig, kind: str, key: str
) -> None:
    await call_all(rig.store, 5)
    path = f"/campaigns/mekong/{kind}"
    rows = await lines(operator, path)
    assert len(rows) == 5
    for place, row in enumerate(rows):
        assert await lines(operator, f"{path}?after={row[key]}") == rows[place + 1 :]
    assert {row["msisdn"] for row in rows} <= {f"090****00{n}" for n in range(5)}
    assert not {"address", "evidence"} & set(rows[0])
    assert numbers(1)[0] not in str(rows)


async def test_an_attempt_of_elsewhere_is_nowhere_to_go_on(operator: Program, rig: Rig) -> None:
    await call_all(rig.store, 1)
    path = "/campaigns/mekong/attempts"
    await operator.json("GET", f"{path}?after={uuid4()}", 422)
    await operator.json("GET", f"{path}?after=x", 422)
    await operator.json("GET", "/campaigns/delta/attempts", 404)


async def test_an_export_that_is_cut_does_not_end_as_if_it_were_whole(
    operator: Program, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store goes away in the middle. It can't be made to at a given row."""

    async def cut(*_: object) -> AsyncIterator[dict[str, Any]]:
        yield {"msisdn": numbers(1)[0]}
        yield {"msisdn": numbers(1)[0]}
        raise StoreUnavailable("gone")

    await make_campaign(rig.store)
    monkeypatch.setattr(exports, "registrations", cut)
    with pytest.raises(ClientError):
        await operator.ask("GET", "/campaigns/mekong/registrations")


async def test_an_export_of_nothing_is_empty(operator: Program, rig: Rig) -> None:
    await make_campaign(rig.store)
    assert await lines(operator, "/campaigns/mekong/registrations") == []


async def test_one_number_as_the_role_may_see(
    operator: Program, supervisor: Program, rig: Rig
) -> None:
    await call_all(rig.store, 1)
    question = {"json": {"msisdn": "0900 000 000"}}
    masked = await operator.json("POST", "/numbers/look-up", **question)
    whole = await supervisor.json("POST", "/numbers/look-up", **question)
    assert (masked["msisdn"], whole["msisdn"]) == ("090****000", "+84900000000")
    assert masked | {"msisdn": whole["msisdn"]} == whole
    assert [(one["campaign"], one["state"]) for one in whole["targets"]] == [("mekong", "claimed")]
    kinds = [one["kind"] for one in whole["timeline"]]
    assert kinds.index("key_pressed") < kinds.index("registered")
    assert whole["callbacks"][0]["promise_at"] == "2021-04-03T03:00:00Z"
    acts = [row for row in await all_rows(rig.store, Audit) if row["action"] == "number_looked_up"]
    assert [(row["subject"], row["token_id"] is None) for row in acts] == [
        ("090****000", False)
    ] * 2


async def test_a_number_of_nobody_and_one_that_is_none(operator: Program) -> None:
    found = await operator.json("POST", "/numbers/look-up", json={"msisdn": "0909999999"})
    assert (found["targets"], found["timeline"]) == ([], [])
    problem = await operator.json("POST", "/numbers/look-up", 422, json={"msisdn": "9231\x00"})
    assert "9231" not in problem["detail"]


async def test_a_specialist_sees_the_numbers_of_one_province(rig: Rig) -> None:
    await make_campaign(rig.store, numbers(1))
    async with program(rig, token_of(Role.SPECIALIST)) as by:
        await by.json("POST", "/numbers/look-up", json={"msisdn": numbers(1)[0]})
        await by.json("POST", "/numbers/look-up", 403, json={"msisdn": numbers(2)[1]})
    acts = [row["action"] for row in await all_rows(rig.store, Audit)]
    assert acts.count("number_looked_up") == 2  # one that was refused too


async def test_the_queue_is_listed_page_by_page_while_it_changes(
    supervisor: Program, rig: Rig
) -> None:
    await register(rig.store, *numbers(5))
    first = await supervisor.json("GET", "/callbacks?limit=2")
    await register(rig.store, *numbers(6)[5:])
    seen, page = first["items"], first
    while page["next"] is not None:
        page = await supervisor.json("GET", f"/callbacks?limit=2&after={page['next']}")
        seen += page["items"]
    assert sorted(one["msisdn"] for one in seen) == numbers(6)
    await supervisor.json("GET", "/callbacks?after=999", 422)


async def test_the_queue_by_its_deadlines_its_figures_and_its_forecast(
    supervisor: Program, rig: Rig
) -> None:
    await register(rig.store, *numbers(3))
    fresh = await supervisor.json("GET", "/callbacks?sla=fresh")
    assert len(fresh["items"]) == 3
    assert (await supervisor.json("GET", "/callbacks?sla=broken"))["items"] == []
    figures = await supervisor.json("GET", "/callbacks/figures")
    assert (figures["waiting"], figures["by_sla"]["fresh"], figures["held"]) == (3, 3, 0)
    forecast = await supervisor.json("GET", "/callbacks/forecast")
    assert forecast["clears_at"] is None  # nobody is on duty
    assert forecast["misses_promise"] == 3
    assert forecast["curve"][0]["open"] == 3
    rig.hands.move(days=3)
    assert (await supervisor.json("GET", "/callbacks/figures"))["by_sla"]["broken"] == 3


async def test_imports_are_listed_page_by_page(operator: Program, rig: Rig) -> None:
    campaign = await make_campaign(rig.store)
    other = await make_campaign(rig.store, name="delta")
    for place, row in enumerate((campaign, campaign, other, campaign)):
        await rig.store.write(_add_import, row.id, f"{place}.csv")
    page = await operator.json("GET", "/campaigns/mekong/imports?limit=2")
    assert [one["file_name"] for one in page["items"]] == ["0.csv", "1.csv"]
    rest = await operator.json("GET", f"/campaigns/mekong/imports?after={page['next']}")
    assert [one["file_name"] for one in rest["items"]] == ["3.csv"]
    assert rest["next"] is None


def _add_import(connection: Any, campaign_id: int, name: str) -> None:
    values = {
        "campaign_id": campaign_id,
        "file_name": name,
        "sha256": "0" * 64,
        "imported_at": NOW + timedelta(seconds=1),
        "imported_by": "lan",
        "counts": {"added": 3},
        "state": "done",
    }
    connection.execute(Import.__table__.insert().values(values))  # type: ignore[attr-defined]


async def test_health_says_what_stands_how(operator: Program, rig: Rig) -> None:
    well = await operator.json("GET", "/health")
    assert (well["ok"], well["parts"][0]["part"], well["parts"][0]["state"]) == (
        True,
        "Asterisk",
        "well",
    )
    rig.report |= {"ok": False, "store": {"up": False, "spooled_facts": 7}}
    bad = await operator.json("GET", "/health")
    assert not bad["ok"]
    assert {one["part"]: one["state"] for one in bad["parts"]}["Database"] == "trouble"
