"""Recycling: numbers that are done with are dialled once more, where nothing forbids it. I/O.

Explicit and filtered: only the outcomes that are named, and never a number that has registered,
has opted out, or stands on a do-not-call list. Attempts made go on counting: who was dialled
`max_attempts` times stays as he is until the campaign allows more, and whose phase is over until
it is loaded anew: the gate would end them again at once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, null, or_, select, update

from domain.clock import to_local
from domain.dispositions import Disposition
from domain.erasure import MARK
from domain.errors import InputError
from domain.gate import Refusal
from domain.states import CampaignKind, CampaignState, ContactScope, RegistrationState, TargetState
from store import history
from store.columns import fixed
from store.gate_rules import PHASE_IS_OVER
from store.history import happening
from store.models import (
    Attempt,
    Campaign,
    DoNotCall,
    OptOut,
    Registration,
    Target,
    table,
)
from store.statements import among

_NEVER = (Disposition.ANSWERED, Disposition.INVALID_NUMBER, Disposition.NOT_DIALLED)
_REFUSALS = (Refusal.PHASE_CLOSED, Refusal.ATTEMPTS_SPENT, Refusal.DO_NOT_CALL)
RECYCLABLE = (*(str(word) for word in Disposition if word not in _NEVER), *map(str, _REFUSALS))
"""Outcomes after which a number may be dialled again: it exists, and nobody has answered.

Or the gate has refused it by a phase, a knob or a list that may have been mended since.
"""
AT_ONCE = 2000
"""Numbers that one transaction looks at."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which numbers: `province` is an official code, or the name as the file had it.

    `ended_before` is when their last dial must have ended.
    """

    campaign_id: int
    outcomes: Sequence[str]
    province: str | None = None
    ended_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """Numbers that would be dialled again, by outcome; and those that would not.

    `stopped`: registered, opted out, on a list. `spent`: dialled as often as the campaign allows.
    `over`: the phase of their place is.
    """

    back: dict[str, int]
    stopped: int
    spent: int
    over: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step did: numbers by outcome, and where the next one begins (None: that was all)."""

    recycled: dict[str, int]
    last: str | None


_target, _attempt, _campaign = table(Target).c, table(Attempt).c, table(Campaign).c
_registration, _opt_out, _listed = table(Registration).c, table(OptOut).c, table(DoNotCall).c
_STOPPED = or_(
    _target.msisdn.startswith(MARK, autoescape=True),  # taken out: nobody's number any more
    select(_registration.id)
    .where(
        _registration.msisdn == _target.msisdn,
        _registration.state != fixed(RegistrationState.CANCELLED),
    )
    .exists(),
    select(_opt_out.id).where(_opt_out.msisdn == _target.msisdn).exists(),
    select(_listed.msisdn)
    .where(_listed.msisdn == _target.msisdn, _listed.scope != fixed(ContactScope.SMS))
    .exists(),
)
_SPENT = (
    select(_campaign.id)
    .where(_campaign.id == _target.campaign_id, _campaign.max_attempts <= _target.attempts_made)
    .exists()
)
_OVER = select(_campaign.id).where(_campaign.id == _target.campaign_id, PHASE_IS_OVER).exists()
_BACK = (
    update(table(Target))
    .where(among(_target.id, "ids"), _target.state == fixed(TargetState.DONE))
    .values(state=fixed(TargetState.READY), outcome=null(), held_by=null())
    .returning(_target.id)
)


def choice(
    campaign: Campaign, outcomes: Sequence[str], province: str | None, before: datetime | None
) -> Choice:
    """Raises InputError for an outcome that forbids another dial, a stopped campaign, or texts."""
    if campaign.state == CampaignState.STOPPED:
        raise InputError(f"campaign {campaign.name!r} is stopped: nothing of it is dialled again")
    if campaign.kind == CampaignKind.TEXT:
        raise InputError(f"campaign {campaign.name!r} sends texts: nobody is sent one twice")
    wrong = [word for word in outcomes if word not in RECYCLABLE]
    if wrong or not outcomes:
        raise InputError(
            f"{', '.join(wrong) or 'no outcome'}: can't be recycled; these can: "
            f"{', '.join(RECYCLABLE)}"
        )
    return Choice(campaign.id, sorted(set(outcomes)), province, before)


def preview(connection: Connection, chosen: Choice, now: datetime) -> Look:
    """How many would be dialled again, and how many not."""
    where = _chosen(chosen)
    every, free = _count(connection, where), _count(connection, and_(where, ~_STOPPED))
    unspent = _count(connection, and_(where, ~_STOPPED, ~_SPENT))
    back = _count(connection, and_(where, ~_STOPPED, ~_SPENT, ~_OVER), now)
    left = [sum(each.values()) for each in (every, free, unspent, back)]
    stopped, spent, over = (before - after for before, after in pairwise(left))
    return Look(back, stopped, spent, over)


def recycle(connection: Connection, chosen: Choice, now: datetime, after: str = "") -> Batch:
    """Put the next AT_ONCE numbers after `after` back; each step leaves its event."""
    rows = connection.execute(
        select(_target.id, _target.msisdn, _target.outcome)
        .where(_chosen(chosen), ~_STOPPED, ~_SPENT, ~_OVER, _target.msisdn > after)
        .order_by(_target.msisdn)
        .limit(AT_ONCE)
        .with_for_update(of=table(Target)),
        {"today": to_local(now).date()},
    ).all()
    done = connection.execute(
        _BACK.values(not_before=now), {"ids": [row.id for row in rows]}
    ).scalars()
    back = set(done)
    counts = dict(Counter(row.outcome for row in rows if row.id in back))
    if counts:
        _record(connection, chosen, counts, now)
    return Batch(counts, rows[-1].msisdn if len(rows) == AT_ONCE else None)


def _count(
    connection: Connection, where: ColumnElement[bool], now: datetime | None = None
) -> dict[str, int]:
    rows = connection.execute(
        select(_target.outcome, func.count()).where(where).group_by(_target.outcome),
        {} if now is None else {"today": to_local(now).date()},
    )
    return {str(word): count for word, count in rows}


def _chosen(chosen: Choice) -> ColumnElement[bool]:
    conditions: list[Any] = [
        _target.campaign_id == chosen.campaign_id,
        _target.state == fixed(TargetState.DONE),
        _target.outcome.in_(chosen.outcomes),
    ]
    if chosen.province is not None:
        conditions.append(
            or_(_target.province_code == chosen.province, _target.province == chosen.province)
        )
    if chosen.ended_before is not None:
        later = select(_attempt.id).where(
            _attempt.target_id == _target.id, _attempt.ended_at >= chosen.ended_before
        )
        conditions.append(~later.exists())
    return and_(*conditions)


def _record(connection: Connection, chosen: Choice, counts: dict[str, int], now: datetime) -> None:
    before = chosen.ended_before
    event = happening(
        "campaign_recycled",
        now,
        campaign_id=chosen.campaign_id,
        recycled=counts,
        outcomes=list(chosen.outcomes),
        province=chosen.province,
        ended_before=None if before is None else before.isoformat(),
    )
    history.add(connection, [event])
