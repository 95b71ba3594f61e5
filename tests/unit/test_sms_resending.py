"""What becomes of a PDU after the SMSC's answer."""

from datetime import timedelta

import pytest

from domain.states import PostKind
from sms.esme.listener import Accepted, Lost, Refused, Unanswered
from sms.pdu import codes
from sms.resending import TRY_FOR, outcome_of
from store import outcomes
from store.outbox import Outgoing
from tests.rows import NOW

TEMPORARY = [
    codes.ESME_RMSGQFUL,
    codes.ESME_RSYSERR,
    codes.ESME_RX_T_APPN,
    codes.ESME_RINVBNDSTS,
]
HOUR = timedelta(hours=1)


def sent(tries: int = 1, age: timedelta = timedelta(0)) -> Outgoing:
    posted_at = NOW - age
    return Outgoing(
        *(7, 7, 1, 1, "+84901234567", "9231", PostKind.REPLY, posted_at, b"", 0, 0, (), tries)
    )


def again_after(status: int, tries: int = 1, age: timedelta = timedelta(0)) -> timedelta | None:
    outcome = outcome_of(sent(tries, age), Refused(status), NOW)
    assert isinstance(outcome, outcomes.Refused)
    assert (outcome.id, outcome.tries, outcome.status) == (7, tries, status)
    return None if outcome.again_at is None else outcome.again_at - NOW


def test_taken() -> None:
    assert outcome_of(sent(), Accepted("ab", {}), NOW) == outcomes.Sent(7, "ab", NOW)


@pytest.mark.parametrize("told", [Unanswered(), Lost()])
def test_nobody_knows(told: Unanswered | Lost) -> None:
    assert outcome_of(sent(2), told, NOW) == outcomes.Unknown(7, 2, NOW)


def test_throttled_goes_again_as_soon_as_the_bind_does() -> None:
    assert again_after(codes.ESME_RTHROTTLED, 5000, HOUR) == timedelta(0)
    assert again_after(codes.ESME_RTHROTTLED, 5000, 24 * HOUR) is None


@pytest.mark.parametrize("status", TEMPORARY)
def test_a_text_that_was_throttled_often_outlives_another_refusal(status: int) -> None:
    waits = again_after(status, tries=50, age=timedelta(seconds=60))
    assert waits == timedelta(seconds=30)


@pytest.mark.parametrize("status", TEMPORARY)
def test_a_temporary_refusal_is_tried_for_a_day_ever_more_seldom(status: int) -> None:
    age, waits = timedelta(0), list[timedelta]()
    while (wait := again_after(status, len(waits) + 1, age)) is not None:
        waits.append(wait)
        age += wait
    assert waits[:3] == [timedelta(seconds=2)] * 3
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(minutes=15)
    assert age - waits[-1] < TRY_FOR <= age
    assert len(waits) < 120


@pytest.mark.parametrize("status", [*TEMPORARY, codes.ESME_RTHROTTLED])
def test_the_first_refusal_does_not_end_what_waited_long_for_a_link(status: int) -> None:
    waits = again_after(status, age=72 * HOUR)
    assert waits is not None
    assert waits <= timedelta(seconds=2)
    assert again_after(status, 8, 72 * HOUR) is None


def test_no_number_of_tries_is_too_large_for_its_column() -> None:
    assert again_after(codes.ESME_RTHROTTLED, 10_000) is None
    assert again_after(codes.ESME_RSYSERR, 9_999) is not None


def test_a_permanent_fault_ends_it() -> None:
    assert again_after(0x0B) is None
