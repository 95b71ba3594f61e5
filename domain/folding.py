"""A text reduced to its words: no case, marks, spacing, punctuation or hidden characters. Pure.

domain.md §8: NFKC, no format characters, đ is d, no marks, upper case, tokens of letters or digits.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_D = str.maketrans("ĐÐ", "DD")
_DROPPED = ("M", "Cf")
"""Categories that part no word: marks, and format characters (zero-width ones)."""


@dataclass(frozen=True, slots=True)
class Folded:
    """`fold`: the tokens with one space between. `origins`: where in the text each of it began."""

    fold: str
    origins: list[int]

    @property
    def tokens(self) -> tuple[str, ...]:
        """Runs of letters and runs of digits, each a token of its own."""
        return tuple(self.fold.split())

    @property
    def solid(self) -> str:
        """The tokens with nothing between."""
        return self.fold.replace(" ", "")


def fold(text: str) -> Folded:
    """Fold any text; never raises."""
    folded: list[str] = []
    origins: list[int] = []
    parted = False
    for at, character in enumerate(text):
        for letter in _letters(character):
            if not letter.isalnum():
                parted = True
                continue
            if folded and (parted or letter.isalpha() != folded[-1].isalpha()):
                folded.append(" ")
                origins.append(at)
            folded.append(letter)
            origins.append(at)
            parted = False
    return Folded("".join(folded), origins)


@lru_cache(maxsize=4096)
def _letters(character: str) -> str:
    """What one character of a text is to the fold: any number of letters, or what parts words."""
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", character)
        if not unicodedata.category(letter).startswith(_DROPPED)
    )
    return plain.upper().translate(_D)
