"""A campaign made from a form, and its records as files. I/O."""

import csv
import io
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from openpyxl import load_workbook  # type: ignore[import-untyped]

from console.sheets import Row, send_xlsx
from domain.errors import StoreUnavailable
from domain.roles import Role
from domain.states import CampaignState
from store import campaigns
from store.engine import Store
from store.models import Audit
from tests.consoles import Rig, Visitor, console
from tests.integration.test_console_campaigns import called
from tests.rows import all_rows, make_campaign, numbers


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        yield served


@pytest.fixture
async def operator(rig: Rig) -> AsyncIterator[Visitor]:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.OPERATOR)
        yield visitor


async def test_records_download_as_csv_with_masked_numbers(store: Store, operator: Visitor) -> None:
    campaign = await make_campaign(store, numbers(10))
    await called(store, campaign)
    answer = await operator.get(f"/campaigns/{campaign.id}/attempts.csv")
    assert "attempts-" in answer.headers["Content-Disposition"]
    body = await answer.read()
    assert body.startswith("\ufeffSố".encode())
    head, *rows = csv.reader(io.StringIO(body.decode("utf-8-sig")))
    first = dict(zip(head, rows[0], strict=True))
    assert len(rows) == 7
    assert (first["Số máy"] if "Số máy" in first else rows[0][0]) == "090****000"
    assert "01/04/2021 10:00:00" in rows[0]
    assert "Có người nghe" in rows[0] or "1" in rows[0]
    assert [row["data"] for row in await all_rows(store, Audit) if row["subject"] == "mekong"] == [
        {"kind": "attempts", "form": "csv"}
    ]


@pytest.mark.parametrize("kind", ["attempts", "registrations", "callbacks"])
async def test_records_download_as_a_book(store: Store, operator: Visitor, kind: str) -> None:
    campaign = await make_campaign(store, numbers(10))
    await called(store, campaign)
    book = await (await operator.get(f"/campaigns/{campaign.id}/{kind}.xlsx")).read()
    rows = list(load_workbook(io.BytesIO(book)).active.iter_rows(values_only=True))
    assert len(rows) == {"attempts": 8, "registrations": 2, "callbacks": 2}[kind]
    assert all(isinstance(row[0], str) for row in rows)


async def test_a_book_that_is_cut_off_leaves_no_file_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sheets are files until they are saved: numbers must not stay in them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def rows() -> AsyncIterator[Row]:
        for number in range(2000):
            yield [f"09{number:08d}"]
        assert list(tmp_path.iterdir()) != []  # noqa: ASYNC240
        raise StoreUnavailable("the database is away")

    with pytest.raises(StoreUnavailable):
        await send_xlsx(make_mocked_request("GET", "/"), "attempts", rows())
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


async def test_a_campaign_is_made_once_from_its_form(store: Store, operator: Visitor) -> None:
    fields = await operator.hidden("/campaigns/new") | {
        "name": "Miền-Tây",
        "purpose": "customer_care",
        "cps": "2.5",
        "max_channels": "20",
        "max_attempts": "3",
        "ring_timeout_seconds": "",
        "windows": "sat,sun 09:00-11:30, 13:30-17:00",
        "call_on_holidays": "false",
        "by_phase": "true",
        "script_version": "vi-2",
        "variants": "vi-1 30, vi-2 70",
    }
    for _ in range(2):
        answer = await operator.post("/campaigns/new", fields)
        assert answer.headers["Location"] == "/campaigns/1?done=campaign_created"
    [made] = await store.read(campaigns.all_of)
    assert (made.state, made.cps, made.max_attempts) == (CampaignState.DRAFT, 2.5, 3)
    assert made.windows == ["sat,sun 09:00-11:30", "13:30-17:00"]
    assert (made.by_phase, made.script_version) == (True, "vi-2")
    assert made.variants == {"vi-1": 30, "vi-2": 70}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "Tên chiến dịch:"),
        ({"name": "1"}, "Tên chiến dịch:"),
        ({"name": 'x"\ncps = 9'}, "Tên chiến dịch:"),
        ({"purpose": "fun"}, "Mục đích:"),
        ({"cps": "0"}, "CPS"),
        ({"cps": "5\nmax_channels = 1"}, "CPS"),
        ({"max_channels": "1.5"}, "Số kênh:"),
        ({"windows": "25:00-26:00"}, "Khung giờ gọi:"),
        ({"variants": "vi-1"}, "Các bản kịch bản"),
        ({"by_phase": "maybe"}, "đang trong đợt:"),
        ({"script_version": "../vi"}, "Phiên bản kịch bản:"),
        ({"name": "mekong"}, "Đã có chiến dịch tên này"),
    ],
)
async def test_what_no_campaign_may_be_is_said_and_nothing_is_lost(
    store: Store, operator: Visitor, wrong: dict[str, str], said: str
) -> None:
    await make_campaign(store, name="mekong")
    fields = {"name": "tay", "cps": "1", "max_channels": "5", "windows": "08:00-17:00"} | wrong
    answer = await operator.send("/campaigns/new", "/campaigns/new", **fields)
    text = await answer.text()
    assert (answer.status, said in text) == (422, True), text
    assert 'value="08:00-17:00"' in text or "windows" in wrong
    assert len(await store.read(campaigns.all_of)) == 1
