"""Makes a rehearsal of a campaign's rows and the settings; reads the store, never writes. I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dialer.forecast import Pending, Staff
from dialer.rehearsal import Audience, Dialled, Rules, rehearse
from dialer.rehearsal_agents import Agents
from dialer.rehearsal_carrier import Rates
from dialer.rehearsal_promises import Promises, promises
from dialer.retry import rules_from_row
from domain.calendar import Calendar, Window
from runtime.callback_wiring import agents_hours
from runtime.settings import Settings
from store import campaigns, limits
from store.limits import GLOBAL, Caps, of_trunk
from store.models import Campaign
from store.ready_targets import ready_targets
from store.workload import Workload, workload


@dataclass(frozen=True, slots=True)
class Question:
    """From when, for how long, with whom; `agents` None: those who are on duty now."""

    start: datetime
    hours: float
    rates: Rates
    agents: int | None
    seed: int


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in the store at one moment."""

    campaign: Campaign
    audience: Audience
    caps: Mapping[str, Caps]
    load: Workload


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """By which rules, how the dialling went, and what becomes of its call-backs."""

    rules: Rules
    dialled: Dialled
    promises: Promises


def read_given(connection: Connection, name: str, start: datetime) -> Given:
    """All that is needed. Raises InputError where there is no such campaign."""
    campaign = campaigns.by_name(connection, name)
    audience = ready_targets(connection, campaign.id, start)
    return Given(campaign, audience, limits.read(connection), workload(connection))


def rehearsed(
    question: Question, given: Given, knobs: Mapping[str, Any], settings: Settings
) -> Rehearsed:
    """The campaign with these knobs (columns of its row), dialled and called back."""
    staff = _staff(question, given, settings)
    start, hours = question.start, agents_hours(settings)
    rules = _rules(knobs, given.caps, settings)
    dialled = rehearse(
        rules,
        given.audience,
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
        [
            Pending(one.id, one.ready_at or start, one.target_at, one.promise_at, one.attempts_made)
            for one in given.load.waiting
        ],
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
    defaults = Caps(settings.dialer.cps, settings.dialer.max_channels)
    in_force = [caps.get(scope, defaults) for scope in (GLOBAL, of_trunk(settings.trunk.name))]
    return Rules(
        cps=knobs["cps"],
        max_channels=knobs["max_channels"],
        max_attempts=knobs["max_attempts"],
        ring_timeout_seconds=knobs["ring_timeout_seconds"],
        retry=rules_from_row(knobs["retry"]),
        calendar=Calendar(
            [Window.parse(window) for window in knobs["windows"]],
            call_on_holidays=knobs["call_on_holidays"],
            holiday_overrides=settings.calendar.holidays,
        ),
        ceilings=[(each.cps, each.max_channels) for each in in_force],
    )
