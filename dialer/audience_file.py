"""Reads an audience file row by row in constant memory, and writes down the rows it refused. I/O.

The file is an Excel workbook, or CSV in UTF-8 whose header tells the separator: comma, semicolon
or tab. A bad row never stops the reading, only a file that cannot be an audience at all does.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from dialer.audience_columns import AudienceRow, Columns, RejectedRow
from dialer.audience_header import read_header
from dialer.audience_lines import Lines, cut, cut_roughly, decode
from dialer.audience_workbook import WORKBOOKS, Workbook
from domain.errors import InputError

__all__ = ["AudienceFile", "AudienceRow", "RejectedRow", "RejectsFile"]

# Spreadsheets run a cell that begins so; an apostrophe makes it text.
_FORMULA = re.compile(r"[=+\-@\t\r]")


class _Source(Protocol):
    """The rows of one kind of file; `columns` says what stands where in each."""

    columns: Columns

    def rows(self) -> Iterator[AudienceRow | RejectedRow]:
        """Every row, good or rejected, in the order of the file; blank ones are passed over."""

    def close(self) -> None:
        """Give the file back."""


class AudienceFile:
    """An open audience file: a context manager that gives its rows once.

    Its name tells a workbook (.xlsx) from CSV. A number that comes twice is not looked for: the
    store knows.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and read its header.

        Raises:
            InputError: it is not there, empty, binary, not UTF-8, or no column holds the number.
        """
        kind = Workbook if path.suffix.casefold() in WORKBOOKS else _Csv
        try:
            self._source: _Source = kind(path)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from None
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in the header, for the rejects file."""
        return self._source.columns.names

    @property
    def layout(self) -> Columns:
        """What stands where in a row."""
        return self._source.columns

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._source.close()

    def __iter__(self) -> Iterator[AudienceRow | RejectedRow]:
        """Give every row, good or rejected, in the order of the file.

        Raises:
            InputError: the file cannot be read on (a disk fault, a broken workbook).
        """
        return self._source.rows()


class _Csv:
    """CSV in UTF-8, with or without BOM; its header tells the separator."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("rb")
        self._lines = Lines(self._file)
        try:
            self._separator, self.columns = read_header(self._lines)
        except InputError:
            self._file.close()
            raise
        self._blank = f'{self._separator}" \t\r\n'

    def rows(self) -> Iterator[AudienceRow | RejectedRow]:
        for number, raw in self._lines:
            row = self._row(number, raw)
            if row is not None:
                yield row

    def close(self) -> None:
        self._file.close()

    def _row(self, number: int, raw: bytes) -> AudienceRow | RejectedRow | None:
        """Read one row, None if it is blank."""
        cells: Sequence[str] | None = None
        try:
            text = decode(raw)
            if not text.strip(self._blank):
                return None
            cells = cut(text, self._separator, self._lines, len(self.columns.names))
            return self.columns.read(number, cells)
        except InputError as error:
            rough = cut_roughly(raw, self._separator) if cells is None else cells
            return RejectedRow(number, str(error), tuple(rough))


class RejectsFile:
    """The rows an import refused, as CSV for Excel: line, reason, then the cells as they came."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Begin the file anew, with `columns` of the audience file in its header.

        Raises:
            InputError: it cannot be written there.
        """
        self._path = path
        with _writing(path):
            self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(["line", "reason", *map(_guard, columns)])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _writing(self._path):
            self._file.close()

    def write(self, row: RejectedRow) -> None:
        """Add one refused row.

        Raises:
            InputError: the disk is full.
        """
        with _writing(self._path):
            self._rows.writerow([row.line, row.reason, *map(_guard, row.cells)])


def _guard(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn a disk that is full or read-only into one line for the user."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
