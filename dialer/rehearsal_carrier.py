"""The carrier of a rehearsal: how subscribers answer, and how long each kind of call is. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from domain.dispositions import Disposition
from domain.errors import InputError


class Reaction(StrEnum):
    """What a subscriber does who picks up."""

    LISTENS = "listens"
    KEY_1 = "key_1"
    KEY_3 = "key_3"


Ending = tuple[Disposition, Reaction | None]
"""How a call came out; a reaction where it was answered."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares from 0 to 1: keys are of the calls answered, the others of all dials.

    What is left of the dials rings until the time-out.
    """

    answer: float = 0.40
    key_1: float = 0.10
    key_3: float = 0.03
    busy: float = 0.10
    off: float = 0.15
    invalid: float = 0.02
    congestion: float = 0.01

    def __post_init__(self) -> None:
        for names in (("answer", "busy", "off", "invalid", "congestion"), ("key_1", "key_3")):
            shares = [getattr(self, name) for name in names]
            if min(shares) < 0 or sum(shares) > 1 + 1e-9:
                words = " + ".join(f"{name.replace('_', '-')}-rate" for name in names)
                raise InputError(f"each of {words} must be from 0 to 1, and so must be their sum")


@dataclass(frozen=True, slots=True)
class Lengths:
    """Seconds that a call holds its channel; `talk` is with an agent after key 3."""

    picked_up: float = 8.0
    listening: float = 40.0
    key_1: float = 30.0
    key_3: float = 30.0
    talk: float = 180.0
    refused: float = 3.0


def endings(rates: Rates) -> dict[Ending, float]:
    """The share of all dials that come out so; together 1."""
    answered: dict[Ending, float] = {
        (Disposition.ANSWERED, Reaction.KEY_1): rates.answer * rates.key_1,
        (Disposition.ANSWERED, Reaction.KEY_3): rates.answer * rates.key_3,
        (Disposition.ANSWERED, Reaction.LISTENS): rates.answer * (1 - rates.key_1 - rates.key_3),
    }
    missed: dict[Ending, float] = {
        (Disposition.BUSY, None): rates.busy,
        (Disposition.UNREACHABLE, None): rates.off,
        (Disposition.INVALID_NUMBER, None): rates.invalid,
        (Disposition.CONGESTION, None): rates.congestion,
    }
    left = max(0.0, 1 - sum(answered.values()) - sum(missed.values()))
    return {**answered, **missed, (Disposition.NO_ANSWER, None): left}


def bounds_of(shares: dict[Ending, float]) -> tuple[list[float], list[Ending]]:
    """The upper bounds of the shares, for `bisect` with a number from 0 to 1; and what each is."""
    kinds = [ending for ending, share in shares.items() if share > 0]
    bounds = list(accumulate(shares[ending] for ending in kinds))
    bounds[-1] = 1.0
    return bounds, kinds


def mean_seconds(rates: Rates, lengths: Lengths, ring_timeout_seconds: float) -> float:
    """How long a dial holds its channel on average, but for what follows key 3."""
    return sum(
        share * seconds_of(ending, lengths, ring_timeout_seconds)
        for ending, share in endings(rates).items()
    )


def seconds_of(ending: Ending, lengths: Lengths, ring_timeout_seconds: float) -> float:
    """How long the channel is held, but for what follows key 3."""
    match ending:
        case Disposition.NO_ANSWER, _:
            return ring_timeout_seconds
        case _, Reaction.KEY_1:
            return lengths.picked_up + lengths.key_1
        case _, Reaction.KEY_3:
            return lengths.picked_up + lengths.key_3
        case _, Reaction.LISTENS:
            return lengths.picked_up + lengths.listening
        case _:
            return lengths.refused
