"""The rows of an Excel workbook, as the text that a CSV file of it would have. I/O.

openpyxl gives row after row, but it keeps all the different texts of a workbook in memory, since
the format has them in one table: some hundred bytes for each number that is stored as text.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError  # only its name: openpyxl parses
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook  # type: ignore[import-untyped]
from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]

from dialer.audience_columns import AudienceRow, Columns, RejectedRow
from domain.errors import InputError

WORKBOOKS = frozenset({".xlsx", ".xlsm"})
_MOST_BYTES = 4 << 30  # unpacked: a full sheet has a third of it
_BROKEN = "the workbook can't be read: open it in Excel and save it again"
_FAULTS = (
    *(BadZipFile, InvalidFileException, ParseError),
    *(KeyError, ValueError, IndexError, TypeError, AttributeError, EOFError),
)


class Workbook:
    """The first sheet of a workbook; its first row that is not blank is the header."""

    def __init__(self, path: Path) -> None:
        """Raises InputError: it is no workbook, or no column holds the number; OSError."""
        try:
            with ZipFile(path) as packed:
                unpacked = sum(part.file_size for part in packed.infolist())
            if unpacked > _MOST_BYTES:
                raise InputError("the workbook is larger than a sheet can be")
            self._book = load_workbook(path, read_only=True, data_only=True)
        except _FAULTS:
            raise InputError(_BROKEN) from None
        try:
            self._rows = self._numbered()
            self.columns = Columns.from_header(self._header())
        except InputError:
            self.close()
            raise

    def rows(self) -> Iterator[AudienceRow | RejectedRow]:
        """Every row that is not blank, good or rejected."""
        for number, cells in self._rows:
            if not any(cells):
                continue
            cells = self._fitted(cells)
            try:
                yield self.columns.read(number, cells)
            except InputError as error:
                yield RejectedRow(number, str(error), tuple(cells))

    def close(self) -> None:
        self._book.close()

    def _numbered(self) -> Iterator[tuple[int, list[str]]]:
        try:
            sheet: Any = self._book.worksheets[0]
            sheet.reset_dimensions()  # some programs write wrong ones
            for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
                yield number, [_text(value) for value in row]
        except _FAULTS:
            raise InputError(_BROKEN) from None

    def _header(self) -> Sequence[str]:
        for _, cells in self._rows:
            if any(cell.strip() for cell in cells):
                while not cells[-1].strip():
                    cells.pop()
                return cells
        raise InputError("the file is empty")

    def _fitted(self, cells: list[str]) -> list[str]:
        """As many cells as the header has, where all further ones are empty."""
        width = len(self.columns.names)
        if not any(cells[width:]):
            del cells[width:]
        return cells + [""] * (width - len(cells))


def _text(value: object) -> str:
    """A cell as its text in a CSV file; a number without the point that Excel stores."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    return value.isoformat() if isinstance(value, date) else str(value)
