"""Reads an audience file row by row in constant memory, and writes the rows it had to refuse. I/O.

The file is CSV in UTF-8, with or without BOM; the header line tells the separator (comma, semicolon
or tab). A bad row never stops the reading. Only a file that cannot be an audience at all does.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from dialer.audience_columns import AudienceRow, Columns
from domain.errors import InputError

_SEPARATORS = (",", ";", "\t")
_LINE_BYTES = 64 * 1024  # no row of people is longer; a file without line ends must not fill memory
_CELL_LINES = 20  # as many lines as one quoted cell may span
_BOM = b"\xef\xbb\xbf"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # XLSX (a zip archive) and the older XLS
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_AS_CSV = "save it as CSV UTF-8"
_FORMULA = re.compile(r"[=+\-@\t\r]")


class _BadRow(Exception):
    """A line cannot be cut into cells; carries what could be read of it."""

    def __init__(self, reason: str, cells: Sequence[str]) -> None:
        super().__init__(reason)
        self.cells = tuple(cells)


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was refused.

    Attributes:
        line: the line of the file on which the row begins, from 1.
        reason: one line for the user.
        cells: the row as it stands in the file; bytes that are not UTF-8 read as \\xNN.
    """

    line: int
    reason: str
    cells: tuple[str, ...]


class AudienceFile:
    """An open audience file: a context manager, and an iterator over its rows.

    Blank rows are passed over. A number that comes twice is not looked for here: the store knows.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and read its header.

        Raises:
            InputError: it is not there, empty, binary, not UTF-8, or has no column with numbers.
        """
        self._path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from None
        self._lines = _Lines(self._file)
        try:
            self._separator, self._columns = self._read_header()
        except BaseException:
            self._file.close()
            raise

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in the header, for the file of rejects."""
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
        """Give every row that is not blank, good or rejected, in the order of the file."""
        for line, raw in self._lines:
            ...
