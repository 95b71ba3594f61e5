"""Who may be invited: the rules R1 to R7 of domain.md §2, on what a row says of itself. Pure.

The operator's figures change after they are extracted; a row is judged as it was at that moment.
A rule whose column a file lacks is passed over, unless the operator demands every rule. A cell that
says neither yes nor no, an empty one too, is no yes.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache

from domain.folding import fold

LIST = "list"
"""The column of R7."""
_VLR_DAYS = 7
_LONGEST_COUNT = 4  # digits
_REMEMBERED = 4096


class Ineligible(StrEnum):
    """Why a subscriber is not invited; the value stands in the counts of an import."""

    NOT_VOICE = "not_voice"
    NOT_ACTIVE = "not_active"
    NOT_4G_HANDSET = "not_4g_handset"
    OTHER_OS = "other_os"
    SIM_IS_4G = "sim_is_4g"
    NOT_IN_VLR = "not_in_vlr"
    NO_LIST = "no_list"
    NOT_EXTRACTED = "not_extracted"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not eligible: by which rule, and one line for the user."""

    by: Ineligible
    reason: str


_FROM_THE_FUTURE = Refused(Ineligible.NOT_EXTRACTED, "extracted_at lies in the future")
_NOT_EXTRACTED = Refused(Ineligible.NOT_EXTRACTED, "nothing says when it was extracted")
_NO_LIST = Refused(Ineligible.NO_LIST, "on neither list")


Judge = Callable[[str], bool | None]
"""Whether a folded cell fulfils a rule; None where it says neither."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement on one column.

    `names` are the folded names that its column may have; `reason` says what is wrong where the
    requirement is not met.
    """

    column: str
    names: str
    by: Ineligible
    reason: str
    judge: Judge


_YES = frozenset(["YES", "Y", "TRUE", "T", "1", "X", "CO", "DUNG", "OK"])
_NO = frozenset(["NO", "N", "FALSE", "F", "0", "KHONG", "K", "SAI"])


def _words(yes: str, no: str) -> Judge:
    """A judge of cells that are one of some words; those of every yes and no are known."""
    accepted, refused = _YES | set(yes.split()), _NO | set(no.split())
    return lambda cell: True if cell in accepted else False if cell in refused else None


def _is_not(judge: Judge) -> Judge:
    """The other way round: the column says what must not be."""

    def judged(cell: str) -> bool | None:
        found = judge(cell)
        return None if found is None else not found

    return judged


def _is_voice(cell: str) -> bool | None:
    """Prepaid or postpaid, and not for data alone."""
    if cell in {"TT", "TS"} or cell.removeprefix("THUEBAO").startswith(_VOICE):
        return True
    return False if cell else None


_VOICE = ("PREPAID", "POSTPAID", "TRATRUOC", "TRASAU", "VOICE", "THOAI")


def _is_known_os(cell: str) -> bool | None:
    return cell.startswith(("IOS", "IPHONE", "ANDROID")) if cell else None


def _has_days(cell: str) -> bool | None:
    digits = cell.removesuffix("NGAY").removesuffix("DAYS")
    known = digits.isdecimal() and len(digits) <= _LONGEST_COUNT
    return int(digits) >= _VLR_DAYS if known else None


RULES: tuple[Rule, ...] = (
    Rule(
        "subscriber_type",
        "SUBSCRIBERTYPE LOAITHUEBAO LOAITB LOAIHINHTHUEBAO LOAIHINHTB TRATRUOCTRASAU TTTS",
        Ineligible.NOT_VOICE,
        "not a voice subscriber, prepaid or postpaid",
        _is_voice,
    ),
    Rule(
        "two_way",
        "TWOWAY TWOWAYACTIVE ACTIVE2WAY SUBSCRIBERSTATUS TRANGTHAITHUEBAO TRANGTHAITB "
        "TRANGTHAI2CHIEU HOATDONG2CHIEU HOATDONGHAICHIEU 2CHIEU HAICHIEU",
        Ineligible.NOT_ACTIVE,
        "not active both ways",
        _words(
            "ACTIVE TWOWAY 2WAY 2CHIEU HAICHIEU 2C HOATDONG DANGHOATDONG HOATDONG2CHIEU "
            "HOATDONGHAICHIEU",
            "INACTIVE ONEWAY 1WAY 1CHIEU MOTCHIEU 1C 0CHIEU KHOA KHOA1CHIEU KHOAMOTCHIEU "
            "KHOA2CHIEU KHOAHAICHIEU TAMKHOA CHAN SUSPENDED BLOCKED BARRED THUHOI HUY",
        ),
    ),
    Rule(
        "handset_4g",
        "HANDSET4G DEVICE4G IS4GHANDSET MAY4G THIETBI4G DIENTHOAI4G HANDSETTYPE LOAIMAY",
        Ineligible.NOT_4G_HANDSET,
        "not a 4G handset",
        _words(
            "4G 5G LTE VOLTE MAY4G MAY5G SMARTPHONE4G",
            "2G 3G MAY2G MAY3G FEATUREPHONE CHUA4G KHONG4G KHONGHOTRO4G",
        ),
    ),
    Rule(
        "os",
        "OS HANDSETOS OPERATINGSYSTEM HEDIEUHANH HDH",
        Ineligible.OTHER_OS,
        "neither iOS nor Android",
        _is_known_os,
    ),
    Rule(
        "sim_4g",
        "SIM4G IS4GSIM SIMIS4G USIM SIM SIMTYPE LOAISIM",
        Ineligible.SIM_IS_4G,
        "the SIM is 4G already",
        _is_not(
            _words(
                "4G 5G LTE USIM SIM4G SIM5G USIM4G DA4G",
                "2G 3G SIM2G SIM3G NOT4G CHUA4G KHONG4G KHONGPHAI4G NON4G",
            )
        ),
    ),
    Rule(
        "vlr_7_days",
        "VLR7 VLR7DAYS VLR7D VLR7NGAY 7NGAYVLR VLR7NGAYLIENTUC VLR7NGAYLIENTIEP PSVLR7NGAY",
        Ineligible.NOT_IN_VLR,
        "not in the VLR 7 days running",
        _words("7 7NGAY 7DAYS", "1NGAY 2 2NGAY 3 3NGAY 4 4NGAY 5 5NGAY 6 6NGAY"),
    ),
    Rule(
        "vlr_days",
        "VLRDAYS DAYSINVLR SONGAYVLR NGAYVLR",
        Ineligible.NOT_IN_VLR,
        "not in the VLR 7 days running",
        _has_days,
    ),
)
"""In the order in which they are judged. R6 is known by a yes, or by a number of days."""

COLUMNS: Mapping[str, str] = {name: rule.column for rule in RULES for name in rule.names.split()}
"""The folded name of a column → what it tells."""


class Eligibility:
    """Judges the rows of one file.

    `at` has the place of each column that the file has, `now` is when it is read. With `demanded`
    every rule must be met, the list (R7) and the moment of extraction (R6) among them.
    """

    def __init__(self, at: Mapping[str, int], now: datetime, *, demanded: bool = False) -> None:
        self._rules = [(at[rule.column], _judge(rule)) for rule in RULES if rule.column in at]
        self._now = now
        self._demanded = demanded

    def refuse(
        self, cells: Sequence[str], list_no: int | None, extracted_at: datetime | None
    ) -> Refused | None:
        """The first rule that a row does not meet; None where it is eligible."""
        for place, judge in self._rules:
            refused = judge(cells[place])
            if refused is not None:
                return refused
        if extracted_at is not None and extracted_at > self._now:
            return _FROM_THE_FUTURE
        if self._demanded and list_no is None:
            return _NO_LIST
        if self._demanded and extracted_at is None:
            return _NOT_EXTRACTED
        return None


def lacking(at: Container[str]) -> list[str]:
    """The columns that a file lacks to be judged by every rule of its rows."""
    met = {rule.by for rule in RULES if rule.column in at}
    columns = {rule.by: rule.column for rule in reversed(RULES) if rule.by not in met}
    return [*reversed(columns.values()), *(() if LIST in at else (LIST,))]


@cache
def _judge(rule: Rule) -> Callable[[str], Refused | None]:
    """Few different values fill these columns: remembering them keeps a million rows cheap."""
    unclear = Refused(Ineligible.UNCLEAR, f"{rule.column} says neither yes nor no")
    not_met = Refused(rule.by, rule.reason)

    @lru_cache(maxsize=_REMEMBERED)
    def judged(cell: str) -> Refused | None:
        found = rule.judge(fold(cell).solid)
        return unclear if found is None else None if found else not_met

    return judged
