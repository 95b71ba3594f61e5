"""The rows of a sheet, each cell as the text that a CSV file of it would have. I/O."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from dialer.workbook_package import Package, faults_are_told
from dialer.workbook_texts import unescaped
from dialer.workbook_xml import BROKEN, TextListener, names, read
from domain.errors import InputError

Row = tuple[int, list[str]]
"""The number of a row, from 1, and its cells up to the last one that it has."""
_NAMES = names("row", "c")
_MOST_COLUMNS = 16_384
_DIGITS = "0123456789"
_LETTERS = 26
_SINCE_1900 = datetime(1899, 12, 30, tzinfo=UTC)
_SINCE_1904 = datetime(1904, 1, 1, tzinfo=UTC)
_NO_LEAP_DAY = 60
"""Excel has a 29 February 1900; days before it count from one day later."""


def rows(package: Package) -> Iterator[Row]:
    """Every row that the first sheet has. Raises InputError: it is broken."""
    with faults_are_told(), package.sheet() as part:
        yield from read(part, _Sheet(package))


class _Sheet(TextListener):
    """Gathers the cells of a row, then the row."""

    def __init__(self, package: Package) -> None:
        super().__init__()
        self._text_at = package.texts.at
        self._days = package.days
        self._since = _SINCE_1904 if package.counts_from_1904 else _SINCE_1900
        self._found: list[Row] = []
        self._number = 0
        self._cells: list[str] = []
        self._cell: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = _NAMES.get(name)
        if kind == "c":
            self._cell = attributes
        elif kind == "row":
            self._number = int(attributes.get("r", self._number + 1))
            self._cells = []
        else:
            super().start(name, attributes)

    def end(self, name: str) -> None:
        kind = _NAMES.get(name)
        if kind == "c":
            self._put(self._gathered())
        elif kind == "row":
            self._found.append((self._number, self._cells))
        else:
            super().end(name)

    def taken(self) -> list[Row]:
        found, self._found = self._found, []
        return found

    def _put(self, written: str) -> None:
        """End a cell; those that were left out before it are empty."""
        reference = self._cell.get("r")
        if reference is not None:
            gap = _column(reference.rstrip(_DIGITS)) - len(self._cells)
            if gap < 0:
                raise InputError(BROKEN)
            if gap:
                self._cells += [""] * gap
        if len(self._cells) >= _MOST_COLUMNS:
            raise InputError(BROKEN)
        self._cells.append(self._shown(written) if written else "")

    def _shown(self, written: str) -> str:
        match self._cell.get("t", "n"):
            case "s":
                return self._text_at(int(written))
            case "n":
                is_day = int(self._cell.get("s", 0)) in self._days
                return _day(written, self._since) if is_day else _number(written)
            case "b":
                return "TRUE" if written == "1" else "FALSE"
            case "d":
                return _moment(datetime.fromisoformat(written))
            case _:
                return unescaped(written)


@lru_cache(maxsize=_MOST_COLUMNS)
def _column(letters: str) -> int:
    """The place of column A, B, … AA, from 0. Raises InputError."""
    place = 0
    for letter in letters:
        place = place * _LETTERS + ord(letter) - ord("A") + 1
    if not 0 < place <= _MOST_COLUMNS:
        raise InputError(BROKEN)
    return place - 1


def _number(written: str) -> str:
    """A number without the point that Excel stores."""
    if written.isdecimal():
        return written
    value = float(written)
    return str(int(value)) if value.is_integer() else str(value)


def _day(written: str, since: datetime) -> str:
    """A number of days as the day, and its hour where it has one; a part of a day is an hour."""
    days = float(written)
    if since is _SINCE_1900 and days < _NO_LEAP_DAY:
        days += 1
    try:
        at = since + timedelta(seconds=round(days * timedelta(days=1).total_seconds()))
    except OverflowError:
        return _number(written)
    return f"{at:%H:%M:%S}" if 0 <= float(written) < 1 else _moment(at)


def _moment(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ", "seconds").removesuffix(" 00:00:00")
