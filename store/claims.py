"""The write-ahead claim: targets become attempts in one transaction, before any dial. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    Connection,
    SmallInteger,
    String,
    bindparam,
    literal_column,
    select,
    text,
    update,
)

from domain.states import AttemptState, CampaignState, RegistrationState, TargetState
from store.columns import UtcDateTime, fixed
from store.models import Attempt, Campaign, OptOut, Registration, Target, table
from store.statements import among, insert_new_from, new_uuid

ALREADY_REGISTERED = "already_registered"
"""The outcome of a target whose number has an open registration: it is not called (again)."""
OPTED_OUT = "opted_out"
"""The outcome of a target whose number wants no more invitations."""

_BUSY_ELSEWHERE = timedelta(seconds=60)
_GRACE = timedelta(seconds=60)
"""Beyond the longest call, before an attempt that is still open counts as overdue."""


@dataclass(frozen=True, slots=True)
class ClaimOrder:
    """How many targets of a campaign to take, and what their attempts are to say."""

    campaign_id: int
    limit: int
    now: datetime
    ring_timeout_seconds: int
    max_call_seconds: int
    node: str
    trunk: str
    script_version: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A target that is ours to dial now: its attempt is committed."""

    attempt_id: UUID
    target_id: int
    campaign_id: int
    msisdn: str
    trunk: str
    script_version: str
    ring_timeout_seconds: int
    started_at: datetime


_campaigns, _targets, _attempts = table(Campaign).c, table(Target).c, table(Attempt).c
_registrations, _opt_outs = table(Registration).c, table(OptOut).c

_NEXT_READY = (
    select(
        _targets.id,
        select(_registrations.id)
        .where(
            _registrations.msisdn == _targets.msisdn,
            _registrations.state == fixed(RegistrationState.OPEN),
        )
        .exists()
        .label("is_registered"),
        select(_attempts.id)
        .where(_attempts.msisdn == _targets.msisdn, _attempts.state != fixed(AttemptState.ENDED))
        .exists()
        .label("is_busy"),
        select(_opt_outs.id)
        .where(_opt_outs.msisdn == _targets.msisdn)
        .exists()
        .label("has_opted_out"),
    )
    .where(
        _targets.campaign_id == bindparam("campaign_id"),
        _targets.state == fixed(TargetState.READY),
        _targets.not_before <= bindparam("now"),
        select(_campaigns.id)
        .where(
            _campaigns.id == bindparam("campaign_id"),
            _campaigns.state == fixed(CampaignState.RUNNING),
        )
        .exists(),
    )
    .order_by(_targets.not_before, _targets.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, of=table(Target))
)
# One statement for all rows, and the database names the attempts: fifty rows of parameters would
# cost several times as much. The unique rule on open attempts has the last word where two race.
_INSERT = insert_new_from(
    Attempt,
    {
        "id": new_uuid(),
        "campaign_id": _targets.campaign_id,
        "target_id": _targets.id,
        "msisdn": _targets.msisdn,
        "node": bindparam("node", type_=String),
        "trunk": bindparam("trunk", type_=String),
        "script_version": bindparam("script_version", type_=String),
        "ring_timeout_seconds": bindparam("ring_timeout_seconds", type_=SmallInteger),
        "started_at": bindparam("now", type_=UtcDateTime),
        "deadline_at": bindparam("deadline_at", type_=UtcDateTime),
        "state": fixed(AttemptState.DIALLING),
        "adoptions": literal_column("0"),
    },
    among(_targets.id, "ids"),
    (_attempts.id, _attempts.target_id, _attempts.msisdn),
)
_THESE = among(_targets.id, "ids")
_TAKE = (
    update(table(Target))
    .where(_THESE)
    .values(state=TargetState.CLAIMED, attempts_made=_targets.attempts_made + 1)
)
_END_REGISTERED = (
    update(table(Target)).where(_THESE).values(state=TargetState.DONE, outcome=ALREADY_REGISTERED)
)
_END_OPTED_OUT = (
    update(table(Target)).where(_THESE).values(state=TargetState.DONE, outcome=OPTED_OUT)
)
_POSTPONE = update(table(Target)).where(_THESE).values(not_before=bindparam("until"))


_CLAIM_LOCK = text("SELECT pg_advisory_xact_lock(2169231)")


def lock_claims(connection: Connection) -> None:
    """Let one node at a time count channels and claim, until the transaction ends.

    SQLite's write transaction is such a lock already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_CLAIM_LOCK)


def claim(connection: Connection, order: ClaimOrder) -> list[Claimed]:
    """Write ahead: take the next ready targets and insert their attempts, all or nothing.

    The campaign must be running. A number that is registered or has opted out is done; one that
    is being called by another campaign waits a minute.
    """
    candidates = connection.execute(
        _NEXT_READY, {"campaign_id": order.campaign_id, "now": order.now, "limit": order.limit}
    ).all()
    refused = [row.id for row in candidates if row.has_opted_out]
    wanted = [row for row in candidates if not row.has_opted_out]
    done = [row.id for row in wanted if row.is_registered]
    free = [row.id for row in wanted if not (row.is_registered or row.is_busy)]
    claimed = _insert_attempts(connection, order, free) if free else []
    taken = [attempt.target_id for attempt in claimed]
    later = list({row.id for row in wanted} - {*taken, *done})
    if taken:
        connection.execute(_TAKE, {"ids": taken})
    if done:
        connection.execute(_END_REGISTERED, {"ids": done})
    if refused:
        connection.execute(_END_OPTED_OUT, {"ids": refused})
    if later:
        until = order.now + _BUSY_ELSEWHERE
        connection.execute(_POSTPONE, {"ids": later, "until": until})
    return claimed


def _insert_attempts(
    connection: Connection, order: ClaimOrder, target_ids: Sequence[int]
) -> list[Claimed]:
    longest = timedelta(seconds=order.ring_timeout_seconds + order.max_call_seconds)
    rows = connection.execute(
        _INSERT[connection.dialect.name],
        {
            "ids": target_ids,
            "node": order.node,
            "trunk": order.trunk,
            "script_version": order.script_version,
            "ring_timeout_seconds": order.ring_timeout_seconds,
            "now": order.now,
            "deadline_at": order.now + longest + _GRACE,
        },
    )
    return [
        Claimed(
            attempt_id=row.id,
            target_id=row.target_id,
            campaign_id=order.campaign_id,
            msisdn=row.msisdn,
            trunk=order.trunk,
            script_version=order.script_version,
            ring_timeout_seconds=order.ring_timeout_seconds,
            started_at=order.now,
        )
        for row in rows
    ]
