"""Who may be invited: every rule with what fulfils it, what does not, and what says neither."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.audience_columns import Columns
from dialer.eligibility import RULES, Eligibility, Ineligible, lacking
from dialer.extraction import read_extracted_at
from domain.errors import InputError
from tests.rows import NOW

HEADER = {
    "Loại thuê bao": "Trả trước",
    "Trạng thái thuê bao": "2 chiều",
    "Máy 4G": "Có",
    "Hệ điều hành": "Android 10",
    "Loại SIM": "3G",
    "VLR 7 ngày": "x",
}


def judged(**cells: str) -> Ineligible | None:
    """The verdict on one row that has only these columns, named as their roles."""
    columns = Columns.from_header(["msisdn", *cells])
    refused = Eligibility(columns.at, NOW).refuse(["0901234567", *cells.values()], 1, NOW)
    return refused.by if refused else None


@pytest.mark.parametrize(
    ("column", "fulfils", "fails", "by"),
    [
        (
            "subscriber_type",
            ["Trả trước", "tra sau", "TT", "TS", "prepaid", "Postpaid", "Thoại trả trước"],
            ["Data", "Fast Connect", "M2M"],
            Ineligible.NOT_VOICE,
        ),
        (
            "two_way",
            ["2 chiều", "Hoạt động 2 chiều", "active", "1", "hai chieu"],
            ["1 chiều", "Khóa 2 chiều", "0", "inactive"],
            Ineligible.NOT_ACTIVE,
        ),
        (
            "handset_4g",
            ["Có", "yes", "4G", "LTE"],
            ["2G", "không", "No"],
            Ineligible.NOT_4G_HANDSET,
        ),
        ("os", ["iOS 14.2", "ANDROID", "Android 10"], ["KaiOS", "Symbian"], Ineligible.OTHER_OS),
        (
            "sim_4g",
            ["2G", "3G", "không", "chưa 4G"],
            ["4G", "có", "USIM"],
            Ineligible.SIM_IS_4G,
        ),
        ("vlr_7_days", ["có", "x", "7", "TRUE"], ["không", "6 ngày"], Ineligible.NOT_IN_VLR),
        ("vlr_days", ["7", "30 ngày", "7 days"], ["6", "0"], Ineligible.NOT_IN_VLR),
    ],
)
def test_a_rule(column: str, fulfils: list[str], fails: list[str], by: Ineligible) -> None:
    assert {cell: judged(**{column: cell}) for cell in fulfils} == dict.fromkeys(fulfils)
    assert {cell: judged(**{column: cell}) for cell in fails} == dict.fromkeys(fails, by)
    for cell in ("", "  ", "?!", *(["9" * 5000] if column == "vlr_days" else [])):
        assert judged(**{column: cell}) is Ineligible.UNCLEAR


def test_the_columns_have_vietnamese_names() -> None:
    at = Columns.from_header(["SĐT", *HEADER, "Danh sách", "Ngày trích xuất"]).at
    assert {rule.column for rule in RULES} - {"vlr_days"} <= set(at)
    assert "extracted_at" in at


def test_a_whole_row_in_vietnamese_is_eligible() -> None:
    columns = Columns.from_header(["SĐT", *HEADER])
    cells = ["0901234567", *HEADER.values()]
    assert Eligibility(columns.at, NOW).refuse(cells, None, None) is None
    assert columns.read(2, cells).attributes == HEADER  # what a row was judged by is kept


def test_a_column_that_is_not_there_is_not_judged_and_can_be_demanded() -> None:
    at = Columns.from_header(["SĐT", "Loại SIM"]).at
    assert Eligibility(at, NOW).refuse(["0901234567", "3G"], None, None) is None
    wanted = ["subscriber_type", "two_way", "handset_4g", "os", "vlr_7_days", "list"]
    assert lacking(at) == wanted
    assert lacking({*wanted, "sim_4g"}) == []
    assert lacking({"vlr_days": 1}) == [
        *("subscriber_type", "two_way", "handset_4g", "os", "sim_4g", "list")
    ]


def test_a_list_and_a_moment_are_demanded_with_every_rule() -> None:
    strict = Eligibility({}, NOW, demanded=True)
    by = [
        refused and refused.by
        for refused in (
            strict.refuse([], None, NOW),
            strict.refuse([], 2, None),
            strict.refuse([], 2, NOW),
        )
    ]
    assert by == [Ineligible.NO_LIST, Ineligible.NOT_EXTRACTED, None]


def test_nothing_was_extracted_in_the_future() -> None:
    rules = Eligibility({}, NOW)
    assert rules.refuse([], 1, NOW) is None
    refused = rules.refuse([], 1, NOW + timedelta(seconds=1))
    assert refused
    assert refused.by is Ineligible.NOT_EXTRACTED


@given(st.sampled_from([rule.column for rule in RULES]), st.text(max_size=20))
def test_any_cell_gets_one_verdict_whatever_its_case_and_spaces(column: str, cell: str) -> None:
    assert judged(**{column: cell}) is judged(**{column: f"  {cell} "})


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2021-03-20", datetime(2021, 3, 19, 17, tzinfo=UTC)),
        ("2021-03-20T10:00+07:00", datetime(2021, 3, 20, 3, tzinfo=UTC)),
        ("20/03/2021", datetime(2021, 3, 19, 17, tzinfo=UTC)),
        (" 20/3/2021 08:30 ", datetime(2021, 3, 20, 1, 30, tzinfo=UTC)),
        ("2021-03-20 08:30:00", datetime(2021, 3, 20, 1, 30, tzinfo=UTC)),
        ("", None),
    ],
)
def test_when_it_was_extracted(written: str, at: datetime | None) -> None:
    assert read_extracted_at(written) == at


@pytest.mark.parametrize("written", ["hôm qua", "32/01/2021", "20/13/2021", "0001-01-01", "20/3"])
def test_no_moment(written: str) -> None:
    with pytest.raises(InputError, match="is no moment"):
        read_extracted_at(written)
