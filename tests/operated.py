"""Campaigns as operators, subscribers, agents and crashes treat them, over a real store. I/O.

The real dialler dials through `tests.fates`; every dial is judged by `tests.dial_rules` at its
moment. Both clocks move only here.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from dialer.engine import Engine, EngineSetting
from domain.addresses import Scheme
from domain.callbacks import Outcome
from domain.dispositions import Disposition
from domain.errors import InputError
from domain.states import BrakeCause, CampaignState, ContactScope
from runtime.audience_undo import undo_import
from runtime.do_not_call_import import import_list
from sms import replies
from sms.answering import answer_texts
from sms.setting import TextSetting
from store import brakes, callback_queue, campaigns, consent, messages, phases, recycling
from store.brakes import Change, Scope
from store.engine import Store, open_store
from store.facts import OptOutAsked
from store.models import Campaign, Target
from store.phases import NewPhase
from tests import answering_calls
from tests.answering_calls import ALL_DAY, LEASE
from tests.audiences import bring_in, csv_file, row
from tests.dial_rules import (
    KNOB_SECONDS,
    MADE_A_HOLIDAY,
    MADE_A_WORKING_DAY,
    Doings,
    faults,
    look,
)
from tests.dialling import PLENTY, settled
from tests.fates import Dial, FatefulCarrier
from tests.recovering import Node
from tests.rows import BY_NINE, all_rows
from tests.texts import new_text

START = datetime(2021, 4, 19, 3, tzinfo=UTC)
"""A Monday, 10:00 in Vietnam; Hùng Kings' day is on Wednesday."""
NODE, TRUNK, AGENT = "node1", "carrier", 1
PLACES = {("92", "916"): ("Cần Thơ", "Ninh Kiều"), ("83", "831"): ("Bến Tre", "Châu Thành")}
SETTING = EngineSetting(
    node=NODE,
    trunk=TRUNK,
    defaults=PLENTY,
    scripts=frozenset({"vi-1"}),
    max_call_seconds=300,
    holidays={MADE_A_HOLIDAY: True, MADE_A_WORKING_DAY: False},
    tick_seconds=0.05,
    do_not_call_days=30,
)
TEXTS = TextSetting({str(k): text for k, text in replies.DEFAULTS.items()}, {}, BY_NINE)


class Operated:
    """One store, one dialler (anew after each crash), and all who act on them."""

    def __init__(self, url: str, directory: Path) -> None:
        self.store: Store = open_store(url)
        self.now = START
        self.monotonic = 1000.0
        self.doings = Doings()
        self.faults: list[str] = []
        self.adverts: set[str] = set()
        self.carrier = FatefulCarrier(self.store, lambda: self.now, self._judge)
        self.engine = self._new_engine()
        self._node = Node(NODE, self.store, self.carrier, lambda: self.now)
        self._directory = directory
        self._files = 0
        self._knobs_hold_from = self.monotonic

    # -- time

    async def tick(self) -> None:
        await self.engine.tick()
        await settled()

    async def passes(self, seconds: float, step: float = 0.25) -> None:
        """Time goes by, tick by tick."""
        for _ in range(round(seconds / step)):
            self.now += timedelta(seconds=step)
            self.monotonic += step
            await self.tick()

    async def jump(self, to: datetime, seconds: float = 1.0) -> None:
        """Time goes by at once, as far as the dialler can tell; then so many seconds of ticks."""
        self.monotonic += (to - self.now).total_seconds()
        self.now = to
        await self.carrier.end_long_calls()
        if self.doings.breaker_until is not None and self.doings.breaker_until <= to:
            await self.open_breaker(None)  # the first calls have gone through
        await self._node.reap()
        await self.passes(seconds, min(seconds, 0.25))

    # -- operators

    async def create(self, name: str, **knobs: Any) -> Campaign:
        values = {"name": name, "script_version": "vi-1", "ring_timeout_seconds": 30, **knobs}
        made = await self.store.write(campaigns.create, values, self.now)
        self.doings.rules[made.id] = [(self.now, knobs["retry"])]
        return made

    async def campaign(self, name: str) -> Campaign:
        return await self.store.read(campaigns.by_name, name)

    async def move(self, name: str, state: CampaignState) -> None:
        """Raises InputError where the move is not legal."""
        campaign = await self.campaign(name)
        await self.store.write(campaigns.move, campaign, state, self.now)
        halts = state is not CampaignState.RUNNING
        (self.doings.halted.add if halts else self.doings.halted.discard)(campaign.id)

    async def tune(self, name: str, **knobs: Any) -> None:
        await self.store.write(campaigns.tune, await self.campaign(name), knobs, self.now)
        await self.knobs_changed(name)

    async def knobs_changed(self, name: str) -> None:
        """Note which retry rules hold from now on, and that the dialler may not know yet."""
        campaign = await self.campaign(name)
        self.doings.rules[campaign.id].append((self.now, campaign.retry))
        self._knobs_hold_from = self.monotonic + KNOB_SECONDS

    async def bring_in(self, name: str, numbers: list[str]) -> int:
        """Import a file; each number has the place that belongs to its last digit."""
        places = list(PLACES.values())
        self._files += 1
        lines = []
        for number in numbers:
            province, district = places[int(number[-1]) % len(places)]
            lines.append(row(number, c1=province, c2=district, c10="2021-03-20"))
        file = csv_file(self._directory / f"{self._files}.csv", lines)
        report = await bring_in(self.store, file, name)
        assert report.import_id is not None
        assert report.added + report.in_campaign == len(numbers)
        return report.import_id

    async def undo(self, import_id: int) -> int:
        """Raises InputError where one of its numbers was contacted."""
        return await undo_import(self.store, import_id, lambda: self.now)

    async def recycle(self, name: str, outcomes: list[str]) -> set[int]:
        """The targets that are ready again."""
        campaign = await self.campaign(name)
        before = {r["id"] for r in await self.targets() if r["state"] == "done"}
        chosen = recycling.choice(campaign, outcomes, None, None)
        await self.store.write(recycling.recycle, chosen, self.now)
        back = {r["id"] for r in await self.targets() if r["state"] == "ready"} & before
        self.doings.recycled_at.update(dict.fromkeys(back, self.now))
        return back

    async def targets(self) -> list[dict[str, Any]]:
        return await all_rows(self.store, Target)

    async def replace_list(self, scope: ContactScope, numbers: list[str]) -> None:
        file = self._directory / "list.csv"
        file.write_text("\n".join(["msisdn", *numbers, "+84999999999"]))
        rejects = self._directory / "rejects.csv"
        await import_list(self.store, scope, file, rejects, "lan", lambda: self.now)
        self.doings.listed[scope] = set(numbers)
        self.doings.loaded_at[scope] = self.now
        self._knobs_hold_from = self.monotonic + KNOB_SECONDS

    async def put_phase(
        self, place: tuple[str, str | None], opens: date, closes: date | None
    ) -> None:
        new = NewPhase(Scheme.VN_2021, *place, opens, closes)
        await self.store.write(phases.put, [new], "lan", self.now)
        self.doings.phases[place] = (opens, closes)
        for campaign_id in await self.store.read(phases.campaigns_by_phase):
            await self.store.write(phases.release, campaign_id, 1000, self.now)
            ended = await self.store.read(phases.ended_too_early, campaign_id, self.now)
            await self.store.write(phases.bring_back, ended, self.now)

    async def open_breaker(self, until: datetime | None) -> None:
        """None closes it."""
        change = Change(1.0 if until is None else 0.0, "congestion", until)
        await self.store.write(brakes.put, _BREAKER, change, self.now)
        self.doings.breaker_until = until
        self._knobs_hold_from = self.monotonic + KNOB_SECONDS

    async def override_breaker(self, until: datetime) -> None:
        """Raises InputError where there is none."""
        await self.store.write(brakes.override, _BREAKER, "lan", until, self.now)
        self.doings.breaker_overridden_until = until
        self._knobs_hold_from = self.monotonic + KNOB_SECONDS

    # -- subscribers and agents

    async def text(self, number: str, words: str) -> None:
        """A text to 9231 comes in, is read and answered."""
        new = new_text(number, body=words.encode(), at=self.now)
        await self.store.write(messages.take_in, [new])
        await self.store.write(answer_texts, TEXTS, self.now, 200)
        if words == "TC":
            self.doings.opted_out.add(number)

    async def refuse(self, number: str, source: str) -> None:
        """By an agent, or on the web."""
        asked = [OptOutAsked(number, self.now, source)]
        await self.store.write(consent.opt_out, asked, self.now)
        self.doings.opted_out.add(number)

    async def press(self, dial: Dial, keys: str) -> None:
        await self.carrier.answer(dial, keys)
        if "9" in keys and dial.attempt.may_refuse:
            self.doings.opted_out.add(dial.attempt.msisdn)

    async def agent_calls_back(self, outcome: Outcome) -> None:
        """The agent takes the next call-back and says what came of it, if it may be said."""
        await answering_calls.on_duty(self.store, AGENT, at=self.now)
        await answering_calls.release(self.store)
        args = (AGENT, self.now, LEASE, ALL_DAY)
        taken = await self.store.write(callback_queue.take_next, *args)
        if taken is None:
            return
        more = {"later_at": self.now + LEASE} if outcome is Outcome.CALL_LATER else {}
        try:
            await answering_calls.close(self.store, taken, outcome, self.now, **more)
        except InputError:
            await self.store.write(callback_queue.give_back, taken.claim_id, self.now)

    # -- crashes

    async def crash(self, *, before_originate: bool, unseen: list[Dial]) -> None:
        """kill -9 of the server, and its next start; some calls end while nobody looks.

        With `before_originate` it dies with claims that are committed and not dialled.
        """
        if before_originate:
            self.carrier.is_cut_off = True
            await self.tick()
            self.carrier.is_cut_off = False
        for dial in unseen:
            self.carrier.drop(dial, Disposition.NO_ANSWER)
        self.engine = self._new_engine()
        await self._node.recover()

    async def tell_late(self, dial: Dial) -> None:
        """The end that nobody saw becomes known after all."""
        self.doings.told_late.add(dial.attempt.target_id)
        await self.carrier.tell(dial)

    # -- inside

    def _new_engine(self) -> Engine:
        now, monotonic = (lambda: self.now), (lambda: self.monotonic)
        return Engine(SETTING, self.store, self.carrier, now, monotonic)

    async def _judge(self, attempt: Any) -> None:
        seen = await self.store.read(look, attempt)
        hold = self.monotonic >= self._knobs_hold_from
        dials, args = self.carrier.dials, (self.adverts, self.now)
        broken = faults(attempt, seen, self.doings, dials, *args, knobs_hold=hold)
        self.faults += [f"{attempt.msisdn} by {seen.campaign['name']}: {each}" for each in broken]
        if seen.campaign["purpose"] == "advertising":
            self.adverts.add(str(attempt.attempt_id))


_BREAKER = Scope(BrakeCause.CONGESTION, trunk=TRUNK)
