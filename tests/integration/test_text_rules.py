"""Random doings around text campaigns: nobody gets what he must not get, nor a text twice. I/O.

The real engine of text campaigns and the real outbox; the link is the test's own. Each text is
judged as the link gets it, from rows and from what the test did itself.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dialer.text_engine import TextEngine
from domain.errors import InputError
from domain.states import CampaignKind, CampaignState, ContactScope
from sms.inviter import Inviter
from sms.setting import AccountSetting
from store import outbox, outcomes
from store.models import Campaign, MessageOut, Registration, Target
from store.outbox import Outgoing
from store.outcomes import Refused, Sent
from tests.dial_rules import DAY, HOURS, LISTS_LAST, LOCAL, Row, is_open
from tests.operated import SETTING, Operated
from tests.operators import MINUTE, World, chosen, one_number, some_numbers
from tests.rows import all_rows
from tests.text_campaigns import BIND
from tests.texts import give_back

T = TypeVar("T")

WORDS = "[QC] MobiFone moi Quy khach thay SIM 4G tai nha. Tu choi soan TC gui 9231"
LONG = WORDS.replace("tai nha", "tại nhà")
THROTTLED, PERMANENT = 0x58, 0x0B
MOST_ADVERTS = 3
FATES = ["taken", "taken", "again", "refused", "unwritten", "killed", "cut"]
knobs = {
    "purpose": st.sampled_from(["advertising", "advertising", "customer_care"]),
    "windows": st.sampled_from([list(windows) for windows in HOURS]),
    "call_on_holidays": st.booleans(),
    "cps": st.sampled_from([2.0, 50.0]),
}


class TextCampaigns(RuleBasedStateMachine):
    """`gone` is what the SMSC has, or may have: (moment, campaign, number, part, advert)."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = self.run(world())
        self.names: list[str] = []
        self.gone: list[tuple[datetime, int, str, int, bool]] = []
        self.fate = "cut"
        inviter = Inviter({"acc": AccountSetting()})
        days, holidays = SETTING.do_not_call_days, SETTING.holidays
        store, clock = self.world.store, lambda: self.world.now
        self.engine = TextEngine(store, inviter, clock, lambda: None, holidays, days)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def name(self, number: int) -> str:
        return self.names[number % len(self.names)]

    # -- operators

    @initialize()
    def an_advertisement(self) -> None:
        self.run(self.world.replace_list(ContactScope.ALL, []))
        given = {"purpose": "advertising", "windows": ["00:00-24:00"], "cps": 50.0}
        self.create({**given, "call_on_holidays": False}, ["+84900000001", "+84900000002"], LONG)

    @precondition(lambda self: len(self.names) < 6)
    @rule(
        values=st.fixed_dictionaries(knobs),
        brought=some_numbers,
        words=st.sampled_from([WORDS, LONG]),
    )
    def create(self, values: Row, brought: list[str], words: str) -> None:
        name = f"t{len(self.names)}"
        text = {"kind": CampaignKind.TEXT, "text": words, "account": "acc", "source": "9231"}
        calls = {"max_channels": 1, "max_attempts": 1, "retry": {}}
        self.run(self.world.create(name, **values, **text, **calls))
        self.names.append(name)
        self.run(self.world.bring_in(name, brought))
        self.run(self.world.move(name, CampaignState.RUNNING))

    @rule(which=chosen, to=st.sampled_from(["paused", "running", "running", "stopped"]))
    def move(self, which: int, to: str) -> None:
        with suppress(InputError):
            self.run(self.world.move(self.name(which), CampaignState(to)))

    @rule(which=chosen, values=st.fixed_dictionaries({}, optional=knobs).filter(bool))
    def tune(self, which: int, values: Row) -> None:
        self.run(self.world.tune(self.name(which), **values))

    @rule(scope=st.sampled_from(ContactScope), listed=st.lists(one_number, max_size=2))
    def replace_list(self, scope: ContactScope, listed: list[str]) -> None:
        self.run(self.world.replace_list(scope, listed))

    # -- subscribers, the SMSC, time

    @rule(number=one_number, words=st.sampled_from(["TSTN", "HUY", "TC"]))
    def text(self, number: str, words: str) -> None:
        self.run(self.world.text(number, words))

    @rule(number=one_number, source=st.uuids())
    def refuse(self, number: str, source: Any) -> None:
        self.run(self.world.refuse(number, f"web:{source}"))

    @rule(fate=st.sampled_from(FATES))
    def the_smsc_says(self, fate: str) -> None:
        self.fate = fate

    @rule(seconds=st.sampled_from([1, 30, 61, 600, 3600, 5 * 3600, 24 * 3600, 31 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    @rule(at=st.sampled_from([(6, 59, 59), (7, 0, 0), (10, 0, 0), (21, 59, 59), (22, 0, 0)]))
    def another_hour(self, at: tuple[int, int, int]) -> None:
        local = self.world.now + LOCAL
        hour, minute, second = at
        moment = local.replace(hour=hour, minute=minute, second=second, microsecond=0) - LOCAL
        self.world.now = moment if moment > self.world.now else moment + DAY

    # -- what must hold

    @invariant()
    def no_rule_is_broken(self) -> None:
        """After each step the dialler posts, the link takes what is due, the SMSC answers."""
        for _ in range(2):
            self.world.now += timedelta(seconds=0.25)
            self.run(self.engine.tick())
            self.run(self._send())
        twice = Counter((campaign, number, part) for _, campaign, number, part, _ in self.gone)
        assert set(twice.values()) <= {1}

    def teardown(self) -> None:
        try:
            self.fate = "taken"
            for day in range(12):
                for scope in (ContactScope.ALL, ContactScope.SMS):
                    self.run(self.world.replace_list(scope, []))
                for name in self.names if day else ():
                    with suppress(InputError):
                        self.run(self.world.move(name, CampaignState.RUNNING))
                self.world.now += timedelta(hours=15)
                self.another_hour((9, 30 + day, 0))
                for _ in range(4):
                    self.no_rule_is_broken()
            if self.names:
                assert self.run(self._unfinished()) == []
        finally:
            self.run(self.world.store.close())
            self.runner.close()

    # -- the link

    async def _send(self) -> None:
        world = self.world
        taken = await world.store.write(outbox.claim, "acc", BIND, 50, world.now)
        texts = {row["id"]: row for row in await all_rows(world.store, MessageOut)}
        rows = {row["id"]: row for row in await all_rows(world.store, Campaign)}
        for out in taken:
            if texts[out.id]["campaign_id"] is not None:
                await self._judge_and_send(out, rows[texts[out.id]["campaign_id"]])

    async def _judge_and_send(self, out: Outgoing, campaign: Row) -> None:
        world, advert = self.world, campaign["purpose"] == "advertising"
        assert list(self._faults(out.msisdn, campaign, await self._registered())) == []
        fate = self.fate
        if fate == "cut":  # the link is lost after the first part
            fate = "taken" if out.part == 1 else "unwritten"
        if fate in ("taken", "killed"):
            self.gone.append((world.now, campaign["id"], out.msisdn, out.part, advert))
        if fate == "taken":
            await world.store.write(outcomes.record, [Sent(out.id, f"id{out.id}", world.now)])
        elif fate == "unwritten":
            await give_back(world.store, [out], world.now)
        elif fate == "killed":
            await world.store.write(outcomes.abandon, [BIND], world.now)
        else:
            again, status = (None, PERMANENT) if fate == "refused" else (world.now, THROTTLED)
            again = again and again + MINUTE
            told = Refused(out.id, out.tries, status, again, world.now)
            await world.store.write(outcomes.record, [told])

    async def _registered(self) -> set[str]:
        rows = await all_rows(self.world.store, Registration)
        return {row["msisdn"] for row in rows if row["state"] == "open"}

    def _faults(self, number: str, campaign: Row, registered: set[str]) -> Iterator[str]:
        doings, now = self.world.doings, self.world.now
        advert = campaign["purpose"] == "advertising"
        scopes = (ContactScope.ALL, ContactScope.SMS)
        if number in doings.opted_out or number in registered:
            yield "to who has opted out or registered"
        if any(number in doings.listed.get(scope, ()) for scope in scopes):
            yield "to a number on a do-not-call list"
        if campaign["state"] != "running" or campaign["id"] in doings.halted:
            yield f"of a campaign that is {campaign['state']}"
        if not is_open(campaign["windows"], campaign["call_on_holidays"], False, now):
            yield f"outside {campaign['windows']}"
        if advert and not 7 <= (now + LOCAL).hour < 22:
            yield "an advertisement at night"
        ages = [now - doings.loaded_at[scope] for scope in doings.listed if scope in scopes]
        if advert and (not ages or max(ages) > LISTS_LAST):
            yield "an advertisement without a fresh do-not-call list"
        lately = {
            of for at, of, to, _, ad in self.gone if ad and to == number and at > now - DAY
        } - {campaign["id"]}
        if advert and len(lately) >= MOST_ADVERTS:
            yield f"advertisement {len(lately) + 1} in 24 hours"

    async def _unfinished(self) -> list[Row]:
        """Targets of campaigns that were not stopped, and have no outcome after days."""
        campaigns = {row["id"]: row["state"] for row in await all_rows(self.world.store, Campaign)}
        targets = await all_rows(self.world.store, Target)
        open_ones = [target for target in targets if target["state"] != "done"]
        return [target for target in open_ones if campaigns[target["campaign_id"]] != "stopped"]


def test_no_text_breaks_a_rule(tmp_path: Path, migrated_file: Path) -> None:
    number = count()

    async def world() -> Operated:
        directory = tmp_path / str(next(number))
        directory.mkdir()
        shutil.copy(migrated_file, directory / "store.sqlite")
        return Operated(f"sqlite:///{directory}/store.sqlite", directory)

    run_state_machine_as_test(
        lambda: TextCampaigns(world),
        settings=settings(
            max_examples=12,
            stateful_step_count=40,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],  # to shrink what fails would take many minutes
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
