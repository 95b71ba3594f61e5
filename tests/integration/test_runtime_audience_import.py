"""Audience files into a campaign, on both databases: what is added, what is refused. I/O."""

import asyncio
import csv
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InputError
from domain.states import CampaignState
from runtime import audience_import
from runtime.audience_import import (
    IN_CAMPAIGN,
    TWICE_IN_FILE,
    ImportReport,
    count_lines,
    import_audience,
    rejects_beside,
)
from store.engine import Store
from store.models import Event, Target
from tests.rows import NOW, all_rows, make_campaign

HEADER = "Số thuê bao,Tỉnh,Huyện,Danh sách,Ghi chú\n"


@pytest.fixture
async def campaign(store: Store) -> str:
    made = await make_campaign(store, name="one")
    return made.name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "numbers.csv"


def written(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


async def imported(store: Store, file: Path, rejects: Path | None = None) -> ImportReport:
    """Import a file into the campaign "one"."""
    return await import_audience(
        store, "one", file, rejects or rejects_beside(file), lambda: NOW, lambda line: None
    )


async def targets(store: Store) -> list[dict[str, Any]]:
    return await all_rows(store, Target)


def refused(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


@pytest.mark.usefixtures("campaign")
async def test_a_row_becomes_a_target_that_may_be_dialled_now(store: Store, file: Path) -> None:
    report = await imported(
        store, written(file, HEADER + "0901234567,Cần Thơ,Ninh Kiều,1,chị Tư\n")
    )
    assert (report.added, report.rejected) == (1, 0)
    [target] = await targets(store)
    assert target.pop("id")
    assert target.pop("campaign_id")
    assert target == {
        "msisdn": "+84901234567",
        "province": "Cần Thơ",
        "district": "Ninh Kiều",
        "list_no": 1,
        "attributes": {"Ghi chú": "chị Tư"},
        "not_before": NOW,
        "state": "ready",
        "attempts_made": 0,
        "outcome": None,
        "import_id": report.import_id,
        "province_code": None,
        "district_code": None,
        "held_by": None,
    }


MIXED = (
    HEADER
    + "0901234567,Cần Thơ,Ninh Kiều,1,a\n"
    + "12,Cần Thơ,,,\n"
    + '+84 901 234 567,"Cần Thơ, TP",,2,b\n'
    + "0901234568,,,,\n"
)


@pytest.mark.usefixtures("campaign")
async def test_refused_rows_stand_with_their_reasons_in_the_order_of_the_file(
    store: Store, file: Path
) -> None:
    report = await imported(store, written(file, MIXED))
    assert (report.added, report.unreadable, report.twice_in_file, report.in_campaign) == (
        *(2, 1, 1),
        0,
    )
    head, bad, twice = refused(file.with_name("numbers.rejects.csv"))
    assert head == ["line", "reason", "Số thuê bao", "Tỉnh", "Huyện", "Danh sách", "Ghi chú"]
    assert bad[0] == "3"
    assert bad[2:] == ["12", "Cần Thơ", "", "", ""]
    assert twice == ["4", TWICE_IN_FILE, "0901234567", "Cần Thơ, TP", "", "2", "b"]


@pytest.mark.usefixtures("campaign")
async def test_a_second_run_adds_nothing(store: Store, file: Path) -> None:
    await imported(store, written(file, MIXED))
    before = await targets(store)
    report = await imported(store, file)
    assert (report.added, report.unreadable, report.twice_in_file, report.in_campaign) == (
        *(0, 1, 1),
        2,
    )
    assert await targets(store) == before
    reasons = [row[1] for row in refused(report.rejects)]
    assert reasons[1::3] == [IN_CAMPAIGN, IN_CAMPAIGN]


@pytest.mark.usefixtures("campaign")
async def test_batches_do_not_show(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience_import, "_ROWS_A_BATCH", 2)
    numbers = [f"09000000{n:02d}" for n in range(7)]
    text = "msisdn\n" + "\n".join([*numbers, numbers[0], numbers[6]])
    lines: list[int] = []
    report = await import_audience(
        store, "one", written(file, text), rejects_beside(file), lambda: NOW, lines.append
    )
    assert (report.added, report.twice_in_file, report.in_campaign) == (7, 2, 0)
    assert lines == [3, 5, 7, 9, 10]
    assert [row[0] for row in refused(report.rejects)[1:]] == ["9", "10"]


@pytest.mark.usefixtures("campaign")
async def test_without_refused_rows_no_file_of_them_is_left(store: Store, file: Path) -> None:
    report = await imported(store, written(file, MIXED))
    assert report.rejects.exists()
    await imported(store, written(file, "msisdn\n0901234569\n"))
    assert not report.rejects.exists()


@pytest.mark.usefixtures("campaign")
async def test_two_imports_at_once_add_each_number_once(store: Store, file: Path) -> None:
    numbers = [f"09{n:08d}" for n in range(2500)]
    written(file, "msisdn\n" + "\n".join(numbers))
    reports = await asyncio.gather(
        *(imported(store, file, rejects=file.with_name(f"{n}.csv")) for n in range(2))
    )
    assert sum(report.added for report in reports) == 2500
    assert sum(report.in_campaign for report in reports) == 2500
    assert len(await targets(store)) == 2500


@pytest.mark.usefixtures("campaign")
async def test_the_import_is_in_the_history(store: Store, file: Path) -> None:
    await imported(store, written(file, MIXED))
    [event] = [e for e in await all_rows(store, Event) if e["kind"] == "audience_imported"]
    assert event["data"] == {"name": "one", "file": "numbers.csv", "added": 2, "rejected": 2}
    assert event["campaign_id"] == (await targets(store))[0]["campaign_id"]


@pytest.mark.usefixtures("campaign")
async def test_the_rejects_never_overwrite_the_file_itself(store: Store, file: Path) -> None:
    written(file, MIXED)
    link = file.with_name("link.csv")
    link.symlink_to(file)
    with pytest.raises(InputError, match="the rejects can't go to"):
        await imported(store, file, rejects=link)
    assert (await imported(store, file)).added == 2


@pytest.mark.usefixtures("campaign")
async def test_rejects_that_cannot_be_written_stop_it_before_the_first_number(
    store: Store, file: Path
) -> None:
    with pytest.raises(InputError, match="cannot write"):
        await imported(store, written(file, MIXED), rejects=file.parent / "none" / "rejects.csv")
    assert await targets(store) == []


async def test_a_stopped_campaign_takes_no_more_numbers(store: Store, file: Path) -> None:
    await make_campaign(store, name="one", state=CampaignState.STOPPED)
    with pytest.raises(InputError, match="is stopped"):
        await imported(store, written(file, MIXED))
    assert not rejects_beside(file).exists()


async def test_no_such_campaign(store: Store, file: Path) -> None:
    with pytest.raises(InputError, match="there is no campaign 'one'"):
        await imported(store, written(file, MIXED))


def test_the_lines_of_a_file_are_counted(file: Path) -> None:
    file.write_bytes(b"a\n" * 700_000)
    assert count_lines(file) == 700_000
    with pytest.raises(InputError, match="cannot read"):
        count_lines(file.parent / "none.csv")
