"""The write-ahead claim: targets become attempts in one transaction, before any dial. I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, text, update

from domain.states import AttemptState, CampaignState, RegistrationState, TargetState
from store.columns import fixed
from store.models import Attempt, Campaign, Registration, Target, table
from store.statements import padded

ALREADY_REGISTERED = "already_registered"
"""The outcome of a target whose number has an open registration: it is not called (again)."""

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
_registrations = table(Registration).c

_NEXT_READY = (
    select(_targets.id, _targets.msisdn)
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
_NOT_TO_CALL = (
    select(_registrations.msisdn, fixed(RegistrationState.OPEN).label("why"))
    .where(
        _registrations.msisdn.in_(bindparam("msisdns", expanding=True)),
        _registrations.state == fixed(RegistrationState.OPEN),
    )
    .union_all(
        select(_attempts.msisdn, fixed(AttemptState.DIALLING)).where(
            _attempts.msisdn.in_(bindparam("msisdns", expanding=True)),
            _attempts.state != fixed(AttemptState.ENDED),
        )
    )
)
_INSERT = insert(table(Attempt))
_THESE = _targets.id.in_(bindparam("ids", expanding=True))
_TAKE = (
    update(table(Target))
    .where(_THESE)
    .values(state=TargetState.CLAIMED, attempts_made=_targets.attempts_made + 1)
)
_END_REGISTERED = (
    update(table(Target)).where(_THESE).values(state=TargetState.DONE, outcome=ALREADY_REGISTERED)
)
_POSTPONE = update(table(Target)).where(_THESE).values(not_before=bindparam("until"))


_CLAIM_LOCK = text("SELECT pg_advisory_xact_lock(2169231)")


def lock_claims(connection: Connection) -> None:
    """Let one node at a time count channels and claim, until the transaction ends.

    SQLite's write transaction is such a lock already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_CLAIM_LOCK)


def claim(connection: Connection, order: ClaimOrder, new_id: Callable[[], UUID]) -> list[Claimed]:
    """Write ahead: take the next ready targets and insert their attempts, all or nothing.

    The campaign must be running. A number that is registered is done; one that is being called
    by another campaign waits a minute.
    """
    lock_claims(connection)
    candidates = _next_ready(connection, order)
    if not candidates:
        return []
    registered, busy = _not_to_call(connection, list(candidates.values()))
    done = [id_ for id_, msisdn in candidates.items() if msisdn in registered]
    later = [id_ for id_, msisdn in candidates.items() if msisdn in busy - registered]
    free = {id_: msisdn for id_, msisdn in candidates.items() if msisdn not in registered | busy}
    if done:
        connection.execute(_END_REGISTERED, {"ids": padded(done)})
    if later:
        until = order.now + _BUSY_ELSEWHERE
        connection.execute(_POSTPONE, {"ids": padded(later), "until": until})
    if not free:
        return []
    connection.execute(_TAKE, {"ids": padded(list(free))})
    return _insert_attempts(connection, order, free, new_id)


def _next_ready(connection: Connection, order: ClaimOrder) -> dict[int, str]:
    """Target ids with their numbers, in the order of dialling."""
    rows = connection.execute(
        _NEXT_READY,
        {"campaign_id": order.campaign_id, "now": order.now, "limit": order.limit},
    )
    return {row.id: row.msisdn for row in rows}


def _not_to_call(connection: Connection, msisdns: Sequence[str]) -> tuple[set[str], set[str]]:
    """The numbers that are registered, and those with an open attempt."""
    registered: set[str] = set()
    busy: set[str] = set()
    for msisdn, why in connection.execute(_NOT_TO_CALL, {"msisdns": padded(msisdns)}):
        (registered if why == RegistrationState.OPEN else busy).add(msisdn)
    return registered, busy


def _insert_attempts(
    connection: Connection,
    order: ClaimOrder,
    free: dict[int, str],
    new_id: Callable[[], UUID],
) -> list[Claimed]:
    longest = timedelta(seconds=order.ring_timeout_seconds + order.max_call_seconds)
    shared = {
        "campaign_id": order.campaign_id,
        "node": order.node,
        "trunk": order.trunk,
        "script_version": order.script_version,
        "ring_timeout_seconds": order.ring_timeout_seconds,
        "started_at": order.now,
        "deadline_at": order.now + longest + _GRACE,
        "state": AttemptState.DIALLING,
        "adoptions": 0,
    }
    claimed = [
        Claimed(
            attempt_id=new_id(),
            target_id=target_id,
            campaign_id=order.campaign_id,
            msisdn=msisdn,
            trunk=order.trunk,
            script_version=order.script_version,
            ring_timeout_seconds=order.ring_timeout_seconds,
            started_at=order.now,
        )
        for target_id, msisdn in free.items()
    ]
    connection.execute(
        _INSERT,
        [
            {**shared, "id": row.attempt_id, "target_id": row.target_id, "msisdn": row.msisdn}
            for row in claimed
        ],
    )
    return claimed
