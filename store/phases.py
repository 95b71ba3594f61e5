"""When places are invited (R8): loaded from files, read by the gate; who came too late. I/O."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Date, bindparam, delete, func, null, select, update

from domain.addresses import Scheme
from domain.clock import to_local
from domain.gate import Refusal
from domain.states import CampaignState, TargetState
from store import gate, history
from store.columns import fixed
from store.gate_rules import PHASE_ID
from store.history import happening
from store.models import Campaign, Phase, Target, table
from store.statements import among

_TODAY = bindparam("today", type_=Date)
_phases, _targets, _campaigns = table(Phase).c, table(Target).c, table(Campaign).c
_LAST_DAY = (
    select(_targets.msisdn, func.max(_phases.closes_on))
    .select_from(table(Target))
    .join(table(Campaign), _campaigns.id == _targets.campaign_id)
    .join(table(Phase), _phases.id == PHASE_ID)
    .where(among(_targets.msisdn, "msisdns"), _campaigns.by_phase)
    .group_by(_targets.msisdn)
    .having(func.count() == func.count(_phases.closes_on))
)
_WILL_BE_OPEN = (
    select(_phases.id)
    .where(_phases.id == PHASE_ID, func.coalesce(_phases.closes_on, _TODAY) >= _TODAY)
    .exists()
)
_ENDED = (
    select(_targets.id)
    .where(
        _targets.campaign_id == bindparam("of_campaign"),
        _targets.state == fixed(TargetState.DONE),
        _targets.outcome == fixed(Refusal.PHASE_CLOSED),
        _WILL_BE_OPEN,
    )
    .order_by(_targets.id)
)
_BRING_BACK = (
    update(table(Target))
    # Not by the index of states: without statistics SQLite would look through all that are done.
    .where(among(_targets.id, "ids"), func.coalesce(_targets.state, "") == fixed(TargetState.DONE))
    .values(
        state=fixed(TargetState.READY), outcome=null(), held_by=null(), not_before=bindparam("now")
    )
)
_BY_PHASE = (
    select(_campaigns.id)
    .where(_campaigns.by_phase, _campaigns.state != fixed(CampaignState.STOPPED))
    .order_by(_campaigns.id)
)


@dataclass(frozen=True, slots=True)
class NewPhase:
    """The local days, both included, on which a province or one of its districts is invited."""

    scheme: Scheme
    province_code: str
    district_code: str | None
    opens_on: date
    closes_on: date | None


def put(connection: Connection, phases: Sequence[NewPhase], by: str, now: datetime) -> None:
    """Set the phases of these places; those of other places stay."""
    for phase in phases:
        same_district = (
            _phases.district_code.is_(None)
            if phase.district_code is None
            else _phases.district_code == phase.district_code
        )
        same_place = (_phases.scheme == phase.scheme, _phases.province_code == phase.province_code)
        connection.execute(delete(table(Phase)).where(*same_place, same_district))
        connection.execute(table(Phase).insert().values(**asdict(phase)))
    history.add(connection, [happening("phases_loaded", now, places=len(phases), by=by)])


def all_of(connection: Connection) -> list[dict[str, Any]]:
    """Every phase, by place; a province before its districts."""
    order = (_phases.scheme, _phases.province_code, _phases.district_code.is_not(None))
    rows = connection.execute(select(table(Phase)).order_by(*order, _phases.district_code))
    return [dict(row) for row in rows.mappings()]


def campaigns_by_phase(connection: Connection) -> list[int]:
    """The campaigns that heed phases, and are not stopped."""
    return list(connection.execute(_BY_PHASE).scalars())


def release(connection: Connection, campaign_id: int, limit: int, now: datetime) -> int:
    """Let up to `limit` targets that wait for their phase be judged anew; give how many."""
    return gate.release(connection, campaign_id, Refusal.PHASE_CLOSED, limit, now)


def ended_too_early(connection: Connection, campaign_id: int, now: datetime) -> Sequence[int]:
    """The targets that had ended with the phase of their place, where it goes on by now.

    For a reading: where most places stay closed it looks through many.
    """
    wanted = {"of_campaign": campaign_id, "today": to_local(now).date()}
    return connection.execute(_ENDED, wanted).scalars().all()


def bring_back(connection: Connection, target_ids: Sequence[int], now: datetime) -> int:
    """Let targets that had ended be judged anew; give how many had not been brought back yet."""
    return connection.execute(_BRING_BACK, {"ids": target_ids, "now": now}).rowcount


def last_days(connection: Connection, msisdns: Sequence[str]) -> dict[str, date]:
    """When the phase of their place ends, for numbers whose campaigns by phase all have an end."""
    if not msisdns:
        return {}
    return dict(connection.execute(_LAST_DAY, {"msisdns": msisdns}).all())


def is_late(at: datetime, last_day: date | None) -> bool:
    """Whether a request comes after its place's phase has closed."""
    return last_day is not None and to_local(at).date() > last_day
