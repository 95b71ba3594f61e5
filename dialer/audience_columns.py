"""The columns of an audience file: header names in two languages, and how a row is read. Pure.

Names are compared folded: without case, diacritics, spaces and punctuation ("Số thuê bao" =
"so_thue_bao"). Columns with other names are free attributes and keep their name as written.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from domain.errors import InputError
from domain.msisdn import parse_msisdn

_NAMES = {
    "msisdn": "msisdn isdn phone phonenumber mobile mobilenumber thuebao sothuebao sdt sodt "
    "sodienthoai dienthoai sodidong didong",
    "province": "province provincecity tinh tinhtp tinhthanh tinhthanhpho tentinh",
    "district": "district quanhuyen huyen quan quanhuyentx quanhuyentxtp quanhuyenthixa "
    "quanhuyenthixathanhpho tenhuyen",
    "list": "list listno danhsach danhsachso ds",
}
_ROLES = {name: role for role, names in _NAMES.items() for name in names.split()}
_LIST = re.compile(r"(?:danhsach|list|ds|l)?(?:so)?0*([12])")
# Few different values fill these columns: remembering them keeps a million rows cheap.
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class AudienceRow:
    """One subscriber of the file.

    Attributes:
        line: the line of the file on which the row begins, from 1.
        msisdn: E.164 text.
        province: NFC, trimmed, otherwise as written; None if empty. So is `district`.
        list_no: 1 (inside the promotion), 2 (outside) or None.
        attributes: header name → text, for every other cell that is not empty.
    """

    line: int
    msisdn: str
    province: str | None
    district: str | None
    list_no: int | None
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where everything stands in a row: indexes from 0, None for a column the file lacks."""

    names: tuple[str, ...]
    msisdn: int
    province: int | None
    district: int | None
    list_no: int | None
    attributes: tuple[tuple[int, str], ...]

    @classmethod
    def from_header(cls, cells: Sequence[str]) -> Self:
        """Read the header row; a column without a name is called column_N.

        Raises:
            InputError: no column holds the number, or two columns mean the same.
        """
        names = tuple(_clean(cell) or f"column_{n}" for n, cell in enumerate(cells, 1))
        indexes: dict[str, int] = {}
        for index, name in enumerate(names):
            role = _ROLES.get(fold(name), name)
            if role in indexes:
                raise InputError(f'columns "{names[indexes[role]]}" and "{name}" mean the same')
            indexes[role] = index
        if "msisdn" not in indexes:
            raise InputError(
                "no column holds the number: call it msisdn, Số thuê bao, SĐT or Số điện thoại"
            )
        return cls(
            names=names,
            msisdn=indexes["msisdn"],
            province=indexes.get("province"),
            district=indexes.get("district"),
            list_no=indexes.get("list"),
            attributes=tuple((i, role) for role, i in indexes.items() if role not in _NAMES),
        )

    def read(self, line: int, cells: Sequence[str]) -> AudienceRow:
        """Read one row.

        Raises:
            BadNumber: the number cannot be used.
            InputError: the row has too many or too few cells, or an unknown list.
        """
        if len(cells) != len(self.names):
            raise InputError(f"wrong column count: {len(cells)} instead of {len(self.names)}")
        texts = ((name, _clean(cells[index])) for index, name in self.attributes)
        return AudienceRow(
            line=line,
            msisdn=parse_msisdn(cells[self.msisdn]),
            province=None if self.province is None else _place(cells[self.province]),
            district=None if self.district is None else _place(cells[self.district]),
            list_no=None if self.list_no is None else _parse_list(cells[self.list_no]),
            attributes={name: text for name, text in texts if text},
        )


def fold(text: str) -> str:
    """Reduce a name to lower-case letters and digits without diacritics (đ is d)."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    return "".join(char for char in decomposed if char.isalnum())


def _clean(text: str) -> str:
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@lru_cache(maxsize=_REMEMBERED)
def _place(text: str) -> str | None:
    return _clean(text) or None


@lru_cache(maxsize=_REMEMBERED)
def _parse_list(text: str) -> int | None:
    """Read 1, 2, "Danh sách 1", "DS1", "List 2" or "1.0" (from a floating-point column)."""
    folded = fold(text.strip().removesuffix(".0"))
    if not folded:
        return None
    found = _LIST.fullmatch(folded)
    if found is None:
        raise InputError("the list is neither 1 nor 2")
    return int(found[1])
