"""Reads what the gate is loaded from: do-not-call lists and phases, CSV in UTF-8. I/O.

A list of numbers needs no header: where the first row has no column called msisdn, each row begins
with its number. A bad row of a list stops nothing; a bad phase stops the whole file, since a place
left out would be closed without a word.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from dialer.audience_file import RejectedRow
from domain.addresses import Scheme
from domain.errors import InputError
from domain.folding import fold
from domain.msisdn import parse_msisdn
from domain.places import Places
from store.phases import NewPhase

_NUMBER_COLUMNS = frozenset({"MSISDN", "SO THUE BAO", "SO DIEN THOAI"})
_SEPARATORS = ",;\t"
_PHASE_COLUMNS = {
    "scheme": {"SCHEME"},
    "province_code": {"PROVINCE CODE", "MA TINH"},
    "province": {"PROVINCE", "TINH", "TINH THANH PHO"},
    "district_code": {"DISTRICT CODE", "MA HUYEN"},
    "district": {"DISTRICT", "HUYEN", "QUAN HUYEN"},
    "district_type": {"DISTRICT TYPE"},
    "opens_on": {"OPENS ON", "TU NGAY"},
    "closes_on": {"CLOSES ON", "DEN NGAY"},
}
"""What the columns may be called, marks and case aside."""


def read_numbers(path: Path) -> Iterator[str | RejectedRow]:
    """Each number of a file in E.164, or the row that has none. Raises InputError."""
    with _opened(path) as file:
        column = 0
        for line, cells in _rows(path, file):
            names = [fold(cell).fold for cell in cells]
            if line == 1 and (found := _NUMBER_COLUMNS.intersection(names)):
                column = min(names.index(name) for name in found)
                continue
            try:
                yield parse_msisdn(cells[column] if column < len(cells) else "")
            except InputError as error:
                yield RejectedRow(line, str(error), tuple(cells))


def read_phases(
    path: Path, places: Places, opens_on: date | None = None, closes_on: date | None = None
) -> list[NewPhase]:
    """The phases of a file, whose places are codes or names; the dates given stand for the columns
    that it lacks.

    Raises InputError with the first row that makes no sense.
    """
    with _opened(path) as file:
        rows = _rows(path, file)
        _, header = next(rows, (0, []))
        names = [_phase_column(cell) for cell in header]
        if not {"province_code", "province"}.intersection(names):
            raise InputError(
                f"{path}: the header needs province or province_code; there may be district or "
                "district_code, scheme, opens_on, closes_on"
            )
        given = {"opens_on": opens_on, "closes_on": closes_on}
        read: dict[tuple[Any, ...], NewPhase] = {}
        for line, row in rows:
            phase = _phase(path, line, dict(zip(names, row, strict=False)), places, given)
            if read.setdefault(_place(phase), phase) is not phase:
                raise InputError(f"{path}, line {line}: this place stands in the file twice")
        return list(read.values())


def _phase_column(cell: str) -> str:
    folded = fold(cell.replace("_", " ")).fold
    return next((name for name, known in _PHASE_COLUMNS.items() if folded in known), cell)


def _place(phase: NewPhase) -> tuple[Any, ...]:
    return phase.scheme, phase.province_code, phase.district_code


def read_day(text: str) -> date:
    """A day as 2021-06-01 or 01/06/2021. Raises InputError."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise InputError(f'"{text}" is no day: write 2021-06-01 or 01/06/2021')


def _phase(
    path: Path,
    line: int,
    cells: Mapping[str, str],
    places: Places,
    given: Mapping[str, date | None],
) -> NewPhase:
    try:
        days: dict[str, Any] = {
            name: read_day(cells[name]) if cells.get(name, "").strip() else given[name]
            for name in given
        }
        scheme = _scheme(cells.get("scheme") or Scheme.VN_2021)
        province, district = _codes(cells, places, scheme)
        if days["opens_on"] is None:
            raise InputError("no opens_on: add the column, or say --opens 2021-06-01")
        if days["closes_on"] is not None and days["closes_on"] < days["opens_on"]:
            raise InputError("it closes before it opens")
        return NewPhase(
            scheme=scheme,
            province_code=province,
            district_code=district,
            **days,
        )
    except InputError as error:
        raise InputError(f"{path}, line {line}: {error}") from None


def _codes(cells: Mapping[str, str], places: Places, scheme: Scheme) -> tuple[str, str | None]:
    """The official codes of a row's place; where it has both, a code goes before a name."""
    code, name = (cells.get(key, "").strip() for key in ("province_code", "province"))
    district_code = cells.get("district_code", "").strip() or None
    district = cells.get("district", "").strip() or None
    if code and not code.isdecimal():
        raise InputError(f'"{code}" is no province code')
    if code and (district_code or not district):
        return code, district_code
    if not (code or name):
        raise InputError("no province: give its name or its code")
    if unit := cells.get("district_type", "").strip():
        district = district and f"{unit} {district}"
    name = name or (places.named(scheme, code, None) or (code, ""))[0]
    found = places.codes(name, None if district_code else district, scheme)
    return found[0], district_code or found[1]


def _scheme(text: str) -> Scheme:
    try:
        return Scheme(text.strip())
    except ValueError:
        raise InputError(f'unknown scheme "{text}": {" or ".join(Scheme)}') from None


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None


def _rows(path: Path, file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with the line on which each ends."""
    try:
        head = file.readline()
        file.seek(0)
        separator = max(_SEPARATORS, key=head.count)
        reader = csv.reader(file, delimiter=separator)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text: save it as CSV UTF-8") from None
    except (csv.Error, OSError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
