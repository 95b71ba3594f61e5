"""Workbooks written by hand, part by part, as other programs than ours write them. I/O."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def relations(*of: tuple[str, str]) -> str:
    """References to parts, each by its kind and where it is; their ids are r1, r2, …"""
    each = "".join(
        f'<Relationship Id="r{n}" Type="{KINDS}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(of, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}">{each}</Relationships>'


def parts(sheet: str, shared: str = "", styles: str = "", main: str = MAIN) -> dict[str, str]:
    """All parts of a workbook with one sheet: its rows, the shared texts, the styles, as XML."""
    return {
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{KINDS}">'
        '<sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(
            ("worksheet", "worksheets/sheet1.xml"),
            ("sharedStrings", "/xl/sharedStrings.xml"),
            ("styles", "styles.xml"),
        ),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData>'
        "</worksheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">{shared}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}">{styles}</styleSheet>',
    }


def packed(path: Path, content: dict[str, str]) -> Path:
    """Write the parts to a file."""
    with ZipFile(path, "w", ZIP_DEFLATED) as book:
        for name, text in content.items():
            book.writestr(name, text)
    return path


def note(n: int) -> str:
    """What stands in row n of a workbook of shared texts, two hundred letters."""
    return f"ghi chú số {n} ".ljust(200, "x")


def of_shared_texts(path: Path, rows: int) -> Path:
    """A workbook of numbers, each a text of its own in the shared table, with a note likewise."""
    numbers = (f"<si><t>09{n:08}</t></si><si><t>{note(n)}</t></si>" for n in range(rows))
    cells = (
        f'<row r="{n + 2}"><c r="A{n + 2}" t="s"><v>{2 * n}</v></c>'
        f'<c r="B{n + 2}" t="s"><v>{2 * n + 1}</v></c></row>'
        for n in range(rows)
    )
    head = '<row r="1">' + "".join(
        f'<c r="{at}1" t="inlineStr"><is><t>{name}</t></is></c>'
        for at, name in (("A", "msisdn"), ("B", "note"))
    )
    return packed(path, parts("".join([head, "</row>", *cells]), "".join(numbers)))
