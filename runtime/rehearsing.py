"""Makes a rehearsal of a campaign's rows and the settings; reads the store, never writes. I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dialer.forecast import Pending, Staff
from dialer.promise_outlook import own_cps
from dialer.rehearsal import Rules, rehearse
from dialer.rehearsal_agents import Agents
from dialer.rehearsal_brake import BrakeRule
from dialer.rehearsal_carrier import Lengths, Rates, mean_seconds
from dialer.rehearsal_outcome import Dialled
from dialer.rehearsal_promises import Promises, promises
from dialer.retry import rules_from_row
from dialer.windows import calendar_of
from domain.errors import InputError
from domain.gate import ROLLING
from domain.states import CampaignKind, Purpose
from runtime.brake_wiring import brake_setting
from runtime.callback_wiring import agents_hours
from runtime.caps import shared
from runtime.settings import Settings
from store import campaigns, limits
from store.limits import Caps
from store.models import Campaign
from store.ready_targets import Ready, ready_targets
from store.workload import Workload, workload


@dataclass(frozen=True, slots=True)
class Question:
    """From when, for how long, with whom; `agents` None: those who are on duty now.

    `given` are the rates that the operator has given; the others are a guess.
    """

    start: datetime
    hours: float
    rates: Rates
    agents: int | None
    seed: int
    given: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in the store at one moment; `others` run beside the campaign."""

    campaign: Campaign
    ready: Ready
    caps: Mapping[str, Caps]
    load: Workload
    others: int


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """By which rules, how the dialling went, and what becomes of its call-backs."""

    rules: Rules
    dialled: Dialled
    promises: Promises


def read_given(connection: Connection, name: str, start: datetime) -> Given:
    """All that is needed. Raises InputError where there is no such campaign, or it sends texts."""
    campaign = campaigns.by_name(connection, name)
    if campaign.kind == CampaignKind.TEXT:
        raise InputError(f"campaign {campaign.name!r} sends texts: only calls are rehearsed")
    others = [row for row in campaigns.running(connection) if row.id != campaign.id]
    ready = ready_targets(connection, campaign, start)
    return Given(campaign, ready, limits.read(connection), workload(connection), len(others))


def rehearsed(
    question: Question, given: Given, knobs: Mapping[str, Any], settings: Settings
) -> Rehearsed:
    """The campaign with these knobs (columns of its row), dialled and called back."""
    staff = _staff(question, given, settings)
    start, hours = question.start, agents_hours(settings)
    backlog = [
        Pending(one.id, one.ready_at or start, one.target_at, one.promise_at, one.attempts_made)
        for one in given.load.waiting
    ]
    rules = _rules(knobs, given.caps, settings)
    rules = replace(rules, brake=_brake(rules, question.rates, staff, backlog, settings))
    dialled = rehearse(
        rules,
        given.ready.audience,
        question.rates,
        Agents(
            staff.agents,
            hours,
            start,
            wait_seconds=settings.agents.wait_seconds,
            talk_seconds=staff.handling_seconds,
        ),
        start=start,
        hours=question.hours,
        seed=question.seed,
    )
    kept = promises(
        backlog,
        dialled.promised,
        dialled.talks,
        staff,
        hours,
        target_by=settings.callbacks.target_by,
        now=start,
    )
    return Rehearsed(rules, dialled, kept)


def _staff(question: Question, given: Given, settings: Settings) -> Staff:
    load = given.load
    agents = load.agents if question.agents is None else question.agents
    return Staff(agents, load.handling_seconds, load.reach_rate, settings.callbacks.max_attempts)


def _rules(knobs: Mapping[str, Any], caps: Mapping[str, Caps], settings: Settings) -> Rules:
    campaign = Campaign(**{name: value for name, value in knobs.items() if name != "id"})
    is_capped = campaign.purpose == Purpose.ADVERTISING
    return Rules(
        cps=knobs["cps"],
        max_channels=knobs["max_channels"],
        max_attempts=knobs["max_attempts"],
        ring_timeout_seconds=knobs["ring_timeout_seconds"],
        retry=rules_from_row(knobs["retry"]),
        calendar=calendar_of(campaign, settings.calendar.holidays),
        ceilings=[(each.cps, each.max_channels) for each in shared(caps, settings)],
        apart_seconds=ROLLING.total_seconds() if is_capped else 0.0,
    )


def _brake(
    rules: Rules, rates: Rates, staff: Staff, backlog: Sequence[Pending], settings: Settings
) -> BrakeRule | None:
    """The promise brake as a server would judge it; None where it would not."""
    if not settings.dialer.brake_promise or not staff.agents:
        return None
    setting = brake_setting(settings)
    caps = [(rules.cps, rules.max_channels), *rules.ceilings]
    seconds = mean_seconds(rates, Lengths(), rules.ring_timeout_seconds)
    cps = min(own_cps(cps, channels, seconds) for cps, channels in caps)
    per_second = cps * rates.answer * rates.key_1
    hold, rule = setting.hold, setting.promise_rule
    return BrakeRule(rule, hold, staff, backlog, rules.calendar, per_second)
