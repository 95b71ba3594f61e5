"""Joins the preview of knobs to the rows it starts from, for command line and pages. I/O."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dialer.brake_promise import agents_to_judge_by
from dialer.callbacks import backlog_of, staff_of
from dialer.preview import Agents, Knobs, Rates, preview
from dialer.retry import rules_from_row
from dialer.windows import calendar_by
from runtime.callback_wiring import callback_setting
from runtime.caps import shared
from runtime.settings import Settings
from store import campaigns, limits, pace_figures
from store.limits import Caps
from store.models import Campaign
from store.pace_figures import PaceFigures
from store.workload import Workload, workload


@dataclass(frozen=True, slots=True)
class Looked:
    """What was read for a preview."""

    campaign: Campaign
    numbers: int
    figures: PaceFigures
    caps: Mapping[str, Caps]
    load: Workload


def look(connection: Connection, name: str, settings: Settings, now: datetime) -> Looked:
    """Read what `previewed` needs. Raises InputError where there is no such campaign."""
    campaign = campaigns.by_name(connection, name)
    hours = callback_setting(settings).hours
    agents = agents_to_judge_by(connection, hours, now) or 0
    return Looked(
        campaign,
        pace_figures.numbers_left(connection, campaign.id),
        pace_figures.measured(connection, campaign.id, now),
        limits.read(connection),
        replace(workload(connection), agents=agents),
    )


def previewed(
    looked: Looked, changed: Mapping[str, Any], settings: Settings, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the knobs come to as they are, and with some columns changed; JSON values.

    Slow where thousands of call-backs wait: not for an event loop.
    """
    present = asdict(looked.campaign)
    return (
        _of(looked, present, settings, now),
        _of(looked, present | dict(changed), settings, now),
    )


def previewed_caps(
    looked: Looked, scope: str, caps: Caps, settings: Settings, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same, with other limits of the server or of a trunk. Slow as `previewed`."""
    columns = asdict(looked.campaign)
    after = replace(looked, caps={**looked.caps, scope: caps})
    return _of(looked, columns, settings, now), _of(after, columns, settings, now)


def _of(
    looked: Looked, columns: Mapping[str, Any], settings: Settings, now: datetime
) -> dict[str, Any]:
    caps_shared = shared(looked.caps, settings)
    knobs = Knobs(
        cps=columns["cps"],
        max_channels=columns["max_channels"],
        max_attempts=columns["max_attempts"],
        retry=rules_from_row(columns["retry"]),
        windows=calendar_by(columns, settings.calendar.holidays),
        shared_cps=min(caps.cps for caps in caps_shared),
        shared_channels=min(caps.max_channels for caps in caps_shared),
    )
    setting = callback_setting(settings)
    agents = Agents(
        staff_of(looked.load, setting),
        setting.hours,
        settings.callbacks.target_by,
        backlog_of(looked.load, now),
    )
    return asdict(preview(looked.numbers, knobs, _rates(looked.figures), agents, now))


def _rates(figures: PaceFigures) -> Rates:
    return Rates(
        calls=figures.calls,
        answer_rate=figures.answer_rate,
        ring_seconds=figures.ring_seconds,
        talk_seconds=figures.talk_seconds,
        key_1_rate=figures.key_1_rate,
        missed=figures.missed,
    )
