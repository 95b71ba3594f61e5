"""The rules of the gate that rows decide, as conditions of a statement; one set for all. Pure.

`store.gate` judges targets by them in the claim, `store.gate_texts` what waits in the outbox.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    String,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
)

from domain.addresses import Scheme
from domain.dispositions import Disposition
from domain.erasure import MARK
from domain.gate import MOST_CALLS, Refusal
from domain.states import AttemptState, ContactScope, Purpose, RegistrationState
from store.columns import UtcDateTime, fixed
from store.models import Attempt, Campaign, DoNotCall, OptOut, Phase, Registration, Target, table

_campaigns, _targets, _attempts = table(Campaign).c, table(Target).c, table(Attempt).c
_registrations, _opt_outs = table(Registration).c, table(OptOut).c
_do_not_call = table(DoNotCall).c
_phases, _of_place = table(Phase).c, table(Phase).alias("of_place").c
_ONE = literal_column("1", Integer)
_MARK = literal_column(f"'{MARK}'", String(1))


def found(chosen: Select[Any]) -> ColumnElement[bool]:
    """Whether a sub-select finds a row.

    By value, since for EXISTS PostgreSQL may choose to hash the whole table.
    """
    return chosen.limit(_ONE).scalar_subquery().is_not(None)


def opted_out(msisdn: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a number wants no more invitations."""
    return found(select(_ONE).where(_opt_outs.msisdn == msisdn))


def _do_not_call_by(msisdn: ColumnElement[Any], other_way: ContactScope) -> ColumnElement[bool]:
    """That a number is on a do-not-call list of any scope but `other_way`."""
    listed = (_do_not_call.msisdn == msisdn) & (_do_not_call.scope != fixed(other_way))
    return found(select(_ONE).where(listed))


def registered(msisdn: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a number has an open registration."""
    is_open = _registrations.state == fixed(RegistrationState.OPEN)
    return found(select(_ONE).where(_registrations.msisdn == msisdn, is_open))


Rule = tuple[ColumnElement[bool], Refusal]
_OTHER_WAY = {
    ContactScope.VOICE: ContactScope.SMS,
    ContactScope.SMS: ContactScope.VOICE,
}


def of_number(msisdn: ColumnElement[Any], way: ContactScope) -> tuple[Rule, ...]:
    """What its own rows say against contacting a number by `way`, whatever it is contacted for."""
    return (
        (func.substr(msisdn, 1, 1) == _MARK, Refusal.ERASED),
        (opted_out(msisdn), Refusal.OPTED_OUT),
        (_do_not_call_by(msisdn, _OTHER_WAY[way]), Refusal.DO_NOT_CALL),
        (registered(msisdn), Refusal.ALREADY_REGISTERED),
    )


def first_broken(*rules: Rule) -> ColumnElement[Any]:
    """The first rule that is broken, as a column `reason`; null where none is."""
    return case(*((broken, fixed(refusal)) for broken, refusal in rules)).label("reason")


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
PHASE: Rule = (_campaigns.by_phase & ~_PHASE_IS_OPEN, Refusal.PHASE_CLOSED)
"""Of a target and its campaign; needs `today`."""
PHASE_IS_OVER = _campaigns.by_phase & found(
    select(_ONE).where(_phases.id == PHASE_ID, _phases.closes_on < _TODAY)
)
"""That the phase of its place has closed for good, unless another is loaded; likewise."""
_IN_THE_AIR = found(
    select(_ONE).where(
        _attempts.msisdn == _targets.msisdn, _attempts.state != fixed(AttemptState.ENDED)
    )
)
_COUNTS_AS_CALL = or_(
    _attempts.disposition.is_(None), _attempts.disposition != fixed(Disposition.NOT_DIALLED)
)
CALLED_LATELY = (
    (_attempts.msisdn == _targets.msisdn)
    & (_attempts.started_at > bindparam("day_ago", type_=UtcDateTime))
    & _COUNTS_AS_CALL
)
_CAPPED = select(func.count()).select_from(table(Attempt)).where(CALLED_LATELY).correlate(
    table(Target)
).scalar_subquery() >= literal_column(str(MOST_CALLS))
_OF_CALLS: tuple[Rule, ...] = (
    # Before the cap: a call that is under way may yet turn out not to have been dialled.
    (_IN_THE_AIR, Refusal.BUSY_ELSEWHERE),
    ((_campaigns.purpose == fixed(Purpose.ADVERTISING)) & _CAPPED, Refusal.CAPPED),
)
"""A text knows how many went out only at its send, where `store.gate_texts` counts them."""


def _reason_by(way: ContactScope) -> ColumnElement[Any]:
    return first_broken(
        *of_number(_targets.msisdn, way),
        (_targets.attempts_made >= _campaigns.max_attempts, Refusal.ATTEMPTS_SPENT),
        PHASE,
        *(_OF_CALLS if way is ContactScope.VOICE else ()),
    )


REASONS = {way: _reason_by(way) for way in (ContactScope.VOICE, ContactScope.SMS)}
"""Why a target is not contacted now: the verdict, by the way of its campaign."""
