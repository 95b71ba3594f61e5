"""The lines of an audience file, and how one is cut into cells. I/O.

A line that has no end, an unclosed quotation mark or bytes that are not UTF-8 costs that line only:
memory stays constant, and the lines after it are read as if nothing had been.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Self

from domain.errors import InputError

LINE_BYTES = 64 * 1024  # no row about a person is longer
_CELL_LINES = 20  # how many further lines a quoted cell may run into

Line = tuple[int, bytes]
"""The number of a line, from 1, and its bytes; what passes LINE_BYTES is left out."""


class Lines:
    """The numbered lines of a binary file; lines that were read ahead can be put back."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._number = 0
        self._again: deque[Line] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Line:
        if self._again:
            return self._again.popleft()
        try:
            raw = self._file.readline(LINE_BYTES)
            if len(raw) == LINE_BYTES:
                self._skip_rest(raw)
        except OSError as error:
            raise InputError(f"cannot read on: {error.strerror}") from None
        if not raw:
            raise StopIteration
        self._number += 1
        return self._number, raw

    def put_back(self, lines: Sequence[Line]) -> None:
        """Give these lines, the next ones in order, once more."""
        self._again.extendleft(reversed(lines))

    def _skip_rest(self, raw: bytes) -> None:
        while raw and not raw.endswith(b"\n"):
            raw = self._file.readline(LINE_BYTES)


def decode(raw: bytes) -> str:
    """Give a line as text without its end.

    Raises:
        InputError: it is too long, holds NUL bytes or is not UTF-8.
    """
    if len(raw) == LINE_BYTES:
        raise InputError(f"the line is longer than {LINE_BYTES // 1024} KiB")
    if b"\0" in raw:
        raise InputError("NUL bytes in the line")
    try:
        return raw.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise InputError("the line is not UTF-8 text") from None


def cut(text: str, separator: str, lines: Lines, columns: int) -> list[str]:
    """Cut a line into cells, with the lines after it that a quoted cell runs into.

    Those are taken only if the whole comes to the right number of columns: a forgotten quotation
    mark must not swallow the rows that follow.

    Raises:
        InputError: a quotation mark is not closed or not doubled; no further line was taken.
    """
    if '"' not in text:
        return text.split(separator)
    taken: list[Line] = []
    try:
        rows = csv.reader(_run_on(text, lines, taken), delimiter=separator, strict=True)
        cells = next(rows)
    except csv.Error:
        cells = []
    if cells and (not taken or len(cells) == columns):
        return cells
    lines.put_back(taken)
    raise InputError("a quotation mark is not closed or not doubled")


def cut_roughly(raw: bytes, separator: str) -> list[str]:
    """Cut a line that cannot be read properly, so that the user can find it again."""
    text = raw.decode(errors="backslashreplace").rstrip("\r\n")
    return text.replace("\0", "\\x00").split(separator)


def _run_on(text: str, lines: Lines, taken: list[Line]) -> Iterator[str]:
    """Give csv a line, and following ones for as long as it asks, noting them in `taken`."""
    yield f"{text}\n"
    for line in lines:
        taken.append(line)
        try:
            yield f"{decode(line[1])}\n"
        except InputError:
            return
        if len(taken) == _CELL_LINES:
            return
