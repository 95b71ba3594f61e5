"""The gate before every call: one verdict on each target, given within the claim itself. I/O.

First attempt and retry alike pass here. The rules that need no row are in `domain.gate`; texts are
judged in `store.gate_texts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Integer,
    Select,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    update,
)

from domain.addresses import Scheme
from domain.clock import to_local
from domain.dispositions import Disposition
from domain.gate import FOR_GOOD, MOST_CALLS, ROLLING, Refusal, cap_frees_at, phase_opens_at
from domain.states import (
    AttemptState,
    CampaignState,
    ContactScope,
    Purpose,
    RegistrationState,
    TargetState,
)
from store.columns import UtcDateTime, fixed
from store.models import Attempt, Campaign, DoNotCall, OptOut, Phase, Registration, Target, table
from store.statements import among

_BUSY_ELSEWHERE = timedelta(seconds=60)

_campaigns, _targets, _attempts = table(Campaign).c, table(Target).c, table(Attempt).c
_registrations, _opt_outs = table(Registration).c, table(OptOut).c
_do_not_call = table(DoNotCall).c
_phases, _of_place = table(Phase).c, table(Phase).alias("of_place").c
_ONE = literal_column("1", Integer)


def found(chosen: Select[Any]) -> ColumnElement[bool]:
    """Whether a sub-select finds a row.

    By value, since for EXISTS PostgreSQL may choose to hash the whole table.
    """
    return chosen.limit(_ONE).scalar_subquery().is_not(None)


def opted_out(msisdn: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a number wants no more invitations."""
    return found(select(_ONE).where(_opt_outs.msisdn == msisdn))


def do_not_call(msisdn: ColumnElement[Any], other_way: ContactScope) -> ColumnElement[bool]:
    """That a number is on a do-not-call list of any scope but `other_way`."""
    listed = (_do_not_call.msisdn == msisdn) & (_do_not_call.scope != fixed(other_way))
    return found(select(_ONE).where(listed))


def registered(msisdn: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a number has an open registration."""
    is_open = _registrations.state == fixed(RegistrationState.OPEN)
    return found(select(_ONE).where(_registrations.msisdn == msisdn, is_open))


# The district's own phase goes before its province's.
PHASE_ID = (
    select(_of_place.id)
    .where(
        _of_place.scheme == fixed(Scheme.VN_2021),
        _of_place.province_code == _targets.province_code,
        or_(_of_place.district_code == _targets.district_code, _of_place.district_code.is_(None)),
    )
    .order_by(_of_place.district_code.is_(None))
    .limit(_ONE)
    .correlate(table(Target))
    .scalar_subquery()
)
_TODAY = bindparam("today", type_=Date)
_PHASE_IS_OPEN = found(
    select(_ONE).where(
        _phases.id == PHASE_ID,
        _phases.opens_on <= _TODAY,
        or_(_phases.closes_on.is_(None), _phases.closes_on >= _TODAY),
    )
)
_IN_THE_AIR = found(
    select(_ONE).where(
        _attempts.msisdn == _targets.msisdn, _attempts.state != fixed(AttemptState.ENDED)
    )
)
_COUNTS_AS_CALL = or_(
    _attempts.disposition.is_(None), _attempts.disposition != fixed(Disposition.NOT_DIALLED)
)
_CALLED_LATELY = (
    (_attempts.msisdn == _targets.msisdn)
    & (_attempts.started_at > bindparam("day_ago", type_=UtcDateTime))
    & _COUNTS_AS_CALL
)
_CAPPED = select(func.count()).select_from(table(Attempt)).where(_CALLED_LATELY).correlate(
    table(Target)
).scalar_subquery() >= literal_column(str(MOST_CALLS))
_REASON = case(
    (opted_out(_targets.msisdn), fixed(Refusal.OPTED_OUT)),
    (do_not_call(_targets.msisdn, ContactScope.SMS), fixed(Refusal.DO_NOT_CALL)),
    (registered(_targets.msisdn), fixed(Refusal.ALREADY_REGISTERED)),
    (_targets.attempts_made >= _campaigns.max_attempts, fixed(Refusal.ATTEMPTS_SPENT)),
    (_campaigns.by_phase & ~_PHASE_IS_OPEN, fixed(Refusal.PHASE_CLOSED)),
    # Before the cap: a call that is under way may yet turn out not to have been dialled.
    (_IN_THE_AIR, fixed(Refusal.BUSY_ELSEWHERE)),
    ((_campaigns.purpose == fixed(Purpose.ADVERTISING)) & _CAPPED, fixed(Refusal.CAPPED)),
).label("reason")
_JUDGED = select(_targets.id, _REASON).join(table(Campaign), _campaigns.id == _targets.campaign_id)
_NEXT_READY = (
    _JUDGED.where(
        _targets.campaign_id == bindparam("campaign_id"),
        _targets.state == fixed(TargetState.READY),
        _targets.not_before <= bindparam("now"),
        _campaigns.state == fixed(CampaignState.RUNNING),
    )
    .order_by(_targets.not_before, _targets.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, of=table(Target))
)
_THIS_ONE = _JUDGED.where(_targets.id == bindparam("target"))
_PHASES_OF = (
    select(_targets.id, _phases.opens_on, _phases.closes_on)
    .select_from(table(Target))
    .outerjoin(table(Phase), _phases.id == PHASE_ID)
    .where(among(_targets.id, "ids"))
)
_CALLS_OF = (
    select(_targets.id, _attempts.started_at)
    .select_from(table(Target))
    .join(table(Attempt), _CALLED_LATELY)
    .where(among(_targets.id, "ids"))
)
_END = (
    update(table(Target))
    .where(among(_targets.id, "ids"))
    .values(state=fixed(TargetState.DONE), outcome=bindparam("reason"), held_by=None)
)
_HOLD = (
    update(table(Target))
    .where(_targets.id == bindparam("target"))
    .values(not_before=bindparam("until"), held_by=bindparam("reason"))
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A target that may be dialled now, or the reason why not."""

    target_id: int
    reason: Refusal | None


def next_ready(connection: Connection, campaign_id: int, limit: int, now: datetime) -> list[Judged]:
    """The next targets of a running campaign that are due, locked, each with its verdict."""
    wanted = {"campaign_id": campaign_id, "limit": limit, **_moments(now)}
    rows = connection.execute(_NEXT_READY, wanted)
    return [Judged(target, Refusal(why) if why else None) for target, why in rows]


def judge(connection: Connection, target_id: int, now: datetime) -> Refusal | None:
    """The verdict on one target, whatever it waits for."""
    row = connection.execute(_THIS_ONE, {"target": target_id, **_moments(now)}).one()
    return Refusal(row.reason) if row.reason else None


def turn_away(connection: Connection, refused: Sequence[Judged], now: datetime) -> None:
    """End what is refused for good; let the others wait until they may be judged anew."""
    by_reason: dict[Refusal, list[int]] = {}
    for each in refused:
        if each.reason is not None:
            by_reason.setdefault(each.reason, []).append(each.target_id)
    for reason, ids in by_reason.items():
        if reason in FOR_GOOD:
            connection.execute(_END, {"ids": ids, "reason": reason})
        else:
            _let_wait(connection, reason, _until(connection, reason, ids, now))


def _let_wait(connection: Connection, reason: Refusal, until: dict[int, datetime | None]) -> None:
    """Hold targets until their moment; those without one have nothing left to wait for."""
    over = [target for target, at in until.items() if at is None]
    waits = [
        {"target": target, "until": at, "reason": reason}
        for target, at in until.items()
        if at is not None
    ]
    if over:
        connection.execute(_END, {"ids": over, "reason": reason})
    if waits:
        connection.execute(_HOLD, waits)


def _until(
    connection: Connection, reason: Refusal, ids: Sequence[int], now: datetime
) -> dict[int, datetime | None]:
    """When each target may be judged anew; None where never."""
    if reason is Refusal.PHASE_CLOSED:
        places = connection.execute(_PHASES_OF, {"ids": ids})
        return {target: phase_opens_at(opens, closes, now) for target, opens, closes in places}
    if reason is Refusal.CAPPED:
        calls: dict[int, list[datetime]] = {}
        for target, at in connection.execute(_CALLS_OF, {"ids": ids, **_moments(now)}):
            calls.setdefault(target, []).append(at)
        return {target: cap_frees_at(at, MOST_CALLS, now) or now for target, at in calls.items()}
    return dict.fromkeys(ids, now + _BUSY_ELSEWHERE)


def _moments(now: datetime) -> dict[str, Any]:
    return {"now": now, "today": to_local(now).date(), "day_ago": now - ROLLING}
