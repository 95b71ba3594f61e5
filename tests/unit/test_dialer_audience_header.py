"""Headers of audience files: names in two languages, separators, what is no audience. I/O."""

from pathlib import Path

import pytest

from dialer.audience_file import AudienceFile, AudienceRow
from domain.errors import InputError


@pytest.fixture
def csv_path(tmp_path: Path) -> Path:
    return tmp_path / "audience.csv"


def good(path: Path, content: str) -> AudienceRow:
    """Write a file and read its one row, which must be good."""
    path.write_bytes(content.encode())
    with AudienceFile(path) as audience:
        [row] = audience
    assert isinstance(row, AudienceRow)
    return row


@pytest.mark.parametrize(
    "name",
    [
        *("msisdn", "MSISDN", "Số thuê bao", "SỐ THUÊ BAO", "so_thue_bao", "SĐT", "sdt", "Số ĐT"),
        *("Số điện thoại", "Điện thoại", "Phone number", " Số\u200b điện thoại: "),
    ],
)
def test_names_of_the_number_column(csv_path: Path, name: str) -> None:
    assert good(csv_path, f"{name}\n0901234567\n").msisdn == "+84901234567"


@pytest.mark.parametrize("name", ["province", "Tỉnh", "Tỉnh/TP", "tinh", "Tỉnh, thành phố"])
def test_names_of_the_province_column(csv_path: Path, name: str) -> None:
    assert good(csv_path, f'SĐT;"{name}"\n0901234567;An Giang\n').province == "An Giang"


@pytest.mark.parametrize("name", ["district", "Quận/Huyện", "Huyện", "Quận, huyện, TX, TP"])
def test_names_of_the_district_column(csv_path: Path, name: str) -> None:
    assert good(csv_path, f'SĐT\t"{name}"\n0901234567\tPhú Tân\n').district == "Phú Tân"


def test_header_names_with_separate_diacritics(csv_path: Path) -> None:
    decomposed = "So\u0302\u0301 thue\u0302 bao,Ti\u0309nh\n0901234567,Ca\u0300 Mau\n"
    assert good(csv_path, decomposed).province == "Cà Mau"


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separators_bom_and_line_ends(csv_path: Path, bom: str, separator: str, end: str) -> None:
    rows = [["SĐT", "Tỉnh", "DS"], ["0901234567", "Cần Thơ", "1"]]
    content = bom + "".join(separator.join(row) + end for row in rows)
    row = good(csv_path, content)
    assert (row.msisdn, row.province, row.list_no) == ("+84901234567", "Cần Thơ", 1)


def test_separator_is_taken_from_where_the_number_is(csv_path: Path) -> None:
    content = "SĐT;Ghi chú, mã, khác\n0901234567;a, b\n"
    assert good(csv_path, content).attributes == {"Ghi chú, mã, khác": "a, b"}


def test_a_header_cell_over_two_lines(csv_path: Path) -> None:
    assert good(csv_path, '"Số\nthuê bao",Tỉnh\n0901234567,Cần Thơ\n').line == 3


def test_a_header_alone_is_an_empty_audience(csv_path: Path) -> None:
    csv_path.write_text("msisdn,province\n")
    with AudienceFile(csv_path) as audience:
        assert list(audience) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"\n \r\n,,\n", "the file is empty"),
        (b"name,province\nA,B\n", "no column holds the number"),
        (b"0901234567\n0901234568\n", "no column holds the number"),
        ("SĐT,Phone\n".encode(), "mean the same"),
        ("SĐT,Tỉnh,Tỉnh/TP\n".encode(), "mean the same"),
        (b"msisdn,note,note\n", "mean the same"),
        (b"PK\x03\x04\x14\x00\x06\x00", "an Excel workbook: save it as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook"),
        ("\ufeffSĐT\n".encode("utf-16-le"), "UTF-16"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8 text): save it as CSV UTF-8"),
        (b"\x7fELF\x00\x00\n", "NUL bytes"),
        ("Số thuê bao\n".encode("utf-16-be"), "NUL bytes"),
        (b"S\xf4 thu\xea bao\n", "not UTF-8 text"),
        (b"msisdn\r0901234567\r", "old Mac"),
        (b"x" * 70_000, "longer than 64 KiB"),
        (b'msisdn,"' + b"x" * 60_000 + b"\n" + b"y" * 60_000 + b"\n" + b"z" * 60_000, "not CSV"),
        (b'msisdn,"province\n\xff\n', "the header cannot be read"),
    ],
)
def test_what_is_no_audience_at_all(csv_path: Path, content: bytes, reason: str) -> None:
    csv_path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        AudienceFile(csv_path)
    assert reason in str(caught.value)
    assert str(csv_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*no\.csv: No such file"):
        AudienceFile(tmp_path / "no.csv")
    with pytest.raises(InputError, match="Is a directory"):
        AudienceFile(tmp_path)
