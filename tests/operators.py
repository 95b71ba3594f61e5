"""What operators do to campaigns, as rules of a state machine over `tests.operated`. I/O."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from domain.dispositions import Disposition
from domain.errors import InputError
from domain.states import CampaignState, ContactScope
from store import campaign_changes
from store.models import Campaign
from store.recycling import RECYCLABLE
from tests.dial_rules import HOURS, LOCAL, Row
from tests.operated import PLACES, Operated
from tests.rows import numbers

T = TypeVar("T")
World = Callable[[], Coroutine[Any, Any, Operated]]
"""Makes an empty world, on the loop that it will live on."""

NUMBERS = numbers(10)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
KNOBS = (
    *("purpose", "cps", "max_channels", "max_attempts", "windows", "call_on_holidays"),
    *("by_phase", "retry", "priority"),
)
LEGAL = {
    CampaignState.DRAFT: {"running", "stopped"},
    CampaignState.RUNNING: {"paused", "stopped", "running"},
    CampaignState.PAUSED: {"running", "stopped", "paused"},
    CampaignState.FINISHED: {"running"},
    CampaignState.STOPPED: {"stopped"},
}


def rules(**delays: int) -> dict[str, Any]:
    """Retry rules: two retries after each outcome named, the second after twice the pause."""
    return {word: {"max": 2, "delay_seconds": s, "factor": 2} for word, s in delays.items()}


RETRY = [
    rules(busy=600, no_answer=3600, congestion=300, unknown=4 * 3600),
    rules(busy=60, no_answer=120, unreachable=7200, unknown=3600),
    {},
]
one_number = st.sampled_from(NUMBERS)
some_numbers = st.lists(one_number, min_size=1, max_size=6, unique=True)
chosen = st.integers(0, 10)
knobs = {
    "purpose": st.sampled_from(["advertising", "customer_care"]),
    "cps": st.sampled_from([2.0, 5.0, 50.0]),
    "max_channels": st.sampled_from([1, 3, 50]),
    "max_attempts": st.integers(1, 4),
    "windows": st.sampled_from([list(windows) for windows in HOURS]),
    "call_on_holidays": st.booleans(),
    "by_phase": st.booleans(),
    "retry": st.sampled_from(RETRY),
    "priority": st.sampled_from([2, 5, 8]),
}
tuning = st.fixed_dictionaries({}, optional=knobs).filter(bool)


class Operators(RuleBasedStateMachine):
    """`world` gives the world of one run; the rules act on it, one after the other."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = self.run(world())
        self.names: list[str] = []
        self.imports: list[tuple[int, set[int]]] = []
        self.tuned: dict[str, list[Row]] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """All is done on one loop, a step at a time."""
        return self.runner.run(work)

    def name(self, number: int) -> str:
        return self.names[number % len(self.names)]

    def row(self, name: str) -> Row:
        campaign: Campaign = self.run(self.world.campaign(name))
        return {knob: getattr(campaign, knob) for knob in KNOBS}

    def state(self, name: str) -> CampaignState:
        return CampaignState(self.run(self.world.campaign(name)).state)

    @initialize()
    def two_campaigns(self) -> None:
        self.run(self.world.replace_list(ContactScope.ALL, []))
        self.world.carrier.set_fates([Disposition.BUSY, None, Disposition.NO_ANSWER])
        quick = {"cps": 5.0, "max_channels": 50, "max_attempts": 3, "by_phase": False}
        for purpose, windows in (("advertising", "00:00-24:00"), ("customer_care", "08:00-17:00")):
            given = {"windows": [windows], "call_on_holidays": False, "retry": RETRY[0]}
            self.create({"purpose": purpose, "priority": 5, **quick, **given}, NUMBERS)

    @precondition(lambda self: len(self.names) < 4)
    @rule(values=st.fixed_dictionaries(knobs), brought=some_numbers)
    def create(self, values: Row, brought: list[str]) -> None:
        name = f"c{len(self.names)}"
        self.run(self.world.create(name, **values))
        self.names.append(name)
        self.tuned[name] = []
        self.bring_in(len(self.names) - 1, brought)
        self.run(self.world.move(name, CampaignState.RUNNING))

    @rule(which=chosen, brought=some_numbers)
    def bring_in(self, which: int, brought: list[str]) -> None:
        name = self.name(which)
        if self.state(name) is CampaignState.STOPPED:
            return
        before = {target["id"] for target in self.run(self.world.targets())}
        made = self.run(self.world.bring_in(name, brought))
        new = {target["id"] for target in self.run(self.world.targets())} - before
        self.imports.append((made, new))

    @precondition(lambda self: self.imports)
    @rule(which=chosen)
    def undo(self, which: int) -> None:
        import_id, brought = self.imports[which % len(self.imports)]
        before = {target["id"]: target for target in self.run(self.world.targets())}
        dialled = {dial.attempt.target_id for dial in self.world.carrier.dials}
        try:
            removed = self.run(self.world.undo(import_id))
        except InputError:
            assert {target["id"]: target for target in self.run(self.world.targets())} == before
            return
        after = {target["id"] for target in self.run(self.world.targets())}
        assert not brought & dialled, "undone after its first contact"
        assert before.keys() - after == brought
        assert removed == len(brought)
        self.imports.remove((import_id, brought))

    @rule(which=chosen, to=st.sampled_from(["paused", "running", "running", "stopped"]))
    def move(self, which: int, to: str) -> None:
        name, state = self.name(which), CampaignState(to)
        before = self.state(name)
        legal = LEGAL[before]
        try:
            self.run(self.world.move(name, state))
        except InputError:
            assert to not in legal
        else:
            assert to in legal
            assert self.state(name) is state

    @rule(which=chosen, tunings=st.lists(tuning, min_size=1, max_size=3))
    def tune(self, which: int, tunings: list[Row]) -> None:
        name = self.name(which)
        for values in tunings:
            before = self.row(name)
            self.run(self.world.tune(name, **values))
            if self.row(name) != before:
                self.tuned[name].append(before)

    @rule(which=chosen, times=st.integers(1, 3))
    def revert(self, which: int, times: int) -> None:
        name = self.name(which)
        past = self.tuned[name]
        for _ in range(times):
            campaign = self.run(self.world.campaign(name))
            try:
                self.run(self.world.store.write(campaign_changes.revert, campaign, self.world.now))
            except InputError:
                assert not past
            else:
                assert self.row(name) == past.pop()
        self.run(self.world.knobs_changed(name))

    @rule(which=chosen)
    def revert_on_the_page(self, which: int) -> None:
        """The page undoes the newest change by its number; this is a change that can be undone."""
        name = self.name(which)
        stood = self.row(name)
        campaign = self.run(self.world.campaign(name))
        store = self.world.store
        last = self.run(store.read(campaign_changes.last_change, campaign.id))
        if last is not None:
            self.run(store.write(campaign_changes.revert, campaign, self.world.now, last.id))
            assert self.row(name) == {**stood, **last.before}
            if self.row(name) != stood:
                self.tuned[name].append(stood)
            self.run(self.world.knobs_changed(name))

    @rule(which=chosen, outcomes=st.sets(st.sampled_from(RECYCLABLE), min_size=1))
    def recycle(self, which: int, outcomes: set[str]) -> None:
        if self.state(self.name(which)) is not CampaignState.STOPPED:
            back = self.run(self.world.recycle(self.name(which), sorted(outcomes)))
            targets = [t for t in self.run(self.world.targets()) if t["id"] in back]
            assert not {t["msisdn"] for t in targets} & self.world.doings.opted_out

    @rule(scope=st.sampled_from(ContactScope), listed=st.lists(one_number, max_size=2))
    def replace_list(self, scope: ContactScope, listed: list[str]) -> None:
        self.run(self.world.replace_list(scope, listed))

    @rule(
        place=st.sampled_from([*PLACES, *((province, None) for province, _ in PLACES)]),
        opens=st.integers(-10, 4),
        days=st.none() | st.integers(0, 12),
    )
    def put_phase(self, place: tuple[str, str | None], opens: int, days: int | None) -> None:
        first = (self.world.now + LOCAL).date() + opens * DAY
        closes = None if days is None else first + days * DAY
        self.run(self.world.put_phase(place, first, closes))

    @rule(minutes=st.none() | st.integers(1, 30))
    def breaker(self, minutes: int | None) -> None:
        until = None if minutes is None else self.world.now + minutes * MINUTE
        self.run(self.world.open_breaker(until))

    @rule(minutes=st.integers(1, 30))
    def override(self, minutes: int) -> None:
        with suppress(InputError):
            self.run(self.world.override_breaker(self.world.now + minutes * MINUTE))
