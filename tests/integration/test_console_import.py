"""An audience brought in from a page: looked at, confirmed, loaded; one at a time. I/O."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData

from console.kept_rejects import KeptRejects
from domain.roles import Role
from domain.states import CampaignState
from store.engine import Store
from store.models import Audit, Campaign, Import, Target
from tests.consoles import Rig, Visitor, console
from tests.rows import NOW, all_rows, make_campaign, numbers

FILE = """Số thuê bao,Tỉnh,Ghi chú
0901000001,Vĩnh Long,a
0901000002,Cà Mau,=1+1
0901000001,Vĩnh Long,again
12,Vĩnh Long,short
+84900000000,Vĩnh Long,known
"""


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store, upload_bytes=4000) as served:
        yield served


@pytest.fixture
async def campaign(store: Store) -> Campaign:
    return await make_campaign(store, numbers(1), state=CampaignState.DRAFT)


@pytest.fixture
async def operator(rig: Rig) -> AsyncIterator[Visitor]:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.OPERATOR)
        yield visitor


async def send_file(
    operator: Visitor, place: str, text: str = FILE, name: str = "dữ liệu.csv", **other: str
) -> ClientResponse:
    """Fill in the form for a file."""
    form = FormData(quote_fields=False)
    for field, value in (await operator.hidden("/numbers") | other).items():
        form.add_field(field, value)
    form.add_field("file", text.encode(), filename=name, content_type="text/csv")
    return await operator.post(place, form)  # type: ignore[arg-type]


async def until(operator: Visitor, place: str, words: str) -> str:
    """The page, once it says so."""
    async with asyncio.timeout(10):
        while words not in (said := await operator.text(place)):
            await asyncio.sleep(0.01)
    return said


async def numbers_of(store: Store) -> list[str]:
    return [row["msisdn"] for row in await all_rows(store, Target)]


def left(rig: Rig) -> list[Path]:
    """Audience files that lie on the disk."""
    return list(rig.console.parts.setting.uploads.glob("*.audience.*"))


async def test_a_file_is_looked_at_then_loaded_and_its_refused_rows_download(
    rig: Rig, store: Store, campaign: Campaign, operator: Visitor
) -> None:
    place = f"/campaigns/{campaign.id}/import"
    answer = await send_file(operator, place)
    assert (answer.status, answer.headers["Location"]) == (303, place)
    said = await until(operator, place, "Nếu nạp thì kết quả sẽ là")
    assert "Nạp 2 số" in said
    assert "dữ liệu.csv" in said
    assert "0901000001" not in said  # masked for who need not dial
    assert await numbers_of(store) == numbers(1)
    await operator.send(place, f"{place}/confirm", job=job_of(rig).id)
    said = await until(operator, place, "Đã nạp xong")
    assert sorted(await numbers_of(store)) == ["+84900000000", "+84901000001", "+84901000002"]
    [imported] = await all_rows(store, Import)
    address = f"/campaigns/{campaign.id}/imports/{imported['id']}/rejects.csv"
    assert address in await operator.text(place)
    rejects = await (await operator.get(address)).text()
    assert rejects.count("\n") == 4
    assert left(rig) == []
    actions = [row["action"] for row in await all_rows(store, Audit)]
    taken = ["audience_uploaded", "audience_import_confirmed", "campaign_exported"]
    assert actions[1:] == taken
    assert imported["file_name"] == "dữ liệu.csv"
    assert imported["counts"]["added"] == 2


def job_of(rig: Rig) -> Any:
    job = rig.console.parts.audiences.job
    assert job is not None
    return job


async def test_one_import_at_a_time(
    rig: Rig, store: Store, campaign: Campaign, operator: Visitor
) -> None:
    other = await make_campaign(store, name="bac", state=CampaignState.DRAFT)
    place, elsewhere = (f"/campaigns/{one.id}/import" for one in (campaign, other))
    await send_file(operator, place)
    await until(operator, place, "Nếu nạp thì kết quả sẽ là")
    answer = await send_file(operator, elsewhere)
    assert (answer.status, "mỗi lúc chỉ một lần" in await answer.text()) == (409, True)
    assert "đang nạp vào mekong" in await operator.text(elsewhere)
    assert len(left(rig)) == 1
    await operator.send(place, f"{place}/discard", job=job_of(rig).id)
    assert left(rig) == []
    assert (await send_file(operator, elsewhere)).status == 303


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("x" * 5000, 413, "Tệp lớn hơn"),
        ("", 303, "Không nạp được tệp này"),
        ("ten,tinh\na,b\n", 303, "Không nạp được tệp này"),
        ("\x00\x01\x02", 303, "Không nạp được tệp này"),
    ],
)
async def test_a_file_that_can_not_be_is_refused_and_thrown_away(
    rig: Rig, campaign: Campaign, operator: Visitor, text: str, status: int, said: str
) -> None:
    place = f"/campaigns/{campaign.id}/import"
    answer = await send_file(operator, place, text)
    assert answer.status == status
    if status == 303:
        await until(operator, place, said)
    else:
        assert said in await answer.text()
    assert left(rig) == []
    assert (await send_file(operator, place)).status == 303  # the next one may come


async def test_a_file_without_its_token_is_refused_unread(
    rig: Rig, campaign: Campaign, operator: Visitor
) -> None:
    place = f"/campaigns/{campaign.id}/import"
    for token in ("", "x" * 43):
        assert (await send_file(operator, place, csrf=token)).status == 403
    assert (rig.console.parts.audiences.job, left(rig)) == (None, [])


async def test_a_file_that_is_not_audited_stands_in_no_other_file_s_way(
    rig: Rig, campaign: Campaign, operator: Visitor
) -> None:
    place = f"/campaigns/{campaign.id}/import"
    assert (await send_file(operator, place, once="")).status == 400
    assert left(rig) == []
    assert (await send_file(operator, place)).status == 303
    await until(operator, place, "Nếu nạp thì kết quả sẽ là")


async def test_no_number_of_a_refused_row_is_shown_whole(
    campaign: Campaign, operator: Visitor
) -> None:
    place = f"/campaigns/{campaign.id}/import"
    await send_file(operator, place, "Số thuê bao,Danh sách\n0901234567,3\n")
    said = await until(operator, place, "090****567")
    assert "0901234567" not in said


async def test_a_form_without_a_file_says_so(campaign: Campaign, operator: Visitor) -> None:
    place = f"/campaigns/{campaign.id}/import"
    answer = await operator.send("/numbers", place)
    assert (answer.status, "Hãy chọn tệp" in await answer.text()) == (422, True)


async def test_the_name_of_a_file_is_no_path(
    rig: Rig, campaign: Campaign, operator: Visitor
) -> None:
    place = f"/campaigns/{campaign.id}/import"
    await send_file(operator, place, name="../../etc/<b>passwd")
    said = await until(operator, place, "Nếu nạp thì kết quả sẽ là")
    assert "<b>passwd" not in said
    assert job_of(rig).file.parent == rig.console.parts.setting.uploads


async def test_what_a_stopped_server_left_is_thrown_away(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.audience.csv").touch()
    (tmp_path / "7.rejects.csv").touch()
    async with console(store, uploads=tmp_path) as served:
        assert left(served) == []
        assert (tmp_path / "7.rejects.csv").exists()


def test_old_files_go_by_the_clock_and_those_in_use_stay(tmp_path: Path) -> None:
    kept = KeptRejects(tmp_path, timedelta(days=30))
    for name, days in (("1.rejects.csv", 31), ("2.rejects.csv", 29)):
        touch(tmp_path / name, NOW - timedelta(days=days))
    for name, days in (("old.audience.csv", 2), ("new.audience.csv", 0), ("mine.audience.csv", 2)):
        touch(tmp_path / name, NOW - timedelta(days=days))
    assert kept.tidy(NOW, tmp_path / "mine.audience.csv") == 2
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["2.rejects.csv", "mine.audience.csv", "new.audience.csv"]
    assert (kept.of(1), kept.of(2)) == (None, tmp_path / "2.rejects.csv")


def touch(file: Path, at: datetime) -> None:
    file.touch()
    os.utime(file, (at.timestamp(), at.timestamp()))


async def test_a_served_console_removes_them_by_itself(store: Store, tmp_path: Path) -> None:
    old = tmp_path / "1.rejects.csv"
    touch(old, NOW - timedelta(days=31))
    async with console(store, uploads=tmp_path), asyncio.timeout(10):
        while old.exists():
            await asyncio.sleep(0.01)


async def test_the_options_are_those_of_the_command(
    rig: Rig, store: Store, campaign: Campaign, operator: Visitor
) -> None:
    await make_campaign(store, ["+84901000001"], name="bac")
    place = f"/campaigns/{campaign.id}/import"
    answer = await send_file(operator, place, extracted_at="hôm qua")
    assert (answer.status, "Ghi thời điểm" in await answer.text()) == (422, True)
    answer = await send_file(operator, place, extracted_at="2021-04-02")  # tomorrow
    assert answer.status == 422
    assert left(rig) == []
    await send_file(operator, place, extracted_at="26/03/2021 08:30", skip_other_campaigns="yes")
    said = await until(operator, place, "Nếu nạp thì kết quả sẽ là")
    assert "Có trong chiến dịch khác" in said
    await operator.send(place, f"{place}/confirm", job=job_of(rig).id)
    await until(operator, place, "Đã nạp xong")
    [imported] = await all_rows(store, Import)
    assert imported["extracted_at"] == datetime(2021, 3, 26, 1, 30, tzinfo=UTC)
    assert imported["counts"]["in_other_campaign"] == 2  # it stands there twice
    await send_file(operator, place, require_eligibility="yes")
    await until(operator, place, "Không nạp được tệp này")  # it lacks the columns


async def test_an_import_is_undone_until_its_first_contact(
    rig: Rig, store: Store, campaign: Campaign, operator: Visitor
) -> None:
    place = f"/campaigns/{campaign.id}/import"
    await send_file(operator, place)
    await until(operator, place, "Nếu nạp thì kết quả sẽ là")
    await operator.send(place, f"{place}/confirm", job=job_of(rig).id)
    await until(operator, place, "Đã nạp xong")
    [imported] = await all_rows(store, Import)
    address = f"/campaigns/{campaign.id}/imports/{imported['id']}/undo"
    fields = await operator.hidden(address)  # it asks once more
    for _ in range(2):
        assert (await operator.post(address, fields)).headers["Location"] == place
        await until(operator, place, "Đã hoàn tác lần nạp: đã bỏ 2 số")
    assert await numbers_of(store) == numbers(1)
    await operator.send(place, address)
    await until(operator, place, "Không hoàn tác được")
    actions = [row["action"] for row in await all_rows(store, Audit)]
    assert actions.count("audience_undo_asked") == 2


async def test_an_import_of_another_campaign_is_not_there(
    store: Store, campaign: Campaign, operator: Visitor
) -> None:
    other = await make_campaign(store, name="bac", state=CampaignState.DRAFT)
    place = f"/campaigns/{campaign.id}/import"
    await send_file(operator, place)
    await until(operator, place, "Nếu nạp thì kết quả sẽ là")
    fields = await operator.hidden(place)
    for number in (1, 99):
        assert (
            await operator.get(f"/campaigns/{other.id}/imports/{number}/rejects.csv")
        ).status == 404
        answer = await operator.post(f"/campaigns/{other.id}/imports/{number}/undo", fields)
        assert answer.status == 404


async def test_a_confirmation_of_another_import_changes_nothing(
    rig: Rig, store: Store, campaign: Campaign, operator: Visitor
) -> None:
    place = f"/campaigns/{campaign.id}/import"
    await send_file(operator, place)
    await until(operator, place, "Nếu nạp thì kết quả sẽ là")
    answer = await operator.send(place, f"{place}/confirm", job="f" * 32)
    assert answer.status == 409
    assert await numbers_of(store) == numbers(1)


async def test_a_campaign_that_is_stopped_takes_no_file(
    rig: Rig, store: Store, operator: Visitor
) -> None:
    campaign = await make_campaign(store, state=CampaignState.STOPPED)
    answer = await send_file(operator, f"/campaigns/{campaign.id}/import")
    assert (answer.status, left(rig)) == (422, [])
