"""What an agent's call to a subscriber may come to, and where each result leads. Pure.

The outcomes are domain.md §9; `advised` is ours, for the calls that key 3 asked for.
"""

from enum import StrEnum

from domain.states import CallbackKind, CallbackState

MAY_BECOME: dict[CallbackState, frozenset[CallbackState]] = {
    CallbackState.OPEN: frozenset(
        {CallbackState.CLAIMED, CallbackState.UNREACHABLE, CallbackState.CANCELLED}
    ),
    CallbackState.CLAIMED: frozenset(
        {CallbackState.OPEN, CallbackState.DONE, CallbackState.CANCELLED}
    ),
    CallbackState.DONE: frozenset(),
    CallbackState.UNREACHABLE: frozenset(),
    CallbackState.CANCELLED: frozenset(),
}
"""The legal moves of a call-back; a trigger in the database holds every writer to them."""


class Outcome(StrEnum):
    """What an agent records of a call-back, as stored. Add values, never rename one."""

    CONFIRMED = "confirmed"
    ADVISED = "advised"
    CALL_LATER = "call_later"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    SWITCHED_OFF = "switched_off"
    WRONG_NUMBER = "wrong_number"
    NOT_THE_USER = "not_the_user"
    REFUSED = "refused"
    HAS_4G_SIM = "has_4g_sim"
    OUTSIDE_AREA = "outside_area"
    WILL_GO_TO_SHOP = "will_go_to_shop"


class Next(StrEnum):
    """Where an outcome leads."""

    DONE = "done"  # the visit, or nothing more
    ENDED = "ended"  # done, and the registration with it: there will be no visit
    RETRY = "retry"  # again after a pause, until the attempts are used up
    LATER = "later"  # at the moment the subscriber asked for


LEADS_TO: dict[Outcome, Next] = {
    Outcome.CONFIRMED: Next.DONE,
    Outcome.ADVISED: Next.DONE,
    Outcome.CALL_LATER: Next.LATER,
    Outcome.NO_ANSWER: Next.RETRY,
    Outcome.BUSY: Next.RETRY,
    Outcome.SWITCHED_OFF: Next.RETRY,
    Outcome.WRONG_NUMBER: Next.ENDED,
    Outcome.NOT_THE_USER: Next.ENDED,
    Outcome.REFUSED: Next.ENDED,
    Outcome.HAS_4G_SIM: Next.ENDED,
    Outcome.OUTSIDE_AREA: Next.ENDED,
    Outcome.WILL_GO_TO_SHOP: Next.ENDED,
}
RETRIED: frozenset[Outcome] = frozenset(
    outcome for outcome, leads in LEADS_TO.items() if leads is Next.RETRY
)
"""What says that the subscriber was not reached."""

_ONLY_FOR = {Outcome.CONFIRMED: CallbackKind.CONFIRM, Outcome.ADVISED: CallbackKind.ADVICE}


def outcomes_of(kind: CallbackKind) -> tuple[Outcome, ...]:
    """The outcomes that a call-back of this kind can have, in the order they are offered."""
    return tuple(outcome for outcome in Outcome if _ONLY_FOR.get(outcome, kind) is kind)
