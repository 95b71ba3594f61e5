"""The legal moves of a call-back, and where each outcome leads."""

from domain.callbacks import LEADS_TO, MAY_BECOME, RETRIED, Next, Outcome, outcomes_of
from domain.states import CallbackKind, CallbackState

FINAL = {CallbackState.DONE, CallbackState.UNREACHABLE, CallbackState.CANCELLED}


def test_every_state_has_its_moves_and_final_ones_have_none() -> None:
    assert set(MAY_BECOME) == set(CallbackState)
    assert {state for state, moves in MAY_BECOME.items() if not moves} == FINAL
    assert all(state not in moves for state, moves in MAY_BECOME.items())


def test_every_outcome_leads_somewhere() -> None:
    assert set(LEADS_TO) == set(Outcome)
    assert set(LEADS_TO.values()) == set(Next)
    assert {Outcome.NO_ANSWER, Outcome.BUSY, Outcome.SWITCHED_OFF} == RETRIED


def test_each_kind_has_its_own_good_end() -> None:
    confirm = set(outcomes_of(CallbackKind.CONFIRM))
    advice = set(outcomes_of(CallbackKind.ADVICE))
    assert confirm ^ advice == {Outcome.CONFIRMED, Outcome.ADVISED}
    assert confirm | advice == set(Outcome)
