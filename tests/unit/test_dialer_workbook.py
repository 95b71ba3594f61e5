"""Workbooks as programs write them, and as somebody writes them who means harm. I/O."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook as Book  # type: ignore[import-untyped]

from dialer.audience_file import AudienceFile, AudienceRow
from dialer.workbook_package import Package
from dialer.workbook_sheet import rows
from domain.errors import InputError
from tests.workbooks import STRICT, note, of_shared_texts, packed, parts

BROKEN = "can't be read: open it in Excel and save it again"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "book.xlsx"


def cells_of(path: Path) -> list[tuple[int, list[str]]]:
    package = Package(path)
    try:
        return list(rows(package))
    finally:
        package.close()


def cell(written: str, kind: str = "n", **more: str) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in more.items())
    return f'<c t="{kind}"{attributes}><v>{written}</v></c>'


def one(path: Path, cell: str, **more: str) -> str:
    """The text of the one cell of a workbook."""
    packed(path, parts(f"<row>{cell}</row>", **more))
    [(_, [text])] = cells_of(path)
    return text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        *[("901234567", "901234567"), ("901234567.0", "901234567"), ("9.01234567E8", "901234567")],
        *[("0.5", "0.5"), ("-1", "-1"), ("1E400", "inf"), ("", "")],
    ],
)
def test_numbers(book: Path, written: str, shown: str) -> None:
    assert one(book, cell(written)) == shown


STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="dd\\/mm\\/yyyy"/>'
    '<numFmt numFmtId="165" formatCode="#,##0 &quot;days&quot;[Red]"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    "<cellXfs><xf/>"
    + "".join(f'<xf numFmtId="{n}"/>' for n in (14, 164, 165, 22, 20))
    + "</cellXfs>"
)


@pytest.mark.parametrize(
    ("style", "written", "shown"),
    [
        *[(0, "44275", "44275"), (1, "44275", "2021-03-20"), (2, "44275", "2021-03-20")],
        *[(3, "44275", "44275"), (4, "44275.354166666664", "2021-03-20 08:30:00")],
        *[(5, "0.25", "06:00:00"), (1, "1", "1900-01-01"), (1, "61", "1900-03-01")],
        *[(1, "1e9", "1000000000"), (9, "44275", "44275")],
    ],
)
def test_days_are_known_by_their_format(book: Path, style: int, written: str, shown: str) -> None:
    assert one(book, cell(written, s=str(style)), styles=STYLES) == shown


def test_days_may_be_counted_from_1904(book: Path) -> None:
    content = parts(f"<row>{cell('42813', s='1')}</row>", styles=STYLES)
    of_1904 = content["xl/workbook.xml"].replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    packed(book, content | {"xl/workbook.xml": of_1904})
    assert cells_of(book) == [(1, ["2021-03-20"])]


@pytest.mark.parametrize(
    ("kind", "written", "shown"),
    [
        *[("b", "1", "TRUE"), ("b", "0", "FALSE"), ("e", "#N/A", "#N/A"), ("str", "Có", "Có")],
        *[("d", "2021-03-20", "2021-03-20"), ("d", "2021-03-20T08:30:00", "2021-03-20 08:30:00")],
        *[("str", "a_x000D_b", "a\rb"), ("str", "a_xD800_", "a_xD800_"), ("s", "1", "Cà Mau")],
    ],
)
def test_other_cells(book: Path, kind: str, written: str, shown: str) -> None:
    shared = "<si><t>x</t></si><si><r><t>Cà</t></r><r><t> Mau</t></r><rPh><t>ka</t></rPh></si>"
    assert one(book, cell(written, kind), shared=shared) == shown


def test_a_text_may_stand_in_its_cell(book: Path) -> None:
    inline = "<c t='inlineStr'><is><r><t>Cà</t></r><r><t> Mau</t></r><rPh><t>ka</t></rPh></is></c>"
    assert one(book, inline) == "Cà Mau"


def test_what_is_left_out_is_empty(book: Path) -> None:
    sheet = (
        f"<row r='3'>{cell('1', r='C3')}<c r='D3' s='0'/>{cell('2', r='AA3')}</row>"
        f"<row r='7'/><row>{cell('3')}<c><f>1+1</f><v>2</v></c></row>"
    )
    packed(book, parts(sheet))
    assert cells_of(book) == [(3, ["", "", "1", *[""] * 23, "2"]), (7, []), (8, ["3", "2"])]


def test_the_strict_form_is_read_and_other_namespaces_are_not(book: Path) -> None:
    sheet = f"<row>{cell('1')}<x:c xmlns:x='urn:x'><x:v>7</x:v></x:c></row>"
    packed(book, parts(sheet, main=STRICT))
    assert cells_of(book) == [(1, ["1"])]


def test_what_openpyxl_writes_is_read(book: Path) -> None:
    written = Book()
    written.active.append(["msisdn", "note"])
    written.active.append(["0901234567", "Cà Mau"])
    written.create_sheet("second").append(["nothing"])
    written.save(book)
    assert cells_of(book) == [(1, ["msisdn", "note"]), (2, ["0901234567", "Cà Mau"])]


ROW = f"<row>{cell('1')}</row>"
LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("xl/worksheets/sheet1.xml", LAUGHS + parts(ROW)["xl/worksheets/sheet1.xml"]),
        ("xl/sharedStrings.xml", LAUGHS + parts(ROW)["xl/sharedStrings.xml"]),
        ("xl/workbook.xml", LAUGHS + parts(ROW)["xl/workbook.xml"]),
        ("xl/workbook.xml", "<workbook/>"),
        ("xl/worksheets/sheet1.xml", "<worksheet>"),
        ("xl/worksheets/sheet1.xml", parts(cell("1", "s"))["xl/worksheets/sheet1.xml"]),
        ("xl/worksheets/sheet1.xml", parts(cell("x"))["xl/worksheets/sheet1.xml"]),
        ("xl/worksheets/sheet1.xml", parts(cell("1", r="XFE1"))["xl/worksheets/sheet1.xml"]),
        ("xl/worksheets/sheet1.xml", parts(cell("1", r="1"))["xl/worksheets/sheet1.xml"]),
        (
            "xl/worksheets/sheet1.xml",
            parts(cell("1", r="B1") + cell("1", r="A1"))["xl/worksheets/sheet1.xml"],
        ),
        ("xl/worksheets/sheet1.xml", parts(cell("1") * 16_385)["xl/worksheets/sheet1.xml"]),
        ("xl/_rels/workbook.xml.rels", "<a/>"),
        ("xl/styles.xml", "<a"),
    ],
)
def test_what_is_broken_or_means_harm_is_one_line(book: Path, part: str, text: str) -> None:
    packed(book, parts(ROW) | {part: text})
    with pytest.raises(InputError, match=BROKEN):
        cells_of(book)


def test_a_tag_without_end_is_not_kept(book: Path) -> None:
    whole = parts(f"<row a='{'x' * 3_000_000}'>{cell('1')}</row>")
    packed(book, whole)
    with pytest.raises(InputError, match=BROKEN):
        cells_of(book)


def test_a_cell_without_end_is_refused(book: Path) -> None:
    with pytest.raises(InputError, match="too much text"):
        one(book, cell("x" * 70_000, "str"))


@pytest.mark.parametrize("missing", list(parts("")))
def test_a_part_that_is_missing(book: Path, missing: str) -> None:
    content = parts(ROW)
    del content[missing]
    packed(book, content)
    with pytest.raises(InputError, match=BROKEN):
        cells_of(book)


def test_a_book_that_would_fill_the_disk_is_refused_by_its_size(book: Path) -> None:
    """The sizes that it tells are also all that is unpacked of it."""
    packed(book, parts(ROW))
    raw = bytearray(book.read_bytes())
    with ZipFile(book) as whole:
        at = raw.rindex(b"PK\x01\x02", 0, whole.start_dir + 50)
    raw[at + 24 : at + 28] = (0xFFFF_FFF0).to_bytes(4, "little")
    book.write_bytes(raw)
    with pytest.raises(InputError, match="larger than a sheet can be"):
        cells_of(book)


PEAK = """
import sys
from pathlib import Path
from dialer.audience_file import AudienceFile, AudienceRow
with AudienceFile(Path(sys.argv[1])) as file:
    print(sum(isinstance(row, AudienceRow) for row in file))
status = Path("/proc/self/status").read_text()  # getrusage counts who started it, too
print(status.partition("VmHWM:")[2].split()[0])
"""


def peak(path: Path, rows: int) -> int:
    """Kilobytes at most of a process that reads the file."""
    told = subprocess.run([sys.executable, "-c", PEAK, path], check=True, stdout=subprocess.PIPE)
    count, most = map(int, told.stdout.split())
    assert count == rows
    return most


def test_memory_does_not_grow_with_the_sheet_or_its_texts(tmp_path: Path) -> None:
    """The texts of the large one are 40 MB as a list; SQLite keeps 2 MB of them."""
    small = of_shared_texts(tmp_path / "small.xlsx", 10_000)
    large = of_shared_texts(tmp_path / "large.xlsx", 100_000)
    one, ten = peak(small, 10_000), peak(large, 100_000)
    assert ten - one < 6_000


def test_the_texts_come_to_their_rows(tmp_path: Path) -> None:
    path = of_shared_texts(tmp_path / "book.xlsx", 9_000)
    with AudienceFile(path) as file:
        for n, row in enumerate(file):
            assert isinstance(row, AudienceRow)
            assert (row.msisdn, row.attributes) == (f"+849{n:08}", {"note": note(n)})
