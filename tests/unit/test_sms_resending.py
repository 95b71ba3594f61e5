"""What becomes of a PDU after the SMSC's answer."""

from datetime import timedelta

import pytest

from domain.states import PostKind
from sms.esme.listener import Accepted, Lost, Refused, Unanswered
from sms.pdu import codes
from sms.resending import outcome_of
from store import outcomes
from store.outbox import Outgoing
from tests.rows import NOW


def sent(tries: int = 1) -> Outgoing:
    return Outgoing(7, 7, 1, 1, "+84901234567", "9231", PostKind.REPLY, b"", 0, 0, (), tries)


def again_after(status: int, tries: int = 1) -> timedelta | None:
    outcome = outcome_of(sent(tries), Refused(status), NOW)
    assert isinstance(outcome, outcomes.Refused)
    assert (outcome.id, outcome.tries, outcome.status) == (7, tries, status)
    return None if outcome.again_at is None else outcome.again_at - NOW


def test_taken() -> None:
    assert outcome_of(sent(), Accepted("ab", {}), NOW) == outcomes.Sent(7, "ab", NOW)


@pytest.mark.parametrize("told", [Unanswered(), Lost()])
def test_nobody_knows(told: Unanswered | Lost) -> None:
    assert outcome_of(sent(2), told, NOW) == outcomes.Unknown(7, 2, NOW)


def test_throttled_goes_again_as_soon_as_the_bind_does() -> None:
    assert again_after(codes.ESME_RTHROTTLED, 50) == timedelta(0)
    assert again_after(codes.ESME_RTHROTTLED, 100) is None


def test_a_full_queue_five_times() -> None:
    waits = [again_after(codes.ESME_RMSGQFUL, tries) for tries in range(1, 6)]
    assert waits == [*(timedelta(seconds=2**tries) for tries in range(1, 5)), None]


def test_a_temporary_fault_eight_times_and_never_slower_than_five_minutes() -> None:
    waits = [again_after(codes.ESME_RX_T_APPN, tries) for tries in range(1, 9)]
    assert waits[:2] == [timedelta(seconds=2), timedelta(seconds=4)]
    assert waits[-1] is None


def test_a_permanent_fault_ends_it() -> None:
    assert again_after(0x0B) is None
