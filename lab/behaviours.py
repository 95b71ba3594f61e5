"""How the simulated subscribers behave, by the last two digits of the number dialled. Pure.

One table for all who need it: the carrier's dialplan is made from it, the demo and the tests check
each number's outcome against it. What the keys mean is the call script's affair (domain.md §3).
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.dispositions import Disposition


class Pause(StrEnum):
    """How long a subscriber waits before a key: names of `Timing`'s fields."""

    THINK = "think_seconds"  # hears the offer out
    BARGE = "barge_seconds"  # while the first prompt speaks


@dataclass(frozen=True)
class Timing:
    """How fast the subscribers are; all in seconds."""

    ring_seconds: float = 2.0
    think_seconds: float = 12.0
    barge_seconds: float = 2.0
    leave_seconds: float = 4.0


NATURAL = Timing()
FAST = Timing(ring_seconds=0.2, think_seconds=0.8, barge_seconds=0.4, leave_seconds=0.8)


@dataclass(frozen=True)
class Reject:
    """The carrier's refusal: the Q.850 cause it gives and the SIP status it answers with."""

    cause: int
    sip: int


@dataclass(frozen=True)
class Behaviour:
    """What a subscriber does, and what must stand in the store once the attempt has ended."""

    name: str
    codes: range  # the last two digits of the numbers that behave so
    disposition: Disposition
    presses: tuple[tuple[Pause, str], ...] = ()
    leaves: bool = False  # hangs up by itself after the last key, else waits for us to
    reject: Reject | None = None
    registration: bool = False
    advice: bool = False

    @property
    def keys(self) -> str:
        """The keys pressed, in order."""
        return "".join(digit for _, digit in self.presses)

    @property
    def answers(self) -> bool:
        """Whether the call is answered."""
        return self.disposition is Disposition.ANSWERED


_ANSWERED = Disposition.ANSWERED
_THINK, _BARGE = Pause.THINK, Pause.BARGE

BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("press-1", range(30), _ANSWERED, ((_THINK, "1"),), registration=True),
    Behaviour(
        "press-2-then-1",
        range(30, 35),
        _ANSWERED,
        ((_THINK, "2"), (_THINK, "1")),
        registration=True,
    ),
    Behaviour("press-3", range(35, 40), _ANSWERED, ((_THINK, "3"),), advice=True),
    Behaviour("silent", range(40, 47), _ANSWERED),
    Behaviour("wrong-key", range(47, 50), _ANSWERED, ((_THINK, "7"),)),
    Behaviour(
        "wrong-key-then-1",
        range(50, 53),
        _ANSWERED,
        ((_THINK, "7"), (_THINK, "1")),
        registration=True,
    ),
    Behaviour("barge-1", range(53, 58), _ANSWERED, ((_BARGE, "1"),), registration=True),
    Behaviour("hang-up-early", range(58, 63), _ANSWERED, leaves=True),
    Behaviour(
        "press-1-and-leave",
        range(63, 67),
        _ANSWERED,
        ((_THINK, "1"),),
        leaves=True,
        registration=True,
    ),
    Behaviour("busy", range(67, 75), Disposition.BUSY, reject=Reject(17, 486)),
    Behaviour("no-answer", range(75, 84), Disposition.NO_ANSWER),
    Behaviour("switched-off", range(84, 91), Disposition.UNREACHABLE, reject=Reject(20, 480)),
    Behaviour("invalid", range(91, 94), Disposition.INVALID_NUMBER, reject=Reject(1, 404)),
    Behaviour("congestion", range(94, 97), Disposition.CONGESTION, reject=Reject(34, 503)),
    Behaviour("rejected", range(97, 100), Disposition.REJECTED, reject=Reject(21, 603)),
)

_BY_CODE = {code: behaviour for behaviour in BEHAVIOURS for code in behaviour.codes}
_BY_NAME = {behaviour.name: behaviour for behaviour in BEHAVIOURS}


def behaviour_of(number: str) -> Behaviour:
    """The behaviour of a dialled number, in any form that ends with its last two digits."""
    return _BY_CODE[int(number[-2:])]


def numbers_for(name: str, count: int = 1, start: int = 0) -> list[str]:
    """`count` different +84 mobile numbers that behave like `name`; `start` shifts the block.

    Raises KeyError for an unknown name.
    """
    codes = _BY_NAME[name].codes
    return [
        f"+8490{start + index // len(codes):05d}{codes[index % len(codes)]:02d}"
        for index in range(count)
    ]
