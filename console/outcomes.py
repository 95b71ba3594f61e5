"""The outcomes as the desk offers them: the most frequent first, the first nine with keys. Pure."""

from dataclasses import dataclass

from domain.callbacks import LEADS_TO, Next, Outcome, outcomes_of
from domain.states import CallbackKind

_BY_FREQUENCY = (
    Outcome.CONFIRMED,
    Outcome.ADVISED,
    Outcome.NO_ANSWER,
    Outcome.BUSY,
    Outcome.SWITCHED_OFF,
    Outcome.CALL_LATER,
    Outcome.REFUSED,
    Outcome.WRONG_NUMBER,
    Outcome.NOT_THE_USER,
    Outcome.WILL_GO_TO_SHOP,
    Outcome.HAS_4G_SIM,
    Outcome.OUTSIDE_AREA,
)
_MOST_KEYS = 9


@dataclass(frozen=True, slots=True)
class Choice:
    """A button; `key` is empty for those past the ninth."""

    outcome: Outcome
    key: str
    leads: Next


def choices(kind: CallbackKind) -> list[Choice]:
    """What a call-back of this kind may come to."""
    possible = set(outcomes_of(kind))
    offered = [outcome for outcome in _BY_FREQUENCY if outcome in possible]
    return [
        Choice(outcome, str(number) if number <= _MOST_KEYS else "", LEADS_TO[outcome])
        for number, outcome in enumerate(offered, 1)
    ]
