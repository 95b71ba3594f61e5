"""The header of an audience file: is this CSV at all, which separator, which columns. I/O."""

import csv

from dialer.audience_columns import Columns
from dialer.audience_lines import Lines, decode
from domain.errors import InputError

_SEPARATORS = (",", ";", "\t")
_BLANK_HEADER = ',;"\t '
_HEADER_LINES = 5  # how many further lines a quoted column name may run into
_SAVE_AS = "save it as CSV UTF-8"
_NAME_IT = f"{_SAVE_AS}, or let its name end in .xlsx"
_FOREIGN = {
    b"PK\x03\x04": "an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


def read_header(lines: Lines) -> tuple[str, Columns]:
    """Read the first line that is not blank; give the separator and the columns.

    Raises:
        InputError: the file is empty, binary or not UTF-8, or no column holds the number.
    """
    for number, raw in lines:
        _refuse_foreign(raw)
        text = _decode_header(raw)
        if number == 1:
            text = text.removeprefix("\ufeff")
        if text.strip(_BLANK_HEADER):
            return _choose_separator(_whole_header(text, lines))
    raise InputError("the file is empty")


def _refuse_foreign(raw: bytes) -> None:
    for magic, kind in _FOREIGN.items():
        if raw.startswith(magic):
            raise InputError(f"this is {kind}: {_NAME_IT if raw[:2] == b'PK' else _SAVE_AS}")


def _decode_header(raw: bytes) -> str:
    try:
        text = decode(raw)
    except InputError as error:
        raise InputError(f"the header cannot be read ({error}): {_SAVE_AS}") from None
    if "\r" in text:
        raise InputError(f"the lines end with CR alone, as on an old Mac: {_SAVE_AS}")
    return text


def _whole_header(text: str, lines: Lines) -> str:
    """Add the lines that a quoted column name runs into."""
    for _ in range(_HEADER_LINES):
        line = next(lines, None) if text.count('"') % 2 else None
        if line is None:
            break
        text = f"{text} {_decode_header(line[1])}"
    return text


def _choose_separator(header: str) -> tuple[str, Columns]:
    """Take the separator that gives most columns, the number among them."""
    try:
        cut_by = {mark: next(csv.reader([header], delimiter=mark)) for mark in _SEPARATORS}
    except csv.Error as error:
        raise InputError(f"the header is not CSV ({error})") from None
    errors = []
    for mark in sorted(_SEPARATORS, key=lambda mark: len(cut_by[mark]), reverse=True):
        try:
            return mark, Columns.from_header(cut_by[mark])
        except InputError as error:
            errors.append(error)
    raise errors[0]
