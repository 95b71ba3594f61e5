"""Audience files as people make them: headers, separators, quotes, bad rows, rejects. I/O."""

import csv
import tracemalloc
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.audience_file import AudienceFile, AudienceRow, RejectedRow, RejectsFile
from dialer.audience_lines import Lines, cut, decode
from domain.errors import InputError

HEADER = "msisdn,province,district,list\n"
GOOD = "0901234567,Cần Thơ,Ninh Kiều,1\n"


@pytest.fixture
def csv_path(tmp_path: Path) -> Path:
    return tmp_path / "audience.csv"


def read(path: Path, content: str | bytes) -> list[AudienceRow | RejectedRow]:
    """Write a file and read all its rows."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with AudienceFile(path) as audience:
        return list(audience)


def good(path: Path, content: str | bytes) -> AudienceRow:
    """Read the one row of a file, which must be good."""
    [row] = read(path, content)
    assert isinstance(row, AudienceRow)
    return row


def rejected(path: Path, content: str | bytes) -> RejectedRow:
    """Read the one row of a file, which must be bad."""
    [row] = read(path, content)
    assert isinstance(row, RejectedRow)
    return row


def numbers(rows: list[AudienceRow | RejectedRow]) -> list[str]:
    """Show good rows by their last three digits, bad ones by "bad" and the line."""
    return [row.msisdn[-3:] if isinstance(row, AudienceRow) else f"bad {row.line}" for row in rows]


def test_a_plain_row(csv_path: Path) -> None:
    assert good(csv_path, HEADER + GOOD) == AudienceRow(
        line=2,
        msisdn="+84901234567",
        province="Cần Thơ",
        district="Ninh Kiều",
        list_no=1,
        attributes={},
    )


@pytest.mark.parametrize("name", ["list", "Danh sách", "DS"])
@pytest.mark.parametrize(
    ("cell", "list_no"),
    [
        *[("1", 1), ("2", 2), (" 2 ", 2), ("Danh sách 1", 1), ("DANH SACH 2", 2), ("DS1", 1)],
        *[("ds-2", 2), ("List 1", 1), ("01", 1), ("1.0", 1), ("", None), ("  ", None)],
    ],
)
def test_lists(csv_path: Path, name: str, cell: str, list_no: int | None) -> None:
    assert good(csv_path, f"msisdn,{name}\n0901234567,{cell}\n").list_no == list_no


def test_other_columns_are_attributes(csv_path: Path) -> None:
    content = "Mã KH,msisdn,Thiết bị,Ghi chú,\n KH1 ,0901234567,Samsung A10,,thừa\n"
    row = good(csv_path, content)
    assert row.attributes == {"Mã KH": "KH1", "Thiết bị": "Samsung A10", "column_5": "thừa"}
    assert (row.province, row.district, row.list_no) == (None, None, None)


def test_text_is_nfc_and_trimmed(csv_path: Path) -> None:
    content = "msisdn,province,note\n0901234567,  Ca\u0300 Mau\u00a0, so\u0302\u0301 2 \n"
    row = good(csv_path, content)
    assert row.province == "C\u00e0 Mau"
    assert row.attributes == {"note": "s\u1ed1 2"}


def test_quoted_cells(csv_path: Path) -> None:
    content = 'msisdn,note\n"0901234567","12/3, ""ấp 3""\nxã Lương Hòa"\n0901234568,nhà 5" x\n'
    first, second = read(csv_path, content)
    assert isinstance(first, AudienceRow)
    assert isinstance(second, AudienceRow)
    assert first.attributes == {"note": '12/3, "ấp 3"\nxã Lương Hòa'}
    assert (second.line, second.attributes) == (4, {"note": 'nhà 5" x'})


def test_blank_rows_are_passed_over(csv_path: Path) -> None:
    content = f'\n\n{HEADER}\n{GOOD},,,\n   \n"",,,\n{GOOD}\r\n'
    assert [row.line for row in read(csv_path, content)] == [5, 9]


def test_last_line_without_end(csv_path: Path) -> None:
    assert numbers(read(csv_path, HEADER + GOOD.strip())) == ["567"]


def test_the_same_number_twice_is_left_to_the_store(csv_path: Path) -> None:
    assert numbers(read(csv_path, HEADER + GOOD + GOOD)) == ["567", "567"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0901234,Cần Thơ,Ninh Kiều,1", "not a mobile number"),
        (",Cần Thơ,Ninh Kiều,1", "no number"),
        ("9.01234567E+08,Cần Thơ,Ninh Kiều,1", "scientific"),
        ("0901234567 0912345678,Cần Thơ,Ninh Kiều,1", "two numbers"),
        ('"0901234567,0912345678",Cần Thơ,Ninh Kiều,1', "two numbers"),
        ("0901234567,Cần Thơ,1", "column count: 3 instead of 4"),
        ("0901234567,Cần Thơ,Ninh Kiều,1,x", "column count: 5 instead of 4"),
        ("0901234567", "column count: 1 instead of 4"),
        ("0901234567,Cần Thơ,Ninh Kiều,3", "neither 1 nor 2"),
        ("0901234567,Cần Thơ,Ninh Kiều,12", "neither 1 nor 2"),
        ("0901234567,Cần Thơ,Ninh Kiều,có", "neither 1 nor 2"),
        ("0901234567,Cần\0Thơ,Ninh Kiều,1", "NUL"),
        ('0901234567,"Cần Thơ,Ninh Kiều,1', "quotation mark"),
        ('0901234567,"Cần" Thơ,Ninh Kiều,1', "quotation mark"),
    ],
)
def test_a_bad_row_costs_that_row_only(csv_path: Path, line: str, reason: str) -> None:
    before, bad, after = read(csv_path, f"{HEADER}{GOOD}{line}\n{GOOD}")
    assert isinstance(bad, RejectedRow)
    assert reason in bad.reason
    assert "\n" not in bad.reason
    assert (before.line, bad.line, after.line) == (2, 3, 4)
    assert isinstance(before, AudienceRow)
    assert isinstance(after, AudienceRow)


def test_bytes_that_are_not_utf8_are_shown(csv_path: Path) -> None:
    latin = b"0901234567,C\xe0 Mau,,1\n"
    before, bad, after = read(csv_path, HEADER.encode() + GOOD.encode() + latin + GOOD.encode())
    assert bad == RejectedRow(
        3, "the line is not UTF-8 text", ("0901234567", "C\\xe0 Mau", "", "1")
    )
    assert numbers([before, after]) == ["567", "567"]


def test_rejected_cells_are_as_in_the_file(csv_path: Path) -> None:
    row = rejected(csv_path, f'{HEADER} 0901 ," a ",b,1\n')
    assert row.cells == (" 0901 ", " a ", "b", "1")


def test_unclosed_quotes_do_not_swallow_the_rows_between(csv_path: Path) -> None:
    rows = [f"09012345{n:02},Cần Thơ,Ninh Kiều,1" for n in range(60)]
    rows[3] = '0901234503,"Cần Thơ,Ninh Kiều,1'
    rows[9] = '0901234509,"Cần Thơ,Ninh Kiều,1'
    rows[12] = '0901234512,"Cần Thơ,Ninh Kiều",1'
    rows[59] = '0901234559,Cần Thơ,Ninh Kiều,"1'
    found = numbers(read(csv_path, HEADER + "\n".join(rows) + "\n"))
    bad = {3: "bad 5", 9: "bad 11", 12: "bad 14", 59: "bad 61"}
    assert found == [bad.get(n, f"5{n:02}") for n in range(60)]


def test_two_stray_quotes_that_close_each_other_do_not_take_the_row_between(
    csv_path: Path,
) -> None:
    content = f'{HEADER}0901234501,"Cần Thơ,Ninh Kiều,1\n{GOOD}0901234503,Cần Thơ",1\n'
    assert numbers(read(csv_path, content)) == ["bad 2", "567", "bad 4"]


@pytest.mark.parametrize(("breaks", "rows"), [(20, ["567"]), (21, ["bad 2"])])
def test_a_quoted_cell_runs_over_twenty_further_lines_at_most(
    csv_path: Path, breaks: int, rows: list[str]
) -> None:
    content = 'msisdn,note\n0901234567,"' + breaks * "a\n" + 'b"\n'
    assert numbers(read(csv_path, content))[:1] == rows


def test_an_unclosed_quote_before_a_line_that_cannot_be_read(csv_path: Path) -> None:
    content = HEADER.encode() + b'0901234567,"a,b,1\n\xff\n' + GOOD.encode()
    assert numbers(read(csv_path, content)) == ["bad 2", "bad 3", "567"]


def test_a_line_without_end_is_one_bad_row_in_constant_memory(csv_path: Path) -> None:
    csv_path.write_bytes(HEADER.encode() + b"0" * 8_000_000 + b"\n" + GOOD.encode())
    tracemalloc.start()
    with AudienceFile(csv_path) as audience:
        bad, after = audience
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(bad, RejectedRow)
    assert "longer than 64 KiB" in bad.reason
    assert (after.line, isinstance(after, AudienceRow)) == (3, True)
    assert peak < 1_000_000


def test_reading_holds_one_row_at_a_time(csv_path: Path) -> None:
    csv_path.write_text(HEADER + "".join(f"09{n:08},Cần Thơ,{n},1\n" for n in range(20_000)))
    tracemalloc.start()
    with AudienceFile(csv_path) as audience:
        count = sum(isinstance(row, AudienceRow) for row in audience)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 2_000_000  # the file alone has 700 kB; its rows as a list, 8 MB


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_rejects_are_csv_for_excel_without_formulas(tmp_path: Path, start: str) -> None:
    path = tmp_path / "rejects.csv"
    cell = f"{start}cmd|' /C calc'!A0"
    with RejectsFile(path, ["msisdn", "=Ghi chú"]) as rejects:
        rejects.write(RejectedRow(7, "no number in the cell", (cell, 'Cần Thơ, "x"\ny')))
    assert path.read_bytes().startswith(b"\xef\xbb\xbfline,reason,msisdn,'=Ghi ch")
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, row = csv.reader(file)
    assert header == ["line", "reason", "msisdn", "'=Ghi chú"]
    assert row == ["7", "no number in the cell", f"'{cell}", 'Cần Thơ, "x"\ny']


def test_mended_rejects_can_be_imported(tmp_path: Path, csv_path: Path) -> None:
    """The apostrophe that guards "+84…" does no harm on the way back."""
    csv_path.write_text("msisdn,DS\n+84901234567,3\n")
    path = tmp_path / "rejects.csv"
    with AudienceFile(csv_path) as audience, RejectsFile(path, audience.columns) as rejects:
        for row in audience:
            assert isinstance(row, RejectedRow)
            rejects.write(row)
    row = good(csv_path, path.read_bytes().replace(b",3\r\n", b",2\r\n"))
    assert (row.msisdn, row.list_no) == ("+84901234567", 2)


def test_rejects_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot write .*: No such file"):
        RejectsFile(tmp_path / "none" / "rejects.csv", [])


def test_a_full_disk_is_one_line() -> None:
    row = RejectedRow(2, "no number in the cell", ("x" * 100_000,))
    rejects = RejectsFile(Path("/dev/full"), ["msisdn"])
    with pytest.raises(InputError, match="cannot write /dev/full: No space left"):
        rejects.write(row)
    with pytest.raises(InputError, match="cannot write /dev/full: No space left"), rejects:
        pass


CELL = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(CELL, min_size=2, max_size=2), st.sampled_from([",", ";", "\t"]))
def test_what_csv_writes_is_read_back(cells: list[str], separator: str) -> None:
    """Cutting by hand where no quotation mark stands is the same as the csv module."""
    text = StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerow(cells)
    lines = Lines(BytesIO(text.getvalue().encode()))
    _, first = next(lines)
    assert cut(decode(first), separator, lines, len(cells)) == cells


@given(st.one_of(st.binary(max_size=200), st.text(',"\n1a', max_size=200).map(str.encode)))
def test_no_bytes_stop_the_reading_or_cost_the_next_row(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.csv"
    rows = read(path, HEADER.encode() + noise + b"\n" + GOOD.encode())
    assert isinstance(rows[-1], AudienceRow)
    lines = [row.line for row in rows]
    assert lines == sorted(set(lines))
