"""The demo's audience: 200 numbers written as provinces write them, and a few bad rows. Pure.

Every ending of lab.behaviours comes twice, so the behaviours are mixed as they are weighted there.
The same list each time, so that two runs can be compared.
"""

import csv
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.msisdn import display, national

COLUMNS = (
    *("STT", "Số thuê bao", "Tỉnh/TP", "Quận/Huyện", "Danh sách"),
    *("Loại thuê bao", "Hệ điều hành"),
)
_ENDINGS = 100
_ROUNDS = 2
_SEED = 9090
_PREFIXES = ("090", "093", "089", "070", "079", "077", "076", "078")
# How the same numbers were written before November 2018.
_OLD_PREFIXES = {"070": "0120", "079": "0121", "077": "0122", "076": "0126", "078": "0128"}
# Some of phase 1 (domain.md §4), with names that several provinces share.
_PLACES = (
    ("An Giang", "Thành phố Châu Đốc"),
    ("An Giang", "Thành phố Long Xuyên"),
    ("Bến Tre", "Huyện Châu Thành"),
    ("Cần Thơ", "Quận Ninh Kiều"),
    ("Cần Thơ", "Quận Ô Môn"),
    ("Đồng Tháp", "Thành phố Cao Lãnh"),
    ("Đồng Tháp", "Huyện Cao Lãnh"),
    ("Hậu Giang", "Huyện Châu Thành A"),
    ("Kiên Giang", "Thành phố Rạch Giá"),
    ("Tiền Giang", "Huyện Châu Thành"),
    ("Vĩnh Long", "Thị xã Bình Minh"),
)
# What a cell may hold that is not one mobile number.
_BAD_CELLS = ("", "9,01E+08", "0901 234", "0901234567 / 0931234567", "0292 3812 345", "không có")


def _old(number: str) -> str:
    prefix = _OLD_PREFIXES.get(number[:3], number[:3])
    return f"{prefix} {number[3:6]} {number[6:]}"


# Ways to write a number, from its dial form.
_FORMS: tuple[Callable[[str], str], ...] = (
    lambda number: number,
    lambda number: f"{number[:4]} {number[4:7]} {number[7:]}",
    _old,
    lambda number: f"+84 {number[1:3]} {number[3:6]} {number[6:]}",
    lambda number: number[1:],  # Excel took it for a number
    lambda number: f"{number[:3]}.{number[3:6]}.{number[6:]}",
    _old,
    lambda number: f"84{number[1:]}",
)


@dataclass(frozen=True)
class Audience:
    """The good numbers (E.164, in the order of the file), the bad rows, and the file's text."""

    numbers: tuple[str, ...]
    bad_rows: int
    csv: str


def make_audience() -> Audience:
    """The list that the demo calls."""
    chance = random.Random(_SEED)
    numbers = _numbers(chance)
    rows = [_row(chance, index, number) for index, number in enumerate(numbers)]
    bad = _bad_rows(chance, numbers)
    for row in bad:
        # Not before the first number: the last bad row repeats it.
        rows.insert(chance.randrange(1, len(rows)), row)
    return Audience(tuple(numbers), len(bad), _as_csv(rows))


def list_of(numbers: Sequence[str]) -> str:
    """The text of a file of these numbers (E.164), without bad rows."""
    chance = random.Random(_SEED)
    return _as_csv([_row(chance, index, number) for index, number in enumerate(numbers)])


def _numbers(chance: random.Random) -> list[str]:
    endings = [ending for ending in range(_ENDINGS) for _ in range(_ROUNDS)]
    chance.shuffle(endings)
    middles = chance.sample(range(100_000), len(endings))
    return [
        f"+84{chance.choice(_PREFIXES)[1:]}{middle:05d}{ending:02d}"
        for middle, ending in zip(middles, endings, strict=True)
    ]


def _row(chance: random.Random, index: int, msisdn: str) -> list[str]:
    written = _FORMS[index % len(_FORMS)](national(msisdn))
    return [
        *(written, *chance.choice(_PLACES), chance.choice("12")),
        *(chance.choice(("Trả trước", "Trả sau")), chance.choice(("Android", "iOS"))),
    ]


def _bad_rows(chance: random.Random, numbers: Sequence[str]) -> list[list[str]]:
    """Cells that are no number, a list that does not exist, a number that comes again."""
    plain = [_row(chance, 0, number) for number in numbers[: len(_BAD_CELLS)]]
    no_number = [[cell, *row[1:]] for cell, row in zip(_BAD_CELLS, plain, strict=True)]
    no_list = ["0901 234 567", "Sóc Trăng", "Thành phố Sóc Trăng", "3", "Trả trước", "Android"]
    again = [display(numbers[0]), *plain[0][1:]]
    return [*no_number, no_list, again]


def _as_csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([index, *row] for index, row in enumerate(rows, start=1))
    return text.getvalue()
