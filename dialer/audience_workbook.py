"""The rows of an Excel workbook that holds an audience. I/O.

No library reads a sheet of a million rows in constant memory: the format keeps all the different
texts of a workbook in one table, which is as long as the sheet where numbers are texts.
`workbook_texts` puts it on the disk.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dialer.audience_columns import AudienceRow, Columns, RejectedRow
from dialer.workbook_package import Package
from dialer.workbook_sheet import rows as rows_of
from domain.errors import InputError

WORKBOOKS = frozenset({".xlsx", ".xlsm"})


class Workbook:
    """The first sheet of a workbook; its first row that is not blank is the header."""

    def __init__(self, path: Path) -> None:
        """Raises InputError: it is no workbook, or no column holds the number; OSError."""
        self._package = Package(path)
        try:
            self._rows = rows_of(self._package)
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
        self._package.close()

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
