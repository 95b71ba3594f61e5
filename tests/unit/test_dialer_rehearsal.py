"""Rehearsals: a small one by hand; no rule broken in any; one seed, one result. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer import rehearsal_promises
from dialer.forecast import Staff
from dialer.rehearsal import Audience, Rules, _Run, rehearse
from dialer.rehearsal_agents import Agents
from dialer.rehearsal_carrier import Lengths, Rates, Reaction
from dialer.rehearsal_promises import promises
from dialer.rehearsal_targets import History, Targets
from dialer.retry import DEFAULT_RULES, RetryRule
from domain.calendar import Calendar, Window
from domain.dispositions import Disposition
from domain.errors import InputError

EIGHT = datetime(2021, 4, 1, 1, 0, tzinfo=UTC)
"""08:00 in Vietnam, a Thursday."""
ALL_DAY = Calendar([Window.parse("00:00-24:00")], call_on_holidays=True)
NOBODY_ANSWERS = Rates(answer=0, busy=0, off=0, invalid=0, congestion=0)
ALL_PRESS_3 = Rates(answer=1, key_1=0, key_3=1, busy=0, off=0, invalid=0, congestion=0)
RULES = Rules(
    cps=1.0,
    max_channels=10,
    max_attempts=2,
    ring_timeout_seconds=30,
    retry={Disposition.NO_ANSWER: RetryRule(max=1, delay_seconds=60)},
    calendar=Calendar([Window.parse("08:00-17:00")]),
)


def agents(count: int = 0, hours: Calendar = ALL_DAY, start: datetime = EIGHT) -> Agents:
    return Agents(count, hours, start, wait_seconds=60, talk_seconds=180)


def new(count: int) -> Audience:
    """So many targets that are due and never close."""
    return {(0, 0, None): count}


def seconds(moment: datetime | None, since: datetime = EIGHT) -> float:
    assert moment is not None
    return (moment - since).total_seconds()


def test_three_targets_by_hand() -> None:
    """Dialled at 1, 2, 3 s, rung out 30 s later, again from 120 s (the full minute after 91) on."""
    told = rehearse(RULES, new(3), NOBODY_ANSWERS, agents(), start=EIGHT, hours=1, seed=1)
    assert seconds(told.finished_at) == pytest.approx(152, abs=0.01)
    assert (told.done, told.waiting, told.most_attempts) == (3, 0, 2)
    [hour] = told.hours
    assert (hour.at, hour.calls, hour.answered, hour.channels) == (EIGHT, 6, 0, 3)


def test_a_retry_waits_for_the_next_window() -> None:
    short = replace(RULES, calendar=Calendar([Window.parse("08:00-08:01")]))
    told = rehearse(short, new(3), NOBODY_ANSWERS, agents(), start=EIGHT, hours=48, seed=1)
    assert seconds(told.finished_at, EIGHT + timedelta(days=1)) == pytest.approx(32, abs=0.01)
    assert [hour.calls for hour in told.hours] == [3, 3]


def test_channels_hold_up_what_the_rate_would_allow() -> None:
    """One channel: the second call begins when the first has rung out, at 31 s."""
    narrow = replace(RULES, max_channels=1, max_attempts=1)
    told = rehearse(narrow, new(2), NOBODY_ANSWERS, agents(), start=EIGHT, hours=1, seed=1)
    assert seconds(told.finished_at) == pytest.approx(61, abs=0.01)
    [hour] = told.hours
    assert hour.channels == 1


def test_the_servers_own_limit_holds_too() -> None:
    slow = replace(RULES, max_attempts=1, ceilings=[(0.1, 10)])
    told = rehearse(slow, new(2), NOBODY_ANSWERS, agents(), start=EIGHT, hours=1, seed=1)
    assert seconds(told.finished_at) == pytest.approx(50, abs=0.01)  # at 10 s and 20 s, 30 s each


def test_a_closed_server_dials_nobody() -> None:
    closed = replace(RULES, ceilings=[(1.0, 0)])
    told = rehearse(closed, new(2), NOBODY_ANSWERS, agents(), start=EIGHT, hours=48, seed=1)
    assert (told.finished_at, told.done, told.waiting) == (None, 0, 2)


def test_one_agent_takes_one_of_three_who_press_3() -> None:
    """They ask at 39, 40 and 41 s; the agent is free again at 219 s, nobody waits so long."""
    told = rehearse(RULES, new(3), ALL_PRESS_3, agents(1), start=EIGHT, hours=1, seed=1)
    assert sum(told.talks.values()) == 1
    assert sum(told.promised.values()) == 2


def test_who_waits_not_too_long_is_taken_next() -> None:
    quick = Agents(1, ALL_DAY, EIGHT, wait_seconds=60, talk_seconds=20)
    told = rehearse(RULES, new(3), ALL_PRESS_3, quick, start=EIGHT, hours=1, seed=1)
    assert (sum(told.talks.values()), sum(told.promised.values())) == (3, 0)


def test_outside_their_hours_no_agent_comes() -> None:
    night = Calendar([Window.parse("20:00-21:00")])
    told = rehearse(RULES, new(3), ALL_PRESS_3, agents(9, night), start=EIGHT, hours=1, seed=1)
    assert (sum(told.talks.values()), sum(told.promised.values())) == (0, 3)


def test_rates_that_make_no_sense_are_refused() -> None:
    for wrong in ({"answer": 0.9, "busy": 0.2}, {"key_1": -0.1}, {"key_1": 0.9, "key_3": 0.2}):
        with pytest.raises(InputError, match="-rate must be from 0 to 1"):
            Rates(**wrong)


class SeenTargets(Targets):
    """Tells when which of them are dialled, and when their places close."""

    def __init__(self, rules: Rules, clock: Callable[[], float]) -> None:
        super().__init__(rules.retry, rules.max_attempts, rules.apart_seconds)
        self.dialled: list[tuple[float, int | None]] = []
        self._clock = clock

    def take(self, count: int) -> list[tuple[History, int]]:
        taken = super().take(count)
        self.dialled += [(self._clock(), history[2]) for history, _ in taken]
        return taken


class Watched(_Run):
    """Tells of every moment at which calls start."""

    targets: SeenTargets

    def __post_init__(self) -> None:
        super().__post_init__()
        self.targets = SeenTargets(self.rules, lambda: self.now)
        self.seen: list[tuple[float, int, int]] = []

    def _dial(self, count: int) -> None:
        super()._dial(count)
        self.seen.append((self.now, count, self.in_use))


windows = st.sampled_from(
    [["08:00-17:00"], ["00:00-24:00"], ["mon-fri 08:00-08:07", "13:30-13:31"], ["sun 09:00-09:02"]]
)
rates = st.builds(
    Rates,
    answer=st.floats(0, 0.5),
    key_1=st.floats(0, 0.5),
    key_3=st.floats(0, 0.5),
    busy=st.floats(0, 0.2),
    off=st.floats(0, 0.1),
    invalid=st.floats(0, 0.1),
    congestion=st.floats(0, 0.1),
)


@settings(max_examples=60, deadline=None)
@given(
    windows=windows,
    rates=rates,
    cps=st.floats(0.05, 60),
    channels=st.integers(1, 40),
    attempts=st.integers(1, 5),
    audience=st.dictionaries(
        st.tuples(st.just(0), st.integers(0, 3000), st.none() | st.integers(0, 3000)),
        st.integers(1, 200),
        min_size=1,
        max_size=4,
    ),
    staff=st.integers(0, 3),
    begins=st.integers(0, 7 * 24 * 3600),
    hours=st.floats(0.1, 60),
    seed=st.integers(0, 99),
)
def test_no_rule_is_broken(
    windows: list[str],
    rates: Rates,
    cps: float,
    channels: int,
    attempts: int,
    audience: Audience,
    staff: int,
    begins: int,
    hours: float,
    seed: int,
) -> None:
    start = EIGHT + timedelta(seconds=begins)
    calendar = Calendar([Window.parse(window) for window in windows])
    rules = Rules(cps, channels, attempts, 30, DEFAULT_RULES, calendar)
    run = Watched(
        rules, rates, Lengths(), agents(staff, start=start), start, hours * 3600, Random(seed)
    )
    for history, count in audience.items():
        run.targets.expect((history[0], (), history[2]), history[1], count)
    told = run.to_the_end()

    assert told.done + told.waiting + told.closed == sum(audience.values())
    assert told.most_attempts <= attempts
    assert sum(hour.calls for hour in told.hours) == sum(told.endings.values())
    for now, _, in_use in run.seen:
        assert calendar.is_open(start + timedelta(seconds=now)), "outside the window"
        assert now < hours * 3600
        assert 0 < in_use <= channels
    for now, closes in run.targets.dialled:
        assert closes is None or now < closes * 60, "after its phase"
    burst = max(1 + cps * 0.1, cps * 0.2) + 1
    for first in range(0, len(run.seen), 7):
        total = 0
        for now, count, _ in run.seen[first : first + 300]:
            total += count
            assert total <= cps * (now - run.seen[first][0]) + burst, "above the rate"
    if not told.waiting:
        asked = told.endings.get((Disposition.ANSWERED, Reaction.KEY_3), 0)
        pressed = told.endings.get((Disposition.ANSWERED, Reaction.KEY_1), 0)
        answered_or_promised = sum(told.talks.values()) + sum(told.promised.values())
        assert answered_or_promised <= asked + pressed


def test_the_same_seed_gives_the_same_and_another_one_another() -> None:
    def told(seed: int) -> Any:
        return rehearse(
            replace(RULES, cps=50, max_channels=500, retry=DEFAULT_RULES, max_attempts=4),
            new(2000),
            Rates(),
            agents(3),
            start=EIGHT,
            hours=72,
            seed=seed,
        )

    assert told(1) == told(1)
    assert told(1) != told(2)


# -- the promises

STAFF = Staff(agents=1, handling_seconds=180, reach_rate=1.0, max_attempts=5)
DAY = Calendar([Window.parse("07:00-21:00")], call_on_holidays=True)
NINE = time(21, 0)


def kept(promised: Mapping[datetime, int], talks: Mapping[datetime, int], staff: Staff) -> Any:
    return promises([], promised, talks, staff, DAY, target_by=NINE, now=EIGHT)


def test_twenty_an_hour_are_made_by_one_agent() -> None:
    """13 hours are left today, then 14 tomorrow: 540 by tomorrow 21:00; 48 hours end at 08:00."""
    told = kept({EIGHT: 600}, {}, STAFF)
    assert told.promised == {date(2021, 4, 1): 600}
    assert told.made == {date(2021, 4, 1): 260, date(2021, 4, 2): 280, date(2021, 4, 3): 60}
    assert (told.missed_target, told.missed_promise) == (60, 40)
    assert told.clears_at == EIGHT + timedelta(days=2, hours=2)


def test_talks_take_the_agents_time() -> None:
    """Three hours of talk first: three hours later, and sixty more are late."""
    told = kept({EIGHT: 600}, {EIGHT: 60}, STAFF)
    assert told.total == 600
    assert told.clears_at == EIGHT + timedelta(days=2, hours=5)
    assert told.missed_target == 120


def test_without_agents_no_promise_is_kept() -> None:
    told = kept({EIGHT: 5}, {}, replace(STAFF, agents=0))
    assert (told.missed_target, told.missed_promise, told.clears_at) == (5, 5, None)


def test_many_as_one_is_never_better_than_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    promised = {EIGHT + timedelta(minutes=minute): 2 for minute in range(400)}
    alone = kept(promised, {}, STAFF)
    monkeypatch.setattr(rehearsal_promises, "_MOST_ROWS", 50)
    together = kept(promised, {}, STAFF)
    assert together.total == alone.total == 800
    assert together.promised == alone.promised
    assert alone.missed_target <= together.missed_target <= alone.missed_target + 100
