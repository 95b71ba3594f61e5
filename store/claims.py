"""The write-ahead claim: targets become attempts in one transaction, before any dial. I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.states import AttemptState, CampaignState, RegistrationState, TargetState
from store import history
from store.columns import fixed
from store.history import happening, insert_new
from store.models import Attempt, Campaign, Registration, Target

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


async def claim(
    connection: AsyncConnection, order: ClaimOrder, new_id: Callable[[], UUID]
) -> list[Claimed]:
    """Write ahead: take the next ready targets and insert their attempts, all or nothing.

    The campaign must be running. A number that is registered is done; one that is being called
    by another campaign waits a minute.
    """
    candidates = await _next_ready(connection, order)
    if not candidates:
        return []
    registered, busy = await _not_to_call(connection, [msisdn for _, msisdn in candidates])
    free = [(id_, msisdn) for id_, msisdn in candidates if msisdn not in registered | busy]
    claimed = await _insert_attempts(connection, order, free, new_id)
    taken = {attempt.target_id for attempt in claimed}
    done = [id_ for id_, msisdn in candidates if msisdn in registered]
    later = [id_ for id_, _ in candidates if id_ not in taken and id_ not in done]
    await _set_targets(
        connection, list(taken), state=TargetState.CLAIMED, attempts_made=Target.attempts_made + 1
    )
    await _set_targets(connection, done, state=TargetState.DONE, outcome=ALREADY_REGISTERED)
    await _set_targets(connection, later, not_before=order.now + _BUSY_ELSEWHERE)
    return claimed


async def _next_ready(connection: AsyncConnection, order: ClaimOrder) -> list[tuple[int, str]]:
    running = (
        select(Campaign.id)
        .where(Campaign.id == order.campaign_id, Campaign.state == CampaignState.RUNNING)
        .exists()
    )
    rows = await connection.execute(
        select(Target.id, Target.msisdn)
        .where(
            Target.campaign_id == order.campaign_id,
            Target.state == fixed(TargetState.READY),
            Target.not_before <= order.now,
            running,
        )
        .order_by(Target.not_before, Target.id)
        .limit(order.limit)
        .with_for_update(skip_locked=True, of=Target)
    )
    return [(row.id, row.msisdn) for row in rows]


async def _not_to_call(
    connection: AsyncConnection, msisdns: Sequence[str]
) -> tuple[set[str], set[str]]:
    """The numbers that are registered, and those with an open attempt."""
    rows = await connection.execute(
        select(Registration.msisdn, fixed(RegistrationState.OPEN).label("why"))
        .where(
            Registration.msisdn.in_(msisdns), Registration.state == fixed(RegistrationState.OPEN)
        )
        .union_all(
            select(Attempt.msisdn, fixed(AttemptState.DIALLING)).where(
                Attempt.msisdn.in_(msisdns), Attempt.state != fixed(AttemptState.ENDED)
            )
        )
    )
    registered: set[str] = set()
    busy: set[str] = set()
    for msisdn, why in rows:
        (registered if why == RegistrationState.OPEN else busy).add(msisdn)
    return registered, busy


async def _insert_attempts(
    connection: AsyncConnection,
    order: ClaimOrder,
    targets: Sequence[tuple[int, str]],
    new_id: Callable[[], UUID],
) -> list[Claimed]:
    if not targets:
        return []
    longest = timedelta(seconds=order.ring_timeout_seconds + order.max_call_seconds)
    deadline_at = order.now + longest + _GRACE
    rows = await connection.execute(
        # The unique rule on open attempts has the last word where two nodes race for one number.
        insert_new(connection, Attempt).returning(Attempt.id, Attempt.target_id, Attempt.msisdn),
        [
            {
                "id": new_id(),
                "campaign_id": order.campaign_id,
                "target_id": target_id,
                "msisdn": msisdn,
                "node": order.node,
                "trunk": order.trunk,
                "script_version": order.script_version,
                "ring_timeout_seconds": order.ring_timeout_seconds,
                "started_at": order.now,
                "deadline_at": deadline_at,
                "state": AttemptState.DIALLING,
                "adoptions": 0,
            }
            for target_id, msisdn in targets
        ],
    )
    claimed = [
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
    await history.add(
        connection,
        [
            happening(
                "attempt_dialled",
                order.now,
                msisdn=attempt.msisdn,
                campaign_id=order.campaign_id,
                attempt_id=str(attempt.attempt_id),
                trunk=order.trunk,
            )
            for attempt in claimed
        ],
    )
    return claimed


async def _set_targets(connection: AsyncConnection, ids: Sequence[int], **values: Any) -> None:
    if ids:
        await connection.execute(update(Target).where(Target.id.in_(ids)).values(**values))
