"""What a text to 9231 asks for. Pure; domain.md §8.

The fold decides, so case, marks, punctuation and hidden characters never do, and spaces may stand
anywhere inside a keyword. The first rule that matches wins, in the order opt-out > cancel > help >
status > register:

* A text of nothing but command words is that command, with TSTN before it or after ("TSTN HUY",
  "TSTN TC", "HD TSTN"). "Soạn …" before it and "… gửi 9231" after it change nothing.
* TC, Từ chối, STOP, HUY, HD and KT at the start hold whatever follows ("STOP gui tin"): the law
  wants refusals taken, and cancel, help and status are easily undone. NO, KHONG and KO are common
  words, and so they count in the forms listed only.
* TSTN at the start registers and the rest is a note; a digit ends the keyword ("TSTN9231").
* But a note that begins like a command is in doubt ("TSTN khong can nua", "TSTN Huy, ap 3"): it
  neither registers nor cancels, and gets the syntax. STOP, Từ chối, Hướng dẫn and Kiểm tra are
  nothing but commands and hold there too.
* TSTN after other words means nothing, and a near miss of it (one edit, or one swap) never
  registers.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from domain.folding import fold
from domain.msisdn import BadNumber, parse_msisdn

SHORT_CODE = "9231"

_ALPHANUMERIC = 5
"""The type of number that is a word (SMPP 3.4 §5.2.5)."""
_NUMBER = re.compile(r"\+?[0-9]+")


class Verdict(StrEnum):
    """What a text asks for. EMPTY is not answered; NEAR_MISS and UNKNOWN are told the syntax."""

    OPT_OUT = "opt_out"
    CANCEL = "cancel"
    HELP = "help"
    STATUS = "status"
    REGISTER = "register"
    NEAR_MISS = "near_miss"
    UNKNOWN = "unknown"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Reading:
    """A text understood. `note`: what follows the keyword of a registration, as it was written."""

    fold: str
    tokens: tuple[str, ...]
    verdict: Verdict
    note: str | None = None


def _near(word: str) -> str:
    """A pattern for one edit or one swap of two neighbours; an edit may give the word itself."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    inserted = [f"{head}.{tail}" for head, tail in cuts]
    replaced = [f"{head}.{tail[1:]}" for head, tail in cuts if tail]
    deleted = [f"{head}{tail[1:]}" for head, tail in cuts if tail]
    swapped = [f"{head}{tail[1]}{tail[0]}{tail[2:]}" for head, tail in cuts if len(tail) > 1]
    return f"({'|'.join(inserted + replaced + deleted + swapped)})"


_WORDS = {
    "refuse": "(TC|TUCHOI|STOP|NO)",
    "drop": "(HUY|KHONG|KO)",
    "ads": "(NHAN)?(TIN)?(QC|QUANGCAO)",
    "guide": "(HD|HUONGDAN|HELP)",
    "check": "(KT|KIEMTRA)",
    "enrol": "(DK|DANGKY|DANGKI)",
    "soan": "(SOAN(TIN)?)?",
    "gui": f"((GUI|GOI)?(DEN|TOI)?{SHORT_CODE})?",
    "near": _near("TSTN"),
}
"""What the rules below are written with, by the names in braces."""

_RULES = [
    (Verdict.OPT_OUT, r"{soan} (TSTN)? {refuse} ({ads}|TSTN)? {gui} $"),
    (Verdict.OPT_OUT, r"{soan} {drop} {ads} {gui} $"),
    (Verdict.OPT_OUT, r"{soan} (TC \b | (TSTN \b)? (TUCHOI|STOP) \b)"),
    (Verdict.CANCEL, r"{soan} {drop} (MUON|CAN)? ({enrol}? TSTN | {enrol}) (NUA)? {gui} $"),
    (Verdict.CANCEL, r"{soan} {enrol}? TSTN {drop} {enrol}? {gui} $"),
    (Verdict.CANCEL, r"{soan} HUY {gui} \b"),
    (Verdict.HELP, r"{soan} (TSTN)? {guide} (TSTN)? {gui} $"),
    (Verdict.HELP, r"{soan} ({guide} \b | TSTN \b (HUONGDAN|HELP) \b)"),
    (Verdict.STATUS, r"{soan} (TSTN)? {check} (TSTN)? {gui} $"),
    (Verdict.STATUS, r"{soan} ({check} \b | TSTN \b KIEMTRA \b)"),
    (Verdict.UNKNOWN, r"{soan} {enrol}? TSTN \b ({refuse}|{drop}|HD|KT) \b"),
    (Verdict.REGISTER, r"{soan} {enrol}? TSTN {gui} \b"),
    (Verdict.NEAR_MISS, r"{soan} {enrol}? {near} \b"),
]
"""Matched against the start of the fold, in this order."""


def _compiled(rule: str) -> re.Pattern[str]:
    """A rule as a pattern on the fold, where a space may follow every letter and digit."""
    source = rule.replace(" ", "").format(**_WORDS)
    return re.compile(re.sub(r"(?<!\\)(\w|\.)", _loosely, source))


def _loosely(letter: re.Match[str]) -> str:
    return rf"{letter[0].replace('.', '[^ ]')} ?"


_PATTERNS = [(verdict, _compiled(rule)) for verdict, rule in _RULES]


def read(text: str) -> Reading:
    """Understand a text; never raises."""
    folded = fold(text)
    if not folded.fold:
        return Reading("", (), Verdict.UNKNOWN if _has_symbol(text) else Verdict.EMPTY)
    verdict, end = _verdict(folded.fold)
    note = None
    if verdict is Verdict.REGISTER and end < len(folded.fold):
        note = text[folded.origins[end] :].strip()
    return Reading(folded.fold, folded.tokens, verdict, note)


def subscriber(digits: str, ton: int) -> str | None:
    """The number of a sender that may be answered, E.164.

    None for a short code, a word, or a number not of Vietnam.
    """
    if ton == _ALPHANUMERIC or _NUMBER.fullmatch(digits) is None:
        return None
    try:
        return parse_msisdn(digits)
    except BadNumber:
        return None


def _verdict(folded: str) -> tuple[Verdict, int]:
    """The verdict on a fold, and where in it the keyword ends."""
    for verdict, pattern in _PATTERNS:
        if found := pattern.match(folded):
            return verdict, found.end()
    return Verdict.UNKNOWN, 0


def _has_symbol(text: str) -> bool:
    """An emoji is a text that wants an answer; a lone full stop is not."""
    return any(unicodedata.category(character).startswith("S") for character in text)
