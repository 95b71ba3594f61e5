"""How a file is brought in by the API: looked at first, by what rules, true since when. I/O."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from console.kept_rejects import KeptRejects
from domain.roles import Role
from domain.states import CampaignState
from store.engine import Store
from store.models import Audit, Event, Import, Target
from tests.api_calls import Program, add_tokens, program, token_of
from tests.audiences import HEADER, row
from tests.consoles import Rig, Visitor, console
from tests.rows import all_rows, make_campaign

CSV = {"Content-Type": "text/csv"}
FILE = "\n".join(
    ",".join(cells)
    for cells in [
        HEADER,
        row("0901000001"),
        row("0901000002", c3=""),  # in neither list
        row("0901000003", c1="Atlantis"),
        row("0901000009"),  # another campaign has it
        row("12"),
    ]
)
PLAIN = "msisdn\n0901000001\n"
PLACE = "/campaigns/mekong/imports"


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        await add_tokens(served)
        await make_campaign(store, state=CampaignState.DRAFT)
        await make_campaign(store, ["+84901000009"], name="khac")
        yield served


@pytest.fixture
async def by(rig: Rig) -> AsyncIterator[Program]:
    async with program(rig, token_of(Role.OPERATOR)) as made:
        yield made


async def test_a_look_tells_what_an_import_would_do_and_does_nothing(by: Program, rig: Rig) -> None:
    sent = {"data": FILE, "headers": CSV}
    before = [await all_rows(rig.store, kind) for kind in (Target, Import, Event, Audit)]
    look = await by.json("POST", f"{PLACE}/preview?require_eligibility=true", **sent)
    assert look["columns"][:3] == [
        {"name": "Số thuê bao", "taken_for": "msisdn"},
        {"name": "Tỉnh", "taken_for": "province"},
        {"name": "Huyện", "taken_for": "district"},
    ]
    assert look["rows"][0]["cells"][0] == "090****001"
    assert "0901000001" not in str(look)
    assert [one["line"] for one in look["rows"] if one["problem"]] == [6]
    after = [await all_rows(rig.store, kind) for kind in (Target, Import, Event, Audit)]
    assert after == before
    done = await by.json("POST", f"{PLACE}?require_eligibility=true", 201, **sent)
    told = ("file_name", "added", "rejected", "reasons", "notes")
    assert {name: look[name] for name in told} == {name: done[name] for name in told}
    assert done["reasons"] == {"unreadable": 1, "no_list": 1}
    assert done["notes"]["also_in_other_campaigns"] == 1


async def test_the_file_of_a_form_is_looked_at_too(by: Program) -> None:
    form = FormData(quote_fields=False)
    form.add_field("file", PLAIN.encode(), filename="List 1.csv")
    look = await by.json("POST", f"{PLACE}/preview", data=form)
    assert (look["file_name"], look["added"], look["rejected"]) == ("List 1.csv", 1, 0)


@pytest.mark.parametrize("path", [PLACE, f"{PLACE}/preview"])
async def test_rules_that_are_demanded_need_their_columns(by: Program, path: str) -> None:
    sent = {"data": PLAIN, "headers": CSV}
    problem = await by.json("POST", f"{path}?require_eligibility=true", 422, **sent)
    assert "the file lacks: " in problem["detail"]


async def test_numbers_of_other_campaigns_are_left_to_them(by: Program, rig: Rig) -> None:
    sent = {"data": FILE, "headers": CSV}
    done = await by.json("POST", f"{PLACE}?skip_other_campaigns=true", 201, **sent)
    assert done["reasons"]["in_other_campaign"] == 1
    assert "also_in_other_campaigns" not in done["notes"]
    mine = [each for each in await all_rows(rig.store, Target) if each["campaign_id"] == 1]
    assert "+84901000009" not in [each["msisdn"] for each in mine]


async def test_the_import_says_when_its_figures_were_true(by: Program) -> None:
    sent = {"data": PLAIN, "headers": CSV}
    await by.json("POST", f"{PLACE}?extracted_at=2021-03-26T08:30", 201, **sent)
    [one] = (await by.json("GET", PLACE))["items"]
    assert one["extracted_at"] == "2021-03-26T01:30:00Z"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("extracted_at=yesterday", "extracted_at is no moment"),
        ("extracted_at=2031-01-01", "extracted_at lies in the future"),
        ("extracted_at=", "extracted_at: "),
        ("require_eligibility=1", "require_eligibility: "),
        ("skip_other_campaigns=True", "skip_other_campaigns: "),
        ("dry_run=true", "dry_run: "),
    ],
)
@pytest.mark.parametrize("path", [PLACE, f"{PLACE}/preview"])
async def test_an_option_that_can_not_be_read_is_refused(
    by: Program, rig: Rig, path: str, query: str, said: str
) -> None:
    before = await all_rows(rig.store, Target)
    problem = await by.json("POST", f"{path}?{query}", 422, data=PLAIN, headers=CSV)
    assert said in problem["detail"]
    assert await all_rows(rig.store, Target) == before


async def test_it_is_told_of_a_number_which_file_brought_it(by: Program, rig: Rig) -> None:
    """To programs and on both pages; of another number, that no file did."""
    form = FormData(quote_fields=False)
    form.add_field("file", PLAIN.encode(), filename="List 1.csv")
    brought = (await by.json("POST", PLACE, 201, data=form))["id"]
    asked = {"json": {"msisdn": "0901000001"}}
    [target] = (await by.json("POST", "/numbers/look-up", **asked))["targets"]
    assert (target["import_id"], target["file_name"]) == (brought, "List 1.csv")
    target = (await by.json("POST", "/campaigns/mekong/why-not", **asked))["target"]
    assert (target["import_id"], target["file_name"]) == (brought, "List 1.csv")
    asked = {"json": {"msisdn": "0901000009"}}
    [target] = (await by.json("POST", "/numbers/look-up", **asked))["targets"]
    assert (target["campaign"], target["file_name"]) == ("khac", None)
    async with Visitor(rig) as operator:
        await operator.log_in(Role.OPERATOR)
        for place in ("/numbers", "/campaigns/1/number"):
            told = await (await operator.send(place, place, number="0901000001")).text()
            assert "<dt>Từ tệp</dt><dd>List 1.csv (01/04/2021 10:00)</dd>" in told, place


async def test_the_same_key_with_other_options_is_another_request(by: Program) -> None:
    sent: dict[str, Any] = {"data": PLAIN, "headers": CSV | {"Idempotency-Key": "list-1"}}
    await by.json("POST", PLACE, 201, **sent)
    await by.json("POST", f"{PLACE}?skip_other_campaigns=true", 409, **sent)


async def test_what_is_wrong_with_a_file_is_told_by_its_name_alone(by: Program, rig: Rig) -> None:
    form = FormData(quote_fields=False)
    form.add_field("file", b"name\nLan\n", filename="List 1.csv")
    problem = await by.json("POST", f"{PLACE}/preview", 422, data=form)
    assert problem["detail"].startswith("List 1.csv: ")
    assert list(rig.console.parts.setting.uploads.iterdir()) == []


async def test_what_a_dead_server_left_of_an_upload_goes_at_the_next_start(
    store: Store, tmp_path: Path
) -> None:
    """As by kill -9 within a request: the folder of the upload stays behind."""
    left = tmp_path / "uploads" / "api.audience.x"
    left.mkdir(parents=True)
    (left / "numbers.csv").write_text(PLAIN)
    async with console(store, uploads=left.parent):
        assert not left.exists()


async def test_an_upload_lies_where_the_next_start_looks(by: Program, rig: Rig) -> None:
    """While it goes on its folder is of those that a start removes."""
    uploads, seen = rig.console.parts.setting.uploads, list[str]()

    async def body() -> AsyncIterator[bytes]:
        yield b"msisdn\n"
        async with asyncio.timeout(10):
            while not (found := list(uploads.iterdir())):
                await asyncio.sleep(0.01)
        seen.extend(each.name for each in found)
        KeptRejects(uploads, timedelta(days=30)).remove_left_over()
        seen.extend(each.name for each in uploads.iterdir())
        yield b"0901000001\n"

    await by.ask("POST", PLACE, data=body(), headers=CSV)
    [name] = seen
    assert name.startswith("api.audience.")
