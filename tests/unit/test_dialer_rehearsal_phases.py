"""Rehearsals of places whose phase closes within the hours: dialled before, not after. Pure."""

from dataclasses import replace

import pytest

from dialer.rehearsal import rehearse
from dialer.retry import RetryRule
from domain.calendar import Calendar, Window
from domain.dispositions import Disposition
from tests.unit.test_dialer_rehearsal import EIGHT, NOBODY_ANSWERS, RULES, agents, seconds


def test_who_is_due_after_the_phase_of_his_place_is_not_dialled() -> None:
    """Dialled at 1, 2, 3 s; two places close after a minute, before the retries from 120 s on."""
    audience = {(0, 0, 1): 2, (0, 0, 3): 1}
    told = rehearse(RULES, audience, NOBODY_ANSWERS, agents(), start=EIGHT, hours=1, seed=1)
    assert (told.done, told.waiting, told.closed) == (1, 0, 2)
    assert sum(hour.calls for hour in told.hours) == 4
    assert seconds(told.finished_at) == pytest.approx(150, abs=1)


def test_whom_the_rate_does_not_reach_before_the_phase_closes_stays() -> None:
    """A call a second for two minutes; of 200 those who wait behind are not dialled at all."""
    once = replace(RULES, max_attempts=1, max_channels=100)
    audience = {(0, 0, 2): 200}
    told = rehearse(once, audience, NOBODY_ANSWERS, agents(), start=EIGHT, hours=1, seed=1)
    assert told.done == sum(hour.calls for hour in told.hours) == pytest.approx(119, abs=1)
    assert (told.waiting, told.closed) == (0, 200 - told.done)


def test_what_closes_while_the_window_is_shut_is_closed_at_the_end() -> None:
    short = replace(
        RULES, max_attempts=1, max_channels=100, calendar=Calendar([Window.parse("08:00-08:01")])
    )
    audience = {(0, 0, 16 * 60): 100}
    told = rehearse(short, audience, NOBODY_ANSWERS, agents(), start=EIGHT, hours=48, seed=1)
    assert told.done == pytest.approx(59, abs=1)
    assert (told.waiting, told.closed) == (0, 100 - told.done)


def test_who_would_be_due_after_both_the_close_and_the_end_waits_for_nothing() -> None:
    patient = {Disposition.NO_ANSWER: RetryRule(max=1, delay_seconds=7200)}
    rules, audience = replace(RULES, retry=patient), {(0, 0, 30): 3}
    told = rehearse(rules, audience, NOBODY_ANSWERS, agents(), start=EIGHT, hours=1, seed=1)
    assert (told.done, told.waiting, told.closed) == (0, 0, 3)
    assert seconds(told.finished_at) == 30 * 60
