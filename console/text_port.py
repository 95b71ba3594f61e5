"""What the pages of text campaigns need of the texts' side: size, price, accounts, finish. Pure.

`runtime.text_wiring` joins the port to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class TextCost:
    """A text in its alphabet, and what it comes to for so many numbers; prices are in VND.

    `price_each` is 0 where no price is set.
    """

    alphabet: str
    characters: int
    segments_each: int
    numbers: int
    price_each: float

    @property
    def segments(self) -> int:
        """To all numbers."""
        return self.segments_each * self.numbers

    @property
    def price(self) -> float:
        """To all numbers."""
        return self.price_each * self.numbers


class TextControl(Protocol):
    """The texts' side."""

    def accounts(self) -> Sequence[str]:
        """The SMSC accounts of this server. Raises ConfigError where their file makes no sense."""

    def cost(self, text: str, account: str, numbers: int) -> TextCost:
        """What a text by this account comes to, for so many numbers."""

    def plain(self, text: str) -> str:
        """The same words without diacritics, so that a segment holds more of them."""

    def finishes_at(self, knobs: Mapping[str, Any], numbers: int, now: datetime) -> datetime | None:
        """When so many texts are out at the rate and in the windows; None for not within a year."""
