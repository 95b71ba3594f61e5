"""What a rehearsal starts from: the targets that are ready, and what the gate says of them. I/O."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    func,
    literal_column,
    select,
)

from domain.gate import FOR_GOOD, ROLLING, Refusal, midnight, phase_opens_at
from domain.states import ContactScope, Purpose, TargetState
from store.columns import UtcDateTime, fixed
from store.gate import moments
from store.gate_rules import CALLED_LATELY, PHASE_ID, REASONS
from store.models import Attempt, Campaign, Phase, Target, table

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ready:
    """The targets of a campaign that wait for a dial.

    Attributes:
        audience: by (attempts made, full minutes until they may be dialled, and until the phase of
            their place has closed: None where it does not).
        left_out: never dialled, as the gate refuses them for good; by its reason.
        held: of the audience, those whom the gate holds up for now; by its reason.
    """

    audience: Counter[tuple[int, int, int | None]] = field(default_factory=Counter)
    left_out: Counter[Refusal] = field(default_factory=Counter)
    held: Counter[Refusal] = field(default_factory=Counter)


_target, _campaign, _phase = table(Target).c, table(Campaign).c, table(Phase).c
_NOW = bindparam("now", type_=UtcDateTime)
_LAST_CALL = (
    select(func.max(table(Attempt).c.started_at))
    .where(CALLED_LATELY)
    .correlate(table(Target))
    .scalar_subquery()
    .label("last_call")
)


def ready_targets(connection: Connection, campaign: Campaign, now: datetime) -> Ready:
    """Judge every ready target as a claim would; those that are due are counted by the database."""
    seen = _seen(campaign)
    same = (_target.attempts_made, *seen)
    due = _waiting(campaign, *same, func.count().label("count")).where(_target.not_before <= _NOW)
    due = due.group_by(*(literal_column(str(place + 1)) for place in range(len(same))))
    later = _waiting(campaign, *same, _target.not_before).where(_target.not_before > _NOW)
    asked = {"campaign": campaign.id, **moments(now)}
    ready = Ready()
    for chosen in (due, later):
        for row in connection.execute(chosen, asked):
            _sort_in(ready, row, now)
    return ready


def _seen(campaign: Campaign) -> list[ColumnElement[Any]]:
    """What the gate sees of each target: only what a campaign of that kind needs is looked up."""
    seen: list[ColumnElement[Any]] = [REASONS[ContactScope.VOICE]]
    if campaign.by_phase:
        seen += [_phase.opens_on, _phase.closes_on]
    if campaign.purpose == Purpose.ADVERTISING:
        seen.append(_LAST_CALL)
    return seen


def _waiting(campaign: Campaign, *columns: ColumnElement[Any]) -> Select[Any]:
    chosen = (
        select(*columns)
        .select_from(table(Target))
        .join(table(Campaign), _campaign.id == _target.campaign_id)
        .where(
            _target.campaign_id == bindparam("campaign"),
            _target.state == fixed(TargetState.READY),
        )
    )
    return chosen.outerjoin(table(Phase), _phase.id == PHASE_ID) if campaign.by_phase else chosen


def _sort_in(ready: Ready, row: Row[Any], now: datetime) -> None:
    values = row._mapping
    count = values.get("count", 1)
    reason = Refusal(values["reason"]) if values["reason"] else None
    at = _dialled_from(reason, values, now)
    if at is None:
        assert reason is not None  # noqa: S101 - for the type
        ready.left_out[reason] += count
        return
    due = -((now - at) // _MINUTE)
    ready.audience[values["attempts_made"], due, _closes_in(values, now)] += count
    if reason is not None:
        ready.held[reason] += count


def _closes_in(values: Any, now: datetime) -> int | None:
    """In how many full minutes the phase of the target's place has closed."""
    last_day = values.get("closes_on")
    return None if last_day is None else (midnight(last_day + _DAY) - now) // _MINUTE


def _dialled_from(reason: Refusal | None, values: Any, now: datetime) -> datetime | None:
    """When the target may be dialled; None: never, unless somebody does something about it."""
    bounds: list[datetime] = [now, values.get("not_before", now)]
    if reason in FOR_GOOD:
        return None
    if reason is Refusal.PHASE_CLOSED:
        opens_on, closes_on = values["opens_on"], values["closes_on"]
        opens_at = phase_opens_at(opens_on, closes_on, now) if opens_on is not None else None
        if opens_at is None:
            return None
        bounds.append(opens_at)
    if reason is Refusal.BUSY_ELSEWHERE:
        bounds.append(now + _MINUTE)
    if last_call := values.get("last_call"):
        bounds.append(last_call + ROLLING)
    return max(bounds)
