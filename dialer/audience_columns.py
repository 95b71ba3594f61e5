"""The columns of an audience file: header names in two languages, and how a row is read. Pure.

Names are compared folded: without case, diacritics, spaces and punctuation ("Số thuê bao" =
"so_thue_bao"). Columns with other names are free attributes and keep their name as written.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Self

from dialer import eligibility
from dialer.extraction import read_extracted_at
from domain.errors import InputError
from domain.folding import fold
from domain.msisdn import parse_msisdn

EXTRACTED_AT = "extracted_at"
_NAMES = {
    "msisdn": "MSISDN ISDN PHONE PHONENUMBER MOBILE MOBILENUMBER THUEBAO SOTHUEBAO SDT SODT "
    "SODIENTHOAI DIENTHOAI SODIDONG DIDONG",
    "province": "PROVINCE PROVINCECITY TINH TINHTP TINHTHANH TINHTHANHPHO TENTINH",
    "district": "DISTRICT QUANHUYEN HUYEN QUAN QUANHUYENTX QUANHUYENTXTP QUANHUYENTHIXA "
    "QUANHUYENTHIXATHANHPHO TENHUYEN",
    eligibility.LIST: "LIST LISTNO DANHSACH DANHSACHSO DS",
}
_SNAPSHOT = {
    EXTRACTED_AT: "EXTRACTEDAT EXTRACTEDON EXTRACTED NGAYTRICHXUAT THOIDIEMTRICHXUAT NGAYTRICH "
    "NGAYLAYDULIEU THOIDIEMLAYDULIEU",
}
_ROLES = {
    name: role for role, names in (_NAMES | _SNAPSHOT).items() for name in names.split()
} | dict(eligibility.COLUMNS)
_LIST = re.compile(r"(?:DANHSACH|LIST|DS|L)?(?:SO)?0*([12])")
# Few different values fill these columns: remembering them keeps a million rows cheap.
_REMEMBERED = 4096


@dataclass(slots=True)
class AudienceRow:
    """One subscriber of the file.

    Attributes:
        line: the line of the file on which the row begins, from 1.
        msisdn: E.164 text.
        province: NFC, trimmed, otherwise as written; None if empty. So is `district`.
        list_no: 1 (inside the promotion), 2 (outside) or None.
        attributes: header name → text, for every other cell that is not empty.
        extracted_at: what the row itself says of when it was true, UTC.
        cells: the row as it stands in the file.
    """

    line: int
    msisdn: str
    province: str | None
    district: str | None
    list_no: int | None
    attributes: dict[str, str]
    extracted_at: datetime | None = None
    cells: Sequence[str] = field(default=(), compare=False, repr=False)


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


@dataclass(frozen=True, slots=True)
class Columns:
    """Where everything stands in a row. `at`: what a column tells → its index, from 0.

    `attributes`, each with what makes its text, are all but the number, its place and its list:
    what a row was judged by is kept.
    """

    names: tuple[str, ...]
    at: Mapping[str, int]
    attributes: tuple[tuple[int, str, Callable[[str], str]], ...]

    @classmethod
    def from_header(cls, cells: Sequence[str]) -> Self:
        """Read the header row; a column without a name is called column_N.

        Raises:
            InputError: no column holds the number, or two columns mean the same.
        """
        names = tuple(_clean(cell) or f"column_{n}" for n, cell in enumerate(cells, 1))
        at: dict[str, int] = {}
        for index, name in enumerate(names):
            role = _ROLES.get(fold(name).solid, name)
            if role in at:
                raise InputError(f'columns "{names[at[role]]}" and "{name}" mean the same')
            at[role] = index
        if "msisdn" not in at:
            raise InputError(
                "no column holds the number: call it msisdn, Số thuê bao, SĐT or Số điện thoại"
            )
        kept = tuple(
            (index, names[index], _clean if role == names[index] else _clean_again)
            for role, index in at.items()
            if role not in _NAMES
        )
        return cls(names=names, at=at, attributes=kept)

    def read(self, line: int, cells: Sequence[str]) -> AudienceRow:
        """Read one row.

        Raises:
            BadNumber: the number cannot be used.
            InputError: the row has too many or too few cells, an unknown list, or says of no
                moment that it was extracted then.
        """
        if len(cells) != len(self.names):
            raise InputError(f"wrong column count: {len(cells)} instead of {len(self.names)}")
        at = self.at
        texts = [(name, clean(cells[index])) for index, name, clean in self.attributes]
        return AudienceRow(
            line=line,
            msisdn=parse_msisdn(cells[at["msisdn"]]),
            province=_place(cells[at["province"]]) if "province" in at else None,
            district=_place(cells[at["district"]]) if "district" in at else None,
            list_no=_parse_list(cells[at["list"]]) if "list" in at else None,
            attributes={name: text for name, text in texts if text},
            extracted_at=read_extracted_at(cells[at[EXTRACTED_AT]]) if EXTRACTED_AT in at else None,
            cells=cells,
        )


def _clean(text: str) -> str:
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


_clean_again = lru_cache(maxsize=_REMEMBERED)(_clean)
"""For what a row is judged by; other attributes may be different in every row."""


@lru_cache(maxsize=_REMEMBERED)
def _place(text: str) -> str | None:
    return _clean(text) or None


@lru_cache(maxsize=_REMEMBERED)
def _parse_list(text: str) -> int | None:
    """Read 1, 2, "Danh sách 1", "DS1", "List 2" or "1.0" (from a floating-point column)."""
    folded = fold(text.strip().removesuffix(".0")).solid
    if not folded:
        return None
    found = _LIST.fullmatch(folded)
    if found is None:
        raise InputError("the list is neither 1 nor 2")
    return int(found[1])
