"""The rehearsal's brake: a server's own judgement, on the rehearsal's clock. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.brakes import FACTORS
from dialer.forecast import Pending, Staff
from dialer.promise_outlook import PromiseRule
from dialer.rehearsal import Rules, _Run, rehearse
from dialer.rehearsal_agents import Agents
from dialer.rehearsal_brake import BrakeRule, PromiseBrake
from dialer.rehearsal_carrier import Lengths, Rates
from dialer.rehearsal_outcome import Dialled
from dialer.rehearsal_promises import Promises, promises
from dialer.rehearsal_targets import Targets
from dialer.retry import DEFAULT_RULES
from domain.calendar import Calendar, Window
from domain.deadlines import promise_at, target_at
from domain.dispositions import Disposition

EIGHT = datetime(2021, 4, 1, 1, 0, tzinfo=UTC)
"""08:00 in Vietnam, a Thursday."""
NINE = time(21, 0)
AGENTS_HOURS = Calendar([Window.parse("07:00-21:00")], call_on_holidays=True)
WINDOWS = Calendar([Window.parse("08:00-17:00")])
RATES = Rates(answer=0.5, key_1=0.4, key_3=0.0, busy=0.1, off=0.1, invalid=0, congestion=0)
RULES = Rules(
    cps=0.5,
    max_channels=500,
    max_attempts=3,
    ring_timeout_seconds=30,
    retry=DEFAULT_RULES,
    calendar=WINDOWS,
)
PER_SECOND = RULES.cps * RATES.answer * RATES.key_1


def staff(agents: int) -> Staff:
    return Staff(agents, handling_seconds=180, reach_rate=0.8, max_attempts=5)


def brake_rule(agents: int, backlog: list[Pending] | None = None) -> BrakeRule:
    rule = PromiseRule(AGENTS_HOURS, NINE, late_share=0.02)
    return BrakeRule(rule, timedelta(seconds=60), staff(agents), backlog or [], WINDOWS, PER_SECOND)


def dial(agents: int, *, braked: bool, targets: int = 8_000) -> Dialled:
    rules = replace(RULES, brake=brake_rule(agents)) if braked else RULES
    desk = Agents(agents, AGENTS_HOURS, EIGHT)
    return rehearse(rules, {(0, 0, None): targets}, RATES, desk, start=EIGHT, hours=72, seed=1)


def kept(told: Dialled, agents: int) -> Promises:
    return promises(
        [], told.promised, told.talks, staff(agents), AGENTS_HOURS, target_by=NINE, now=EIGHT
    )


def test_enough_agents_and_nothing_is_slowed() -> None:
    free, braked = dial(500, braked=False), dial(500, braked=True)
    assert braked == free
    assert braked.slowed_seconds == 0


def test_too_few_agents_and_nearly_all_promises_are_kept_all_the_same() -> None:
    """Not all: the lowest step is no stop."""
    agents = 3
    free, braked = dial(agents, braked=False), dial(agents, braked=True)
    late, kept_late = kept(free, agents), kept(braked, agents)
    assert late.missed_target > 0.2 * late.total
    assert kept_late.missed_target <= 0.2 * late.missed_target
    assert braked.slowed_seconds > 0
    assert (
        braked.finished_at is None
        or free.finished_at is None
        or (braked.finished_at > free.finished_at)
    )
    assert min(hour.factor for hour in braked.hours) < 1


def test_the_same_backlog_is_judged_as_a_server_judges_it() -> None:
    """The agents have more than they can do by tomorrow: the lowest step, at once."""
    day = 14 * 3600 * 10 / (180 * 1.25)
    due = (target_at(EIGHT, NINE), promise_at(EIGHT))
    backlog = [Pending(n, EIGHT, *due) for n in range(round(3 * day))]
    assert PromiseBrake(brake_rule(10, backlog), EIGHT).judge(0.0) == FACTORS[-1]
    assert PromiseBrake(brake_rule(10, backlog[:10]), EIGHT).judge(0.0) == 1.0


def test_agents_work_the_backlog_off_within_their_hours_and_the_brake_lets_go() -> None:
    due = (target_at(EIGHT, NINE), promise_at(EIGHT))
    brake = PromiseBrake(brake_rule(10, [Pending(n, EIGHT, *due) for n in range(4500)]), EIGHT)
    factors = [brake.judge(hour * 3600.0) for hour in range(72)]
    assert factors[0] < 1
    assert factors[-1] == 1.0


class Watched(_Run):
    """Tells of every moment at which calls start, and what the brake left."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.seen: list[tuple[float, int, float]] = []

    def _dial(self, count: int) -> None:
        super()._dial(count)
        assert self._brake is not None
        self.seen.append((self.now, count, self._brake.factor))


@settings(max_examples=12, deadline=None)
@given(
    agents=st.integers(1, 60),
    cps=st.floats(0.2, 3),
    key_1=st.floats(0, 0.5),
    waiting=st.integers(0, 3000),
    seed=st.integers(0, 99),
)
def test_dialled_never_faster_than_the_brake_leaves(
    agents: int, cps: float, key_1: float, waiting: int, seed: int
) -> None:
    due = (target_at(EIGHT, NINE), promise_at(EIGHT))
    backlog = [Pending(n, EIGHT, *due) for n in range(waiting)]
    rate = replace(brake_rule(agents, backlog), per_second=cps * 0.5 * key_1)
    rules = replace(RULES, cps=cps, brake=rate)
    run = Watched(
        rules,
        replace(RATES, key_1=key_1),
        Lengths(),
        Agents(agents, AGENTS_HOURS, EIGHT),
        EIGHT,
        3 * 3600.0,
        Random(seed),
    )
    run.targets.expect((0, (), None), 0, 20_000)
    told = run.to_the_end()
    assert told.done + told.waiting == 20_000
    assert {factor for *_, factor in run.seen} <= set(FACTORS)
    burst = max(1 + cps * 0.1, cps * 0.2) + 1
    for first in range(0, len(run.seen), 7):
        allowed = burst
        total, before, least = 0, run.seen[first][0], run.seen[first][2]
        for now, count, factor in run.seen[first : first + 300]:
            allowed += cps * max(least, factor) * (now - before)
            total, before, least = total + count, now, factor
            assert total <= allowed + 1, "above what the brake leaves"


@given(
    came_to=st.sampled_from([*DEFAULT_RULES]),
    began=st.floats(0, 1e6),
    lasted=st.floats(0, 3600),
    apart=st.sampled_from([0.0, 86400.0]),
)
def test_a_number_is_never_dialled_again_within_the_cap_nor_sooner_than_its_rule(
    came_to: Disposition, began: float, lasted: float, apart: float
) -> None:
    targets = Targets(DEFAULT_RULES, 5, apart)
    targets.settle((0, (), None), came_to, began, began + lasted)
    due: Any = targets.next_due
    assert due >= began + apart
    assert due >= began + lasted + DEFAULT_RULES[came_to].delay_seconds
    assert due == pytest.approx(
        max(began + apart, began + lasted + DEFAULT_RULES[came_to].delay_seconds), abs=60
    )
