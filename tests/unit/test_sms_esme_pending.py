"""Sequence numbers and the submits that wait under them; the verdict on silence. Pure."""

from sms.esme.pending import LAST_SEQUENCE, MOST_GIVEN_UP, Pending
from sms.esme.pulse import Pulse, Verdict


def test_numbers_run_from_one_to_the_last_and_begin_again() -> None:
    assert [Pending().number() for _ in range(2)] == [1, 1]
    pending = Pending(LAST_SEQUENCE - 1)
    assert [pending.number() for _ in range(4)] == [LAST_SEQUENCE - 1, LAST_SEQUENCE, 1, 2]


def test_numbers_in_use_are_passed_over_also_where_they_begin_again() -> None:
    pending = Pending(LAST_SEQUENCE)
    for sequence in (LAST_SEQUENCE, 1, 2, 4):
        pending.add(sequence, sequence * 10, 0.0)
    assert [pending.number() for _ in range(3)] == [3, 5, 6]


def test_each_is_taken_once() -> None:
    pending = Pending()
    pending.add(7, 70, 1.0)
    assert pending.take(8) is None
    assert pending.take(7) == 70
    assert pending.take(7) is None
    assert len(pending) == 0


def test_only_those_whose_time_is_up_expire_oldest_first() -> None:
    pending = Pending(LAST_SEQUENCE)
    for ref in range(4):
        pending.add(pending.number(), ref, 10.0 + ref)
    assert pending.expired(9.9) == []
    assert pending.expired(11.0) == [0, 1]
    assert pending.expired(11.0) == []
    pending.postpone(5.0)
    assert pending.expired(16.9) == []
    assert pending.all() == [2, 3]
    assert pending.all() == []


def test_a_late_answer_finds_its_submit_once() -> None:
    pending = Pending()
    for ref in (10, 20, 30):
        pending.add(pending.number(), ref, 1.0)
    assert pending.take_late(2) is None  # it is not late yet
    assert pending.expired(1.0) == [10, 20, 30]
    assert [pending.take(2), pending.take_late(2), pending.take_late(2)] == [None, 20, None]
    pending.add(3, 40, 2.0)  # the numbers have begun again: this answer would be the new one's
    assert [pending.take(3), pending.take_late(3)] == [40, None]
    assert pending.take_late(1) == 10


def test_only_the_latest_that_were_given_up_are_remembered() -> None:
    pending = Pending()
    for sequence in range(MOST_GIVEN_UP + 10):
        pending.add(sequence, -sequence, 1.0)
        pending.expired(1.0)
    assert pending.take_late(9) is None
    assert pending.take_late(10) == -10
    assert pending.take_late(MOST_GIVEN_UP + 9) == -MOST_GIVEN_UP - 9


def test_silence_is_asked_about_once_and_then_judged() -> None:
    pulse = Pulse(30.0, 10.0, 0.0)
    seen = [(at, pulse.check(at)) for at in (29.9, 30.0, 35.0, 39.9, 40.0)]
    assert [verdict for _, verdict in seen] == [
        Verdict.ALIVE,
        Verdict.ASK,
        Verdict.ALIVE,
        Verdict.ALIVE,
        Verdict.DEAD,
    ]


def test_anything_heard_begins_anew() -> None:
    pulse = Pulse(30.0, 10.0, 0.0)
    assert pulse.check(30.0) is Verdict.ASK
    pulse.heard(39.0)
    assert pulse.check(68.9) is Verdict.ALIVE
    assert pulse.check(69.0) is Verdict.ASK


def test_time_that_does_not_count_is_left_out() -> None:
    pulse = Pulse(30.0, 10.0, 0.0)
    pulse.postpone(100.0)
    assert pulse.check(129.9) is Verdict.ALIVE
    assert pulse.check(130.0) is Verdict.ASK
    pulse.postpone(100.0)
    assert pulse.check(239.9) is Verdict.ALIVE
    assert pulse.check(240.0) is Verdict.DEAD
