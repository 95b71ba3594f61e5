"""Calls that try a script out: asked for, taken by one server, told of, closed. I/O.

Such a call is made to the phone of whoever asks for it. The law protects subscribers from
invitations that they did not ask for; here the one who is called has asked, so windows, holidays,
phases, opt-outs, do-not-call lists and the caps of a number do not apply. Nothing of it counts: it
is no attempt of a target, and what its keys ask for is heard and not done. What keeps it from being
misused are the limits of `ask`, and that the audit names who asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, String, bindparam, case, func, or_, select, update

from domain.dispositions import Disposition
from domain.errors import InputError
from domain.states import AttemptState, Purpose, TrialState
from store import history
from store.claims import Claimed
from store.columns import UtcDateTime, fixed
from store.facts import TrialCallStood
from store.history import happening
from store.models import Attempt, Campaign, TrialCall, table
from store.statements import insert_new

MOST_AN_HOUR = 10
"""Of one person."""
MOST_A_DAY = 10
"""To one number, whoever asks."""
PATIENCE = timedelta(seconds=30)
"""No server has dialled a call so long after it was asked for: nobody waits for it any more."""
NOBODYS_TARGET = 0
_GRACE = timedelta(seconds=60)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

_call, _attempts = table(TrialCall).c, table(Attempt).c
_OPEN = _call.ended_at.is_(None)
_NEW = insert_new(TrialCall, _call.id)
_IS_ASKED = select(_call.id).where(_OPEN, _call.node.is_(None)).limit(1)
_NEXT = (
    select(table(TrialCall))
    .where(
        _OPEN,
        _call.node.is_(None),
        ~select(_attempts.id)
        .where(_attempts.msisdn == _call.msisdn, _attempts.state != fixed(AttemptState.ENDED))
        .exists(),
    )
    .order_by(_call.asked_at)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_IN_USE = (
    select(_call.trunk, func.count()).where(_OPEN, _call.node.is_not(None)).group_by(_call.trunk)
)
_LONGER = func.length(bindparam("heard", type_=String)) > func.length(_call["keys"])
_NOT_KNOWN = _call.disposition == fixed(Disposition.UNKNOWN)
_STAND = (
    update(table(TrialCall))
    .where(_call.id == bindparam("call"))
    .values(
        answered_at=func.coalesce(_call.answered_at, bindparam("answered", type_=UtcDateTime)),
        keys=case((_LONGER, bindparam("heard", type_=String)), else_=_call["keys"]),
    )
)
_END = (
    update(table(TrialCall))
    .where(_call.id == bindparam("call"), or_(_OPEN, _NOT_KNOWN))
    .values(
        ended_at=bindparam("at", type_=UtcDateTime),
        disposition=bindparam("how"),
        hangup_cause=bindparam("cause"),
    )
)
_UNSEEN = case(
    (_call.answered_at.is_not(None), fixed(Disposition.ANSWERED)),
    else_=fixed(Disposition.UNKNOWN),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants to hear which script, on which phone."""

    campaign: Campaign
    msisdn: str
    script_version: str
    by: str


def ask(connection: Connection, asked: Asked, now: datetime) -> TrialCall:
    """Write a call down, for a server to dial it within its next second.

    Raises InputError where somebody is being called there, or it was asked for too often.
    """
    expire(connection, now)
    if _count(connection, now - _HOUR, _call.asked_by == asked.by) >= MOST_AN_HOUR:
        raise InputError("too many test calls: ten an hour are allowed")
    if _count(connection, now - _DAY, _call.msisdn == asked.msisdn) >= MOST_A_DAY:
        raise InputError("too many test calls to this number: ten a day are allowed")
    values: dict[str, Any] = {
        "id": uuid4(),
        "campaign_id": asked.campaign.id,
        "msisdn": asked.msisdn,
        "script_version": asked.script_version,
        "ring_timeout_seconds": asked.campaign.ring_timeout_seconds,
        "may_refuse": asked.campaign.purpose == Purpose.ADVERTISING,
        "asked_by": asked.by,
        "asked_at": now,
        "keys": "",
    }
    if connection.execute(_NEW[connection.dialect.name], values).first() is None:
        raise InputError("a test call to this number is under way")
    told = happening(
        "trial_call_asked",
        now,
        msisdn=asked.msisdn,
        campaign_id=asked.campaign.id,
        by=asked.by,
        script_version=asked.script_version,
    )
    history.add(connection, [told])
    return TrialCall(**values)


def expire(connection: Connection, now: datetime) -> None:
    """End what no server has taken in time, so that nobody is called who waits no more."""
    late = (_OPEN, _call.node.is_(None), _call.asked_at < now - PATIENCE)
    values = {"ended_at": now, "disposition": Disposition.NOT_DIALLED}
    connection.execute(update(table(TrialCall)).where(*late).values(values))


def is_asked(connection: Connection) -> bool:
    """Whether any call waits for a server."""
    return connection.execute(_IS_ASKED).first() is not None


def take(
    connection: Connection, node: str, trunk: str, max_call_seconds: int, now: datetime
) -> Claimed | None:
    """Write ahead: the next call is this node's, which alone may dial it, once.

    A number that a campaign is calling is waited for; who has waited too long is not called.
    """
    expire(connection, now)
    row = connection.execute(_NEXT).mappings().first()
    if row is None:
        return None
    longest = timedelta(seconds=row["ring_timeout_seconds"] + max_call_seconds)
    values = {
        "node": node,
        "trunk": trunk,
        "started_at": now,
        "deadline_at": now + longest + _GRACE,
    }
    connection.execute(update(table(TrialCall)).where(_call.id == row["id"]).values(values))
    return Claimed(
        attempt_id=row["id"],
        target_id=NOBODYS_TARGET,
        campaign_id=row["campaign_id"],
        msisdn=row["msisdn"],
        trunk=trunk,
        script_version=row["script_version"],
        ring_timeout_seconds=row["ring_timeout_seconds"],
        started_at=now,
        may_refuse=row["may_refuse"],
        is_trial=True,
    )


def record(connection: Connection, facts: Sequence[TrialCallStood]) -> None:
    """Bring rows as far as their calls have come; told again, late or out of order it is the same.

    A known end replaces `unknown`; nothing replaces a known end.
    """
    stands = [
        {"call": fact.call_id, "answered": fact.answered_at, "heard": fact.keys} for fact in facts
    ]
    connection.execute(_STAND, stands)
    for fact in facts:
        if fact.ended_at is not None:
            end = {"call": fact.call_id, "at": fact.ended_at, "how": fact.disposition}
            connection.execute(_END, {**end, "cause": fact.hangup_cause})


def open_channels(connection: Connection) -> dict[tuple[int, str], int]:
    """How many are under way, by trunk, as `store.attempts.open_channels`; of no campaign."""
    return {(NOBODYS_TARGET, trunk): count for trunk, count in connection.execute(_IN_USE)}


def overdue(connection: Connection, now: datetime) -> list[UUID]:
    """Those that should long have ended, whoever dialled them."""
    return list(
        connection.execute(select(_call.id).where(_OPEN, _call.deadline_at < now)).scalars()
    )


def close_on(connection: Connection, node: str, now: datetime) -> int:
    """End what a node has open, unseen; give how many there were."""
    return _close(connection, _call.node == node, now)


def close(connection: Connection, call_id: UUID, now: datetime) -> None:
    """End one, unseen."""
    _close(connection, _call.id == call_id, now)


def by_id(connection: Connection, call_id: UUID) -> TrialCall | None:
    """The call of that id."""
    row = connection.execute(select(table(TrialCall)).where(_call.id == call_id)).mappings().first()
    return None if row is None else TrialCall(**row)


def newest(connection: Connection, campaign_id: int | None, limit: int) -> list[TrialCall]:
    """The last ones, of a campaign or of all, the newest first."""
    chosen = select(table(TrialCall)).order_by(_call.asked_at.desc()).limit(limit)
    if campaign_id is not None:
        chosen = chosen.where(_call.campaign_id == campaign_id)
    return [TrialCall(**row) for row in connection.execute(chosen).mappings()]


def state_of(call: TrialCall) -> TrialState:
    """How far it has come."""
    if call.ended_at is not None:
        return TrialState.ENDED
    if call.answered_at is not None:
        return TrialState.ANSWERED
    return TrialState.ASKED if call.node is None else TrialState.DIALLING


def _count(connection: Connection, since: datetime, which: Any) -> int:
    counted = (
        select(func.count()).select_from(table(TrialCall)).where(_call.asked_at > since, which)
    )
    return int(connection.execute(counted).scalar_one())


def _close(connection: Connection, which: Any, now: datetime) -> int:
    ending = update(table(TrialCall)).where(_OPEN, which)
    return connection.execute(ending.values(ended_at=now, disposition=_UNSEEN)).rowcount
