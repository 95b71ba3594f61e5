"""Why a campaign does not dial: its targets by what they wait for, and one number's trail. I/O.

Each count reads a partial index of its own, so that a million targets are counted in a moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, select

from domain.gate import FOR_GOOD, Refusal, Shut
from domain.states import Stand, TargetState
from store import do_not_call, gate
from store.columns import fixed
from store.consent import opted_out
from store.gate_rules import PHASE_ID
from store.models import Attempt, Import, Phase, Registration, Target, table
from store.standing import standing

_targets, _attempts, _imports = table(Target).c, table(Attempt).c, table(Import).c
_HERE = _targets.campaign_id == bindparam("campaign_id")
_READY = _targets.state == fixed(TargetState.READY)
_DUE = _targets.not_before <= bindparam("now")
_COUNT = select(func.count()).select_from(table(Target))
_DUE_NOW = _COUNT.where(_HERE, _READY, _DUE)
_DUE_LATER = _COUNT.where(_HERE, _READY, _targets.not_before > bindparam("now"))
_NEXT_DUE = select(func.min(_targets.not_before)).where(
    _HERE, _READY, _targets.not_before > bindparam("now")
)
_IN_THE_AIR = _COUNT.where(_HERE, _targets.state == fixed(TargetState.CLAIMED))
_HELD = (
    select(_targets.held_by, func.count(), func.min(_targets.not_before))
    .where(_HERE, _targets.held_by.is_not(None), _targets.not_before > bindparam("now"))
    .group_by(_targets.held_by)
)
_DONE = (
    select(_targets.outcome, func.count())
    .where(_HERE, _targets.state == fixed(TargetState.DONE))
    .group_by(_targets.outcome)
)
_ONE_TARGET = (
    select(table(Target), _imports.file_name, _imports.imported_at)
    .select_from(table(Target))
    .outerjoin(table(Import), _imports.id == _targets.import_id)
    .where(_HERE, _targets.msisdn == bindparam("of_msisdn"))
)
_DIALS = (
    select(_attempts.campaign_id, _attempts.started_at, _attempts.disposition)
    .where(_attempts.msisdn == bindparam("of_msisdn"))
    .order_by(_attempts.started_at)
)
_PHASE = (
    select(table(Phase))
    .select_from(table(Phase))
    .join(table(Target), table(Phase).c.id == PHASE_ID)
    .where(_targets.id == bindparam("target"))
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Targets of a campaign, each in one of these.

    `due`: to be judged now; `retry`: waits for its next (or first) dial; `held`: waits because of
    the gate, by reason; `in_the_air`: is being called, or settled; `done`: by outcome. `held_until`
    is when the first of those held is judged again.
    """

    due: int
    retry: int
    held: Mapping[str, int]
    in_the_air: int
    done: Mapping[str, int]
    next_due: datetime | None
    held_until: Mapping[str, datetime]

    @property
    def refused(self) -> dict[str, int]:
        """Those whom the gate has refused for good, by reason."""
        return {word: count for word, count in self.done.items() if word in FOR_GOOD}


def counts(connection: Connection, campaign_id: int, now: datetime) -> Counts:
    """Count a campaign's targets."""
    asked = {"campaign_id": campaign_id, "now": now}
    rows = connection.execute(_HELD, asked).all()
    held = {str(reason): count for reason, count, _ in rows}
    later = connection.execute(_DUE_LATER, asked).scalar_one()
    return Counts(
        due=connection.execute(_DUE_NOW, asked).scalar_one(),
        retry=later - sum(held.values()),
        held=held,
        in_the_air=connection.execute(_IN_THE_AIR, asked).scalar_one(),
        done={str(outcome): count for outcome, count in connection.execute(_DONE, asked)},
        next_due=connection.execute(_NEXT_DUE, asked).scalar_one(),
        held_until={str(reason): until for reason, _, until in rows},
    )


@dataclass(frozen=True, slots=True)
class Trail:
    """All that the gate looks at for one number of a campaign; `verdict` None: it may be dialled.

    `target` is None where the campaign does not have the number; it has the `file_name` and the
    `imported_at` of the file that brought it.
    """

    target: RowMapping | None
    verdict: Refusal | None
    opted_out: bool
    do_not_call: list[str]
    registration: Registration | None
    phase: RowMapping | None
    dials: list[dict[str, Any]]
    is_in_the_air: bool


def trail(connection: Connection, campaign_id: int, msisdn: str, now: datetime) -> Trail:
    """Judge one number as a claim would now, and give what it is judged by."""
    asked = {"campaign_id": campaign_id, "of_msisdn": msisdn}
    target = connection.execute(_ONE_TARGET, asked).mappings().one_or_none()
    dials = [dict(row) for row in connection.execute(_DIALS, asked).mappings()]
    phase = None
    if target is not None:
        phase = connection.execute(_PHASE, {"target": target["id"]}).mappings().one_or_none()
    is_waiting = target is not None and target["state"] == TargetState.READY
    return Trail(
        target=target,
        verdict=gate.judge(connection, target["id"], now) if target and is_waiting else None,
        opted_out=bool(opted_out(connection, [msisdn])),
        do_not_call=do_not_call.scopes_of(connection, msisdn),
        registration=standing(connection, [msisdn]).get(msisdn),
        phase=phase,
        dials=dials,
        is_in_the_air=any(dial["disposition"] is None for dial in dials),
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """How a number stands: `reason` is its outcome, or what the gate says; of a later one, said."""

    stand: Stand
    reason: str | None = None
    until: datetime | None = None


def finding(found: Trail, closed: Shut | None, now: datetime) -> Finding:
    """What a trail comes to, where `closed` is what the whole campaign waits for."""
    if found.target is None:
        return Finding(Stand.NOT_HERE)
    match found.target["state"]:
        case TargetState.DONE:
            return Finding(Stand.DONE, found.target["outcome"])
        case TargetState.CLAIMED:
            return Finding(Stand.IN_THE_AIR)
    due = found.target["not_before"]
    later = due if due > now else None
    if found.verdict is not None:
        return Finding(Stand.HELD, found.verdict, later)
    if later is not None:
        return Finding(Stand.LATER, found.target["held_by"], later)
    if closed is not None:
        return Finding(Stand.CLOSED, closed.reason, closed.until)
    return Finding(Stand.FREE)
