"""What the law wants of an invitation's words, and what they cost. Pure; domain.md §6."""

import unicodedata
from dataclasses import dataclass

from domain.folding import fold
from domain.states import Purpose
from sms import keywords
from sms.keywords import SHORT_CODE, Verdict
from sms.segments import MOST_PARTS, Alphabet, LongStyle, count

MARK = "[QC]"
"""What an advertisement begins with (Decree 91/2020)."""
_HOW = "soan TC gui 9231"
_WRITE = "SOAN"
_PLAIN = str.maketrans(
    {"đ": "d", "Đ": "D", "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."}
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What the texts that are still to be sent come to; `price` is in VND."""

    alphabet: Alphabet
    characters: int
    segments_each: int
    numbers: int
    segments: int
    price: float


def fault(text: str, purpose: str | None) -> str | None:
    """What keeps these words from being sent for this purpose, or None."""
    parts = count(text).parts
    if parts > MOST_PARTS:
        return f"the text needs {parts} parts, {MOST_PARTS} are allowed"
    if purpose != Purpose.ADVERTISING:
        return None
    if not text.startswith(MARK):
        return f"an advertising text must begin with {MARK}"
    if not _ends_with_refusal(text):
        return f'an advertising text must end with how to refuse, such as "{_HOW}"'
    return None


def cost(text: str, style: LongStyle, numbers: int, price_per_segment: float) -> Cost:
    """What one text to each of so many numbers comes to."""
    size = count(text, style)
    segments = size.parts * numbers
    return Cost(
        size.alphabet, size.units, size.parts, numbers, segments, segments * price_per_segment
    )


def plain(text: str) -> str:
    """The same words without diacritics and typographic signs: 160 fit a segment instead of 70."""
    decomposed = unicodedata.normalize("NFD", text.translate(_PLAIN))
    kept = (letter for letter in decomposed if not unicodedata.category(letter).startswith("M"))
    return unicodedata.normalize("NFC", "".join(kept))


def _ends_with_refusal(text: str) -> bool:
    """Whether the last thing it says to write, to our short code, is taken as a refusal."""
    folded = fold(text)
    at = folded.fold.rfind(_WRITE)
    if at < 0 or not folded.fold.endswith(SHORT_CODE):
        return False
    return keywords.read(text[folded.origins[at] :]).verdict is Verdict.OPT_OUT
