"""Reads an audience file row by row in constant memory, and writes down the rows it refused. I/O.

The file is CSV in UTF-8, with or without BOM; its header tells the separator: comma, semicolon or
tab. A bad row never stops the reading, only a file that cannot be an audience at all does.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from dialer.audience_columns import AudienceRow
from dialer.audience_header import read_header
from dialer.audience_lines import Lines, cut, cut_roughly, decode
from domain.errors import InputError

__all__ = ["AudienceFile", "AudienceRow", "RejectedRow", "RejectsFile"]

# Spreadsheets run a cell that begins so; an apostrophe makes it text.
_FORMULA = re.compile(r"[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was refused.

    Attributes:
        line: the line of the file on which the row begins, from 1.
        reason: one line for the user.
        cells: the row as it stands in the file; bytes that are not UTF-8 are shown as \\xNN.
    """

    line: int
    reason: str
    cells: tuple[str, ...]


class AudienceFile:
    """An open audience file: a context manager that gives its rows once.

    Blank rows are passed over. A number that comes twice is not looked for: the store knows.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and read its header.

        Raises:
            InputError: it is not there, empty, binary, not UTF-8, or no column holds the number.
        """
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from None
        self._lines = Lines(self._file)
        try:
            self._separator, self._columns = read_header(self._lines)
        except InputError as error:
            self._file.close()
            raise InputError(f"{path}: {error}") from None
        self._blank = f'{self._separator}" \t\r\n'

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in the header, for the rejects file."""
        return self._columns.names

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[AudienceRow | RejectedRow]:
        """Give every row, good or rejected, in the order of the file.

        Raises:
            InputError: the file cannot be read on (a disk fault).
        """
        for number, raw in self._lines:
            row = self._row(number, raw)
            if row is not None:
                yield row

    def _row(self, number: int, raw: bytes) -> AudienceRow | RejectedRow | None:
        """Read one row, None if it is blank."""
        cells: Sequence[str] | None = None
        try:
            text = decode(raw)
            if not text.strip(self._blank):
                return None
            cells = cut(text, self._separator, self._lines, len(self._columns.names))
            return self._columns.read(number, cells)
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
