"""Every verdict on the rows of an audience file, dry runs, workbooks, places. On both databases."""

import csv
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import Connection

from domain.errors import InputError
from domain.states import CampaignState
from runtime import audience_import
from store import audience, imports
from store.engine import Store
from store.models import Event, Import, Target
from tests.audiences import HEADER, bring_in, csv_file, row, workbook
from tests.rows import all_rows, make_campaign, numbers, target

ALL_KINDS = [
    row("0901000001"),
    row("0901000002", c1="Hà Nội", c2="Ba Đình"),
    row("0901000003", c2="Tịnh Biên", c1="An Giang"),
    row("12"),
    row("0901000001"),
    row("0901000099"),
    row("0901000099"),
    row("0901000077"),
    row("0901000004", c4="Data"),
    row("0901000005", c5="1 chiều"),
    row("0901000006", c6="2G"),
    row("0901000007", c7="KaiOS"),
    row("0901000008", c8="4G"),
    row("0901000009", c9="không"),
    row("0901000010", c7=""),
    row("0901000011", c10="2022-01-01"),
]
COUNTS = {
    "added": 4,
    "twice_in_file": 2,
    "in_campaign": 1,
    "in_other_campaign": 0,
    "unreadable": 1,
    "ineligible": dict.fromkeys(
        [
            *("not_voice", "not_active", "not_4g_handset", "other_os", "sim_is_4g", "not_in_vlr"),
            *("unclear", "not_extracted"),
        ],
        1,
    ),
    "rejected": 12,
    "also_in_other_campaigns": 2,
    "unknown_province": 1,
    "unknown_district": 2,
}


@pytest.fixture
async def campaigns(store: Store) -> None:
    """`one` has +84901000099 already; another that runs, one that is paused have +84901000077."""
    await make_campaign(store, ["+84901000099"], name="one", state=CampaignState.DRAFT)
    await make_campaign(store, ["+84901000077"], name="two")
    await make_campaign(store, ["+84901000001"], name="three", state=CampaignState.PAUSED)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return csv_file(tmp_path / "numbers.csv", ALL_KINDS)


@pytest.mark.usefixtures("campaigns")
async def test_every_verdict_is_counted_and_every_refused_row_has_its_reason(
    store: Store, file: Path
) -> None:
    report = await bring_in(store, file)
    assert report.counts() == COUNTS
    assert report.rejects
    with report.rejects.open(encoding="utf-8-sig", newline="") as stream:
        head, *refused = csv.reader(stream)
    assert head == ["line", "reason", *HEADER]
    assert [int(cells[0]) for cells in refused] == [5, 6, 7, 8, *range(10, 18)]
    reasons = [cells[1] for cells in refused]
    assert reasons[1:4] == [
        "the number stands twice in this file",
        "the number is in the campaign already",
        "the number stands twice in this file",
    ]
    assert reasons[4:] == [
        "not a voice subscriber, prepaid or postpaid",
        "not active both ways",
        "not a 4G handset",
        "neither iOS nor Android",
        "the SIM is 4G already",
        "not in the VLR 7 days running",
        "os says neither yes nor no",
        "extracted_at lies in the future",
    ]
    assert refused[4][2:] == row("0901000004", c4="Data")


@pytest.mark.usefixtures("campaigns")
async def test_a_dry_run_counts_the_same_and_writes_nothing(store: Store, file: Path) -> None:
    before = [await all_rows(store, each) for each in (Target, Import, Event)]
    dry = await bring_in(store, file, dry_run=True)
    assert [await all_rows(store, each) for each in (Target, Import, Event)] == before
    assert dry.import_id is None
    assert dry.counts() == (await bring_in(store, file)).counts() == COUNTS


@pytest.mark.usefixtures("campaigns")
async def test_batches_change_no_verdict(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience_import, "_ROWS_A_BATCH", 1)
    assert (await bring_in(store, file, dry_run=True)).counts() == COUNTS
    assert (await bring_in(store, file)).counts() == COUNTS


@pytest.mark.usefixtures("campaigns")
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_batch_that_is_tried_again_changes_no_verdict(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, runs = imports.count, []

    def deadlock(connection: Connection, *args: Any) -> None:
        count(connection, *args)
        runs.append(args)
        if len(runs) == 1:
            connection.exec_driver_sql("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$")

    monkeypatch.setattr(imports, "count", deadlock)
    report = await bring_in(store, file)
    assert runs[0] == runs[1]
    assert report.counts() == COUNTS
    [row] = await all_rows(store, Import)
    assert row["counts"] == COUNTS


@pytest.mark.usefixtures("campaigns")
@pytest.mark.parametrize("dry_run", [True, False])
async def test_numbers_of_campaigns_that_are_not_at_their_end_can_be_refused(
    store: Store, file: Path, dry_run: bool
) -> None:
    report = await bring_in(store, file, skip_other_campaigns=True, dry_run=dry_run)
    changed = {
        "added": 2,
        "in_other_campaign": 3,
        "twice_in_file": 1,
        "rejected": 14,
        "also_in_other_campaigns": 0,
    }
    assert report.counts() == COUNTS | changed


@pytest.mark.usefixtures("campaigns")
async def test_targets_have_official_codes_and_the_import_they_came_by(
    store: Store, file: Path
) -> None:
    report = await bring_in(store, file)
    rows = {each["msisdn"]: each for each in await all_rows(store, Target)}
    ours = {msisdn: each for msisdn, each in rows.items() if each["import_id"]}
    assert {each["import_id"] for each in ours.values()} == {report.import_id}
    codes = {
        msisdn[-2:]: (each["province_code"], each["district_code"]) for msisdn, each in ours.items()
    }
    assert codes == {
        "01": ("92", "916"),
        "02": (None, None),
        "03": ("89", None),
        "77": ("92", "916"),
    }
    assert ours["+84901000002"]["district"] == "Ba Đình"
    assert ours["+84901000001"]["attributes"]["Ngày trích xuất"] == "2021-03-20"


@pytest.mark.usefixtures("campaigns")
async def test_an_import_is_a_row(store: Store, file: Path) -> None:
    report = await bring_in(store, file, extracted_at=datetime(2021, 3, 25, tzinfo=UTC))
    [row] = await all_rows(store, Import)
    assert (row["state"], row["imported_by"], row["file_name"]) == ("done", "lan", "numbers.csv")
    assert row["counts"] == report.counts()
    assert re.fullmatch("[0-9a-f]{64}", row["sha256"])
    assert row["extracted_at"] == datetime(2021, 3, 19, 17, tzinfo=UTC)  # the oldest of its rows


@pytest.mark.usefixtures("campaigns")
async def test_when_it_was_extracted_may_be_given_for_the_whole_file(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("msisdn\n0901000001\n")
    at = datetime(2021, 3, 25, tzinfo=UTC)
    await bring_in(store, file, extracted_at=at)
    assert [each["extracted_at"] for each in await all_rows(store, Import)] == [at]


@pytest.mark.usefixtures("campaigns")
async def test_demanded_rules_need_their_columns(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("msisdn,os,list\n0901000001,iOS,1\n")
    with pytest.raises(InputError, match=r"the file lacks: subscriber_type, .*--extracted-at"):
        await bring_in(store, file, require_eligibility=True)
    assert await all_rows(store, Import) == []
    whole = csv_file(tmp_path / "whole.csv", [row("0901000001"), row("0901000002", c3="")])
    report = await bring_in(store, whole, require_eligibility=True)
    assert (report.added, dict(report.ineligible)) == (1, {"no_list": 1})


@pytest.mark.usefixtures("campaigns")
async def test_a_workbook_is_read_as_its_csv_is(store: Store, file: Path) -> None:
    book = workbook(file.with_name("book.xlsx"), ALL_KINDS)
    from_csv = await bring_in(store, file)
    await make_campaign(store, ["+84901000099"], name="four", state=CampaignState.DRAFT)
    from_book = await bring_in(store, book, campaign="four")
    assert from_book.counts() == from_csv.counts() | {"also_in_other_campaigns": 4}
    assert from_csv.rejects
    assert from_book.rejects
    assert from_book.rejects.read_text() == from_csv.rejects.read_text()
    names = ("msisdn", "province", "district", "list_no", "attributes", "district_code")
    by_import: dict[int, list[tuple[object, ...]]] = {}
    for each in await all_rows(store, Target):
        by_import.setdefault(each["import_id"], []).append(tuple(each[name] for name in names))
    assert by_import[1] == by_import[2]


@pytest.mark.usefixtures("campaigns")
async def test_cells_of_a_workbook_may_be_numbers_and_days(store: Store, tmp_path: Path) -> None:
    cells: list[object] = [*row("")]
    cells[0], cells[3], cells[10] = 901000001.0, 2, datetime(2021, 3, 20)  # noqa: DTZ001
    book = workbook(tmp_path / "b.xlsx", [cells, [], [None], [901000002, *cells[1:], None, None]])  # type: ignore[list-item]
    assert (await bring_in(store, book)).added == 2
    [first, *_] = [each for each in await all_rows(store, Target) if each["import_id"]]
    assert (first["msisdn"], first["list_no"]) == ("+84901000001", 2)
    assert first["attributes"]["Ngày trích xuất"] == "2021-03-20"


@pytest.mark.usefixtures("campaigns")
async def test_a_broken_workbook_is_one_line(store: Store, tmp_path: Path) -> None:
    broken = tmp_path / "b.xlsx"
    broken.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match="can't be read: open it in Excel and save it again"):
        await bring_in(store, broken)
    whole = workbook(tmp_path / "w.xlsx", [row(f"09{n:08}") for n in range(500)])
    cut = tmp_path / "c.xlsx"
    with ZipFile(whole) as source, ZipFile(cut, "w") as torn:
        for name in source.namelist():
            content = source.read(name)
            is_sheet = name.startswith("xl/worksheets")
            torn.writestr(name, content[: len(content) // 2] if is_sheet else content)
    with pytest.raises(InputError, match="can't be read: open it in Excel and save it again"):
        await bring_in(store, cut)
    with pytest.raises(InputError, match="No such file"):
        await bring_in(store, tmp_path / "none.xlsx")


async def test_an_import_that_somebody_undoes_while_it_loads_ends(
    store: Store, tmp_path: Path
) -> None:
    from store import import_undo  # the loader's other hand

    made = await make_campaign(store, name="one")
    new = imports.NewImport(
        campaign_id=made.id,
        file_name="a.csv",
        sha256="0" * 64,
        extracted_at=None,
        imported_at=made.created_at,
        imported_by="lan",
    )
    number = await store.write(imports.begin, new)
    await store.write(imports.require_loading, number, made.id)
    undone = await store.read(imports.by_id, number)
    assert await store.write(import_undo.mark_undone, undone, made, 0, made.created_at)
    with pytest.raises(InputError, match="was undone while it was loading"):
        await store.write(imports.require_loading, number, made.id)


async def test_numbers_of_before_imports_count_as_held(store: Store) -> None:
    made = await make_campaign(store, numbers(2), name="one")
    known = await store.read(audience.known, made.id, numbers(3))
    assert known == (dict.fromkeys(numbers(2)), set())
    await store.write(audience.add_new, made.id, 7, [], made.created_at, "")
    assert target(numbers(1)[0])["msisdn"] == numbers(1)[0]
