"""Random doings of operators, subscribers, agents and crashes: no rule is ever broken. I/O.

The real dialler over a real store. Each dial is judged at its moment (`tests.dial_rules`), all
rows after each step (`tests.row_rules`); at the end everything is opened, and every target of a
campaign that was not stopped must come to its end.
"""

import shutil
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domain.callbacks import Outcome
from domain.dispositions import Disposition
from domain.states import CampaignState, ContactScope
from lab.postgres import Postgres
from store.engine import open_store
from store.migrate import migrate
from store.models import Campaign, Registration, Target
from tests import row_rules
from tests.dial_rules import LOCAL
from tests.fates import Dial
from tests.operated import PLACES, Operated
from tests.operators import DAY, MINUTE, Operators, World, chosen, one_number
from tests.stores import empty

AT_ONCE = [
    *(Disposition.BUSY, Disposition.NO_ANSWER, Disposition.UNREACHABLE, Disposition.CONGESTION),
    *(Disposition.INVALID_NUMBER, Disposition.NOT_DIALLED, Disposition.ANSWERED, None, None),
]
amid_or_after = st.sampled_from([0.1, 0.1, 2.0])
"""Ticks after time has gone by: one, so that what comes next falls in the midst, or enough."""
LONG_AGO = date(2021, 1, 1)
MOST_DAYS = 25
"""At the end: weekends, the holidays, a day's pause between advertising calls to one number."""


class Campaigns(Operators):
    """What subscribers, agents, time and crashes do beside, and what must hold after each step."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.unseen: list[Dial] = []
        self.past = row_rules.Past()
        self.sources = count(1)
        self.texts: dict[tuple[str, str], datetime] = {}

    # -- subscribers and agents

    @rule(number=one_number, words=st.sampled_from(["TSTN", "TSTN", "HUY", "TC", "KT"]))
    def text(self, number: str, words: str) -> None:
        world = self.world
        said = self.texts.get((number, words))
        self.texts[number, words] = world.now
        self.run(world.text(number, words))
        if said is not None and world.now - said <= 5 * MINUTE:
            return  # taken for the same text, delivered twice
        rows = self.run(world.store.read(row_rules.read))
        is_open = any(
            row["msisdn"] == number and row["state"] == "open" for row in rows[Registration]
        )
        invited = any(row["msisdn"] == number for row in rows[Target])
        assert words != "TSTN" or is_open or not invited
        assert words != "HUY" or not is_open

    @rule(number=one_number, way=st.sampled_from(["agent", "web"]))
    def refuse(self, number: str, way: str) -> None:
        self.run(self.world.refuse(number, f"{way}:{next(self.sources)}"))

    @precondition(lambda self: self.world.carrier.open)
    @rule(which=chosen, keys=st.sampled_from(["", "1", "1", "11", "2", "3", "9", "19", "5"]))
    def press(self, which: int, keys: str) -> None:
        dial = self.world.carrier.open[which % len(self.world.carrier.open)]
        self.run(self.world.press(dial, keys))

    @precondition(lambda self: self.world.carrier.open)
    @rule(which=chosen, how=st.sampled_from(AT_ONCE[:6]), is_seen=st.booleans())
    def call_ends(self, which: int, how: Disposition, is_seen: bool) -> None:
        carrier = self.world.carrier
        dial = carrier.open[which % len(carrier.open)]
        if is_seen:
            self.run(carrier.end(dial, how))
        else:
            carrier.drop(dial, how)
            self.unseen.append(dial)

    @rule(outcome=st.sampled_from(Outcome))
    def agent_calls_back(self, outcome: Outcome) -> None:
        self.run(self.world.agent_calls_back(outcome))

    # -- time and crashes

    @rule(fates=st.lists(st.sampled_from(AT_ONCE), min_size=1, max_size=4))
    def fates(self, fates: list[Disposition | None]) -> None:
        self.world.carrier.set_fates(fates)

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0]))
    def seconds_pass(self, seconds: float) -> None:
        self.run(self.world.passes(seconds))

    @rule(minutes=st.sampled_from([1, 2, 5, 10, 61, 125, 245]), seconds=amid_or_after)
    def minutes_pass(self, minutes: int, seconds: float) -> None:
        self.run(self.world.jump(self.world.now + minutes * MINUTE, seconds))

    @rule(
        days=st.integers(0, 3),
        at=st.sampled_from([(7, 59, 59), (8, 0, 0), (10, 0, 0), (16, 59, 59), (20, 0, 0)]),
        seconds=amid_or_after,
    )
    def another_hour(self, days: int, at: tuple[int, int, int], seconds: float) -> None:
        moment = _local(self.world.now, days, *at)
        moment = moment if moment > self.world.now else moment + DAY
        self.run(self.world.jump(moment, seconds))

    @rule(which=chosen, to=st.sampled_from(["paused", "stopped"]))
    def halted_as_the_day_begins(self, which: int, to: str) -> None:
        """Numbers are due, and the dialler has just looked at what runs."""
        self.another_hour(days=0, at=(10, 0, 0), seconds=0.1)
        self.move(which, to)

    @rule(minutes=st.integers(1, 30))
    def the_breaker_opens_before_the_windows_do(self, minutes: int) -> None:
        self.another_hour(days=0, at=(7, 59, 55), seconds=0.1)
        self.breaker(minutes)
        self.run(self.world.passes(6.0, step=0.5))

    @rule(before_originate=st.booleans(), unseen=st.integers(0, 2))
    def crash(self, before_originate: bool, unseen: int) -> None:
        lost = self.world.carrier.open[:unseen]
        self.run(self.world.crash(before_originate=before_originate, unseen=lost))
        self.unseen += lost

    @precondition(lambda self: self.unseen)
    @rule()
    def a_lost_end_is_told(self) -> None:
        self.run(self.world.tell_late(self.unseen.pop()))

    # -- what must hold

    @invariant()
    def no_rule_is_broken(self) -> None:
        """The dialler goes on meanwhile, and may not know yet what was done just now."""
        self.run(self.world.passes(0.1, step=0.1))
        rows = self.run(self.world.store.read(row_rules.read))
        assert self.world.faults == []
        assert list(row_rules.faults(rows, self.past)) == []

    def teardown(self) -> None:
        try:
            if self.names:
                self.run(_open_everything(self.world, self.names))
                self.no_rule_is_broken()
                assert self.run(_unfinished(self.world)) == []
        finally:
            self.run(self.world.store.close())
            self.runner.close()


def _local(now: datetime, days: int, hour: int, minute: int, second: int) -> datetime:
    """A moment by the clock in Vietnam, so many days on."""
    day = (now + LOCAL).date() + days * DAY
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC) - LOCAL


async def _open_everything(world: Operated, names: list[str]) -> None:
    """Nothing stands in anybody's way any more, and who is called answers; days go by."""
    await world.open_breaker(None)
    for province, district in PLACES:
        await world.put_phase((province, None), LONG_AGO, None)
        await world.put_phase((province, district), LONG_AGO, None)
    world.carrier.set_fates([Disposition.ANSWERED])
    for dial in world.carrier.open:
        await world.carrier.end(dial, Disposition.NO_ANSWER)
    for day in range(MOST_DAYS):
        for scope in (ContactScope.ALL, ContactScope.VOICE):
            listed = sorted(world.doings.listed.get(scope, ()))
            await world.replace_list(scope, listed)
        for name in names:
            if (await world.campaign(name)).state in ("paused", "finished"):
                await world.move(name, CampaignState.RUNNING)
        # A little later each day, so that a day has passed since the last one.
        await world.jump(_local(world.now, 1, 9, 15 + day, 0))
        await world.passes(2.0)
        if not await _unfinished(world):
            return


async def _unfinished(world: Operated) -> list[row_rules.Row]:
    """The targets that somebody waits for in vain."""
    rows = await world.store.read(row_rules.read)
    stopped = {row["id"] for row in rows[Campaign] if row["state"] == "stopped"}
    return [r for r in rows[Target] if r["state"] != "done" and r["campaign_id"] not in stopped]


def _check(world: World, examples: int) -> None:
    run_state_machine_as_test(
        lambda: Campaigns(world),
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],  # to shrink what fails would take many minutes
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


def test_no_rule_is_ever_broken_on_sqlite(tmp_path: Path, migrated_file: Path) -> None:
    number = count()

    async def world() -> Operated:
        directory = tmp_path / str(next(number))
        directory.mkdir()
        shutil.copy(migrated_file, directory / "store.sqlite")
        return Operated(f"sqlite:///{directory}/store.sqlite", directory)

    _check(world, 20)


def test_no_rule_is_ever_broken_on_postgresql(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.create_database("campaign_rules")

    async def world() -> Operated:
        store = open_store(url)
        await migrate(store)
        await store.write(empty)
        await store.close()
        return Operated(url, tmp_path)

    _check(world, 4)
