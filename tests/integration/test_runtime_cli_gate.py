"""`tstn dnc`, `phases`, `campaign why-not`, `subscriber`: files in, answers out. I/O."""

import asyncio
import csv
import os
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.clock import utc_now
from store.engine import open_store
from tests.command_line import ROOT, Tstn, make_directory
from tests.integration.test_runtime_cli import EXAMPLE, NAME

NUMBER = "0901234567"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose store is migrated and whose prompts are built."""
    made = make_directory(tmp_path_factory.mktemp("template"))
    made("migrate")
    made("prompts", "build")
    return made.directory


@pytest.fixture
def tstn(template: Path, tmp_path: Path) -> Tstn:
    """A campaign of two numbers, a draft."""
    made = Tstn(shutil.copytree(template, tmp_path / "tstn"))
    made("campaign", "create", EXAMPLE)
    made.write("numbers.csv", f"msisdn\n{NUMBER}\n0901234568\n")
    made("audience", "import", "numbers.csv", "--campaign", NAME)
    return made


def sql(tstn: Tstn, text: str) -> Any:
    """Run one statement in the store of `tstn`."""

    async def work() -> Any:
        store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
        try:
            return await store.write(lambda c: c.exec_driver_sql(text).rowcount)
        finally:
            await store.close()

    return asyncio.run(work())


def test_a_list_comes_in_with_its_rejects_and_replaces_the_one_before(tstn: Tstn) -> None:
    tstn.write("dnc.csv", f"Số thuê bao;ghi chú\n{NUMBER};=1+1\n{NUMBER};\n12;=HYPERLINK\n\n")
    report = tstn.json("dnc", "import", "dnc.csv", "--scope", "all")
    assert report == {
        "listed": 1,
        "twice": 1,
        "rejected": 1,
        "scope": "all",
        "rejects": "dnc.rejects.csv",
    }
    with (tstn.directory / "dnc.rejects.csv").open(encoding="utf-8-sig") as file:
        assert list(csv.reader(file))[1][::3] == ["4", "'=HYPERLINK"]
    tstn.write("bare.csv", "0901234568\n+84 90 123 45 69\n")
    assert tstn.json("dnc", "import", "bare.csv", "--scope", "all")["listed"] == 2
    shown = tstn.json("dnc", "show")
    assert [(row["scope"], row["numbers"], row["name"]) for row in shown["lists"]] == [
        ("all", 2, "bare.csv")
    ]
    assert shown["advertising_stopped_by"] == {"voice": None, "sms": None}
    assert "bare.csv" in tstn("dnc", "show")


def test_a_file_that_is_no_list_leaves_the_one_that_stands(tstn: Tstn) -> None:
    tstn.write("dnc.csv", NUMBER)
    tstn("dnc", "import", "dnc.csv", "--scope", "voice")
    tstn.write("junk.csv", "a,b\nc,d\n")
    assert "no row of junk.csv has a number" in tstn.error(
        "dnc", "import", "junk.csv", "--scope", "voice"
    )
    assert "it is a directory" in tstn.error("dnc", "import", ".", "--scope", "voice")
    assert "cannot read none.csv" in tstn.error("dnc", "import", "none.csv", "--scope", "voice")
    assert [row["name"] for row in tstn.json("dnc", "show")["lists"]] == ["dnc.csv"]
    tstn.write("empty.csv", "")
    assert tstn.json("dnc", "import", "empty.csv", "--scope", "voice")["listed"] == 0
    assert "no do-not-call list is loaded" in tstn("dnc", "show")


def test_advertising_does_not_start_without_a_list_nor_on_an_old_one(tstn: Tstn) -> None:
    tstn("campaign", "tune", NAME, "purpose=advertising")
    assert "no do-not-call list is loaded: tstn dnc import" in tstn.error("campaign", "start", NAME)
    tstn.write("dnc.csv", "0901234569")
    tstn("dnc", "import", "dnc.csv", "--scope", "all")
    sql(tstn, "UPDATE do_not_call_lists SET loaded_at = '2021-01-01 00:00:00.000000'")
    assert "older than 30 days" in tstn.error("campaign", "start", NAME)
    tstn("dnc", "import", "dnc.csv", "--scope", "all")
    assert "is running" in tstn("campaign", "start", NAME)


def test_phases_come_from_the_districts_file_and_per_province(tstn: Tstn) -> None:
    districts = ROOT / "config" / "districts-phase1.csv"
    opens, closes = ("--opens", "2021-03-26"), ("--closes", "31/05/2021")
    assert tstn.json("phases", "import", districts, *opens, *closes)["places"] == 25
    tstn.write(
        "phase2.csv", "province_code,opens_on,closes_on\n89,01/06/2021,\n86,2021-06-15,2021-12-31\n"
    )
    assert tstn.json("phases", "import", "phase2.csv") == {"places": 2, "judged_anew": 0}
    rows = tstn.json("phases", "show")
    assert len(rows) == 27
    provinces = {row["province_code"]: row for row in rows if row["district_code"] is None}
    assert provinces["89"]["opens_on"] == str(date(2021, 6, 1))
    assert provinces["86"]["closes_on"] == "2021-12-31"
    assert "2021-05-31" in tstn("phases", "show")
    tstn("phases", "import", "phase2.csv")
    assert len(tstn.json("phases", "show")) == 27


def test_whom_a_closed_phase_has_ended_is_judged_anew_when_it_is_moved(tstn: Tstn) -> None:
    tstn.create('name = "old"\npurpose = "customer_care"')
    tstn("audience", "import", "numbers.csv", "--campaign", "old")
    sql(tstn, "UPDATE targets SET state='done', outcome='phase_closed', province_code='89'")
    sql(tstn, "UPDATE campaigns SET state='stopped', by_phase=1, purpose='customer_care'")
    sql(tstn, "UPDATE campaigns SET state='finished' WHERE id = 1")
    tstn.write("an-giang.csv", "province_code\n89\n")
    load = ("phases", "import", "an-giang.csv", "--opens", "2021-03-26", "--closes")
    assert tstn.json(*load, "2021-05-31")["judged_anew"] == 0  # it is over, as before
    assert tstn.json(*load, "31/12/2099")["judged_anew"] == 2
    assert tstn.json("campaign", "show", NAME)["targets"] == {"ready": 2}
    assert tstn.json("campaign", "show", "old")["targets"] == {"done": 2}
    assert tstn.json(*load, "31/12/2099")["judged_anew"] == 0


def test_phases_come_by_name_however_it_is_written(tstn: Tstn) -> None:
    every = ROOT / "config" / "provinces-phase2.csv"
    assert tstn.json("phases", "import", every)["places"] == 12
    tstn.write(
        "phase2.csv",
        "Tỉnh;Huyện;Từ ngày;Đến ngày\nTINH AN GIANG;;15/06/2021;\nTP Can Tho;;2021-06-20;\n"
        "dong thap;TP Cao Lãnh;2021-06-01;2021-12-31\nĐồng Tháp;huyện Cao Lanh;2021-07-01;\n",
    )
    assert tstn.json("phases", "import", "phase2.csv")["places"] == 4
    rows = tstn.json("phases", "show")
    found = {(row["province_code"], row["district_code"]): row["opens_on"] for row in rows}
    assert found["89", None] == "2021-06-15"
    assert found["92", None] == "2021-06-20"
    assert found["95", None] == "2021-06-01"
    districts = {code: day for (province, code), day in found.items() if province == "87" and code}
    assert sorted(districts.values()) == ["2021-06-01", "2021-07-01"]
    shown = tstn("phases", "show")
    assert "An Giang" in shown
    assert "Thành phố Cao Lãnh" in shown


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n", "the header needs province or province_code"),
        ("province,opens_on\nAn Giáng,1/6/2021\nAn Giang Nam,1/6/2021\n", "line 3: no province is"),
        ("province,opens_on\nAnn Giang,2021-06-01\n", "Bạc Liêu, Bến Tre, Cà Mau"),
        ("province,district,opens_on\nĐồng Tháp,Cao Lãnh,2021-06-01\n", "Huyện Cao Lãnh"),
        ("province,opens_on\n,2021-06-01\n", "no province: give its name or its code"),
        ("Tỉnh;Từ ngày\nAN GIANG;1/6/2021\n89;1/6/2021\n", 'no province is called "89"'),
        (
            "province,province_code,opens_on\nAn Giang,,2021-06-01\n,89,2021-07-01\n",
            "line 3: this place stands in the file twice",
        ),
        ("province_code,opens_on\n89,tomorrow\n", 'bad.csv, line 2: "tomorrow" is no day'),
        ("province_code\n89\n", "line 2: no opens_on: add the column, or say --opens"),
        ("province_code,opens_on\nAn Giang,2021-06-01\n", '"An Giang" is no province code'),
        ("scheme,province_code,opens_on\nvn,89,2021-06-01\n", 'unknown scheme "vn"'),
        ("province_code,opens_on,closes_on\n89,2021-06-01,2021-05-01\n", "closes before it opens"),
    ],
)
def test_a_phase_that_makes_no_sense_changes_nothing(tstn: Tstn, text: str, says: str) -> None:
    tstn.write("bad.csv", text)
    assert says in tstn.error("phases", "import", "bad.csv")
    assert tstn.json("phases", "show") == []


def test_why_not_tells_the_reason_of_all_and_of_one(tstn: Tstn) -> None:
    draft = tstn.json("campaign", "why-not", NAME)
    assert (draft["reason"], draft["targets"]["due"]) == ("not_running", 2)
    assert "tstn campaign start" in tstn("campaign", "why-not", NAME)
    tstn("campaign", "tune", NAME, "purpose=customer_care", "windows=00:00-24:00")
    tstn("campaign", "tune", NAME, "call_on_holidays=true")
    tstn("campaign", "start", NAME)
    running = tstn.json("campaign", "why-not", NAME)
    assert (running["reason"], running["channels"]["campaign"]["used"]) == (None, 0)
    assert "to be dialled now         2" in tstn("campaign", "why-not", NAME)
    tstn.write("dnc.csv", NUMBER)
    tstn("dnc", "import", "dnc.csv", "--scope", "voice")
    one = tstn.json("campaign", "why-not", NAME, "--msisdn", NUMBER)
    assert (one["verdict"], one["do_not_call"]) == ("held: do not call", ["voice"])
    assert one["msisdn"] == "090****567"
    assert (one["target"]["import_id"], one["target"]["file_name"]) == (1, "numbers.csv")
    other = tstn("campaign", "why-not", NAME, "--msisdn", "0901234568")
    assert "it is dialled as soon as a channel is free" in other
    none = tstn.json("campaign", "why-not", NAME, "--msisdn", "0909999999")
    assert none["verdict"] == "the campaign does not have this number"


def test_one_subscribers_data(tstn: Tstn) -> None:
    assert tstn.json("subscriber", "show", NUMBER)["rows"] == {"targets": 1}
    [target] = tstn.json("subscriber", "export", NUMBER)["targets"]
    assert target["msisdn"] == "+84901234567"
    assert tstn.json("subscriber", "erase", NUMBER)["erased"] == {"targets": 1}
    assert "nothing is held on 090****567" in tstn("subscriber", "show", NUMBER)


def test_what_is_kept_for_how_long_is_shown_counted_and_taken_out(tstn: Tstn) -> None:
    shown = tstn.json("retention", "show")
    assert (shown["keep_days"], shown["keep_consent_days"], shown["runs"]) == (365, 730, [])
    assert "nothing has been taken out yet" in tstn("retention", "show")
    assert tstn.json("retention", "run", "--dry-run") == {"dry_run": True, "rows": {}, "files": 0}
    tstn("campaign", "tune", NAME, "purpose=customer_care")
    long_ago = "not_before = '2020-01-01 00:00:00.000000'"
    sql(tstn, f"UPDATE targets SET state = 'done', outcome = 'busy', {long_ago}")  # noqa: S608
    counted = tstn.json("retention", "run", "--dry-run")["rows"]
    assert counted == {"targets": 2}
    assert tstn.json("subscriber", "show", NUMBER)["rows"] == {"targets": 1}
    assert tstn.json("retention", "run")["rows"] == counted
    assert "nothing is held on" in tstn("subscriber", "show", NUMBER)
    assert "no row is overdue" in tstn("retention", "run")
    ended, began = tstn.json("retention", "show")["runs"]
    assert (ended["rows"], ended["is_whole"]) == (counted, True)
    assert began["action"] == "retention_began"
    assert "ended: 2 targets" in tstn("retention", "show")


def test_files_of_imports_go_by_their_period_too(tstn: Tstn) -> None:
    uploads = tstn.directory / "var" / "uploads"
    uploads.mkdir(parents=True)
    for name, days in (("1.rejects.csv", 31), ("2.rejects.csv", 29), ("x.audience.csv", 2)):
        (uploads / name).write_text("msisdn\n0901234567\n")
        at = (utc_now() - timedelta(days=days)).timestamp()
        os.utime(uploads / name, (at, at))
    assert tstn.json("retention", "show")["rejects_days"] == 30
    assert tstn.json("retention", "run", "--dry-run")["files"] == 2
    assert len(list(uploads.iterdir())) == 3
    assert "files of imports taken out: 2" in tstn("retention", "run")
    assert [each.name for each in uploads.iterdir()] == ["2.rejects.csv"]
    assert "no file is overdue" in tstn("retention", "run")


def test_a_period_shorter_than_the_law_demands_is_refused(tstn: Tstn) -> None:
    tstn.environment["TSTN_LAW_KEEP_CONSENT_DAYS"] = "365"
    assert "law.keep_consent_days" in tstn.error("retention", "show")
