"""Audience files for tests, as CSV and as workbooks, and their import. I/O."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook  # type: ignore[import-untyped]

from console.places import read_places
from lab.network import CHECKOUT
from runtime.audience_import import ImportOptions, ImportReport, import_audience, rejects_beside
from store.engine import Store
from tests.rows import NOW

PLACES = read_places(CHECKOUT / "config" / "districts-phase1.csv")
HEADER = [
    *("Số thuê bao", "Tỉnh", "Huyện", "Danh sách", "Loại thuê bao", "Trạng thái thuê bao"),
    *("Máy 4G", "Hệ điều hành", "Loại SIM", "VLR 7 ngày", "Ngày trích xuất"),
]


def row(number: str, **other: str) -> list[str]:
    """An eligible subscriber; `other` by the place of the column: c3="" empties the fourth."""
    cells = [
        *(number, "Cần Thơ", "Ninh Kiều", "1", "Trả trước", "2 chiều"),
        *("Có", "Android 10", "3G", "Có", "2021-03-20"),
    ]
    for name, value in other.items():
        cells[int(name[1:])] = value
    return cells


def csv_file(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    """Write a file with the whole header."""
    text = "\n".join(",".join(cells) for cells in [HEADER, *rows])
    path.write_text(text + "\n", encoding="utf-8")
    return path


def workbook(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    """The same as XLSX."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for cells in [HEADER, *rows]:
        sheet.append(list(cells))
    book.save(path)
    return path


async def bring_in(store: Store, file: Path, campaign: str = "one", **options: Any) -> ImportReport:
    """Import with the shipped places; the rejects go beside the file."""
    chosen = ImportOptions(by="lan", places=PLACES, **options)
    rejects = rejects_beside(file)
    return await import_audience(
        store, campaign, file, rejects, lambda: NOW, lambda line: None, chosen
    )
