"""The brake that keeps the promise: what the agents can't call back in time is not asked for. I/O.

Which agents there are: inside their hours those on duty (paused ones too). In the first half hour
after an opening, when they are still arriving, and outside their hours it is as many as were there
on average in the last hours of theirs in which anybody was, if more. Where nobody was on duty for a
week there is nothing to judge by, and no brake: call-backs are made elsewhere, or this is a trial.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from dialer.brake_steps import OFF, BrakeSetting, let_go, step
from dialer.callbacks import backlog_of, staff_of
from dialer.promise_outlook import Outlook, own_cps
from dialer.windows import calendar_or_trouble
from domain.calendar import Calendar
from domain.states import BrakeCause, CampaignState
from store import brakes, campaigns, limits, pace_figures, staffing
from store.brakes import Scope
from store.limits import GLOBAL, of_trunk
from store.locks import may_tick
from store.models import Campaign
from store.pace_figures import PaceFigures
from store.workload import workload

_ARRIVING = timedelta(minutes=30)
_LOOK_BACK = timedelta(days=7)


def outlook(connection: Connection, setting: BrakeSetting, now: datetime) -> Outlook:
    """Read what `dialer.promise_outlook.judge` needs."""
    agents = agents_to_judge_by(connection, setting.callbacks.hours, now)
    if agents is None:
        return Outlook((), None, ())
    load = replace(workload(connection), agents=agents)
    running = campaigns.running(connection)
    figures = {row.id: pace_figures.measured(connection, row.id, now) for row in running}
    shared = _shared_cps(connection, setting)
    rates = {row.id: min(shared, _own_cps(row, figures[row.id])) for row in running}
    scale = min(1.0, shared / sum(rates.values())) if rates else 1.0
    coming = [
        (scale * rates[row.id] * of.answer_rate * of.key_1_rate, windows)
        for row in running
        if (of := figures[row.id]).is_measured
        and (windows := _windows(row, setting.holidays)) is not None
    ]
    return Outlook(backlog_of(load, now), staff_of(load, setting.callbacks), coming)


def put(
    connection: Connection, setting: BrakeSetting, wanted: float, reason: str, now: datetime
) -> None:
    """The same for all campaigns that run, of calls and of texts; the others are let go."""
    if not may_tick(connection, "brake-promise"):
        return
    rows = brakes.all_of(connection)
    drawn = {row["campaign_id"] for row in rows if row["campaign_id"] and row["factor"] < 1}
    running = {row.id for row in campaigns.all_of(connection) if row.state == CampaignState.RUNNING}
    for identity in sorted(running | drawn):
        scope = Scope(BrakeCause.PROMISE, campaign_id=identity)
        if BrakeCause.PROMISE not in setting.causes:
            let_go(connection, scope, OFF, now)
        elif identity not in running:
            let_go(connection, scope, "the campaign does not run", now)
        else:
            step(connection, scope, wanted, reason, now, setting.hold)


def agents_to_judge_by(connection: Connection, hours: Calendar, now: datetime) -> int | None:
    """How many agents will make the call-backs; None where that can't be told."""
    there = staffing.present(connection)
    before = [span for span in hours.open_spans(now - _LOOK_BACK - _ARRIVING) if span[0] < now]
    ended = [(start, end) for start, end in reversed(before) if end <= now]
    seen = (staffing.mean_present(connection, start, end) for start, end in ended)
    last = next((mean for mean in seen if mean > 0), 0.0)
    if not there and not last:
        return None
    is_settled = hours.is_open(now) and hours.is_open(now - _ARRIVING)
    return there if is_settled else max(there, round(last))


def _shared_cps(connection: Connection, setting: BrakeSetting) -> float:
    caps = limits.read(connection)
    scopes = (GLOBAL, of_trunk(setting.trunk))
    return min(caps.get(scope, setting.defaults).cps for scope in scopes)


def _own_cps(campaign: Campaign, figures: PaceFigures) -> float:
    seconds = figures.ring_seconds + figures.answer_rate * figures.talk_seconds
    return own_cps(campaign.cps, campaign.max_channels, seconds)


def _windows(campaign: Campaign, holidays: Mapping[date, bool]) -> Calendar | None:
    """When the campaign calls; None where its windows make no sense, so that it does not."""
    calendar = calendar_or_trouble(campaign, holidays)
    return None if isinstance(calendar, str) else calendar
