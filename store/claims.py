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
    update,
)

from domain.gate import Refusal
from domain.states import AttemptState, TargetState
from store import gate
from store.columns import UtcDateTime, fixed
from store.models import Attempt, Target, table
from store.statements import among, insert_new_from, new_uuid

_LOOK_FURTHER = (200, 200, 200)
"""Where the gate turns targets away, so many more are looked at, or thousands would stand in front
of those that may be dialled. No more at once: key 1 waits for this transaction.
"""
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
    may_refuse: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """A target that is ours to dial now: its attempt is committed.

    `may_refuse`: its campaign is advertising, so the call must take a refusal. `is_trial`: it is
    one of `store.trial_calls`, and no attempt.
    """

    attempt_id: UUID
    target_id: int
    campaign_id: int
    msisdn: str
    trunk: str
    script_version: str
    ring_timeout_seconds: int
    started_at: datetime
    may_refuse: bool = False
    is_trial: bool = False


_targets, _attempts = table(Target).c, table(Attempt).c
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
_TAKE = (
    update(table(Target))
    .where(among(_targets.id, "ids"))
    .values(
        state=fixed(TargetState.CLAIMED), attempts_made=_targets.attempts_made + 1, held_by=None
    )
)


def claim(connection: Connection, order: ClaimOrder) -> list[Claimed]:
    """Write ahead: take the next ready targets and insert their attempts, all or nothing.

    The campaign must be running. Who does not pass the gate is done, or waits (`store.gate`). Hold
    `locks.lock_claims`: what other campaigns have just dialled counts against the caps.
    """
    claimed: list[Claimed] = []
    for at_once in (order.limit, *_LOOK_FURTHER):
        wanted = order.limit - len(claimed)
        judged = gate.next_ready(connection, order.campaign_id, at_once, order.now)
        refused = [each for each in judged if each.reason is not None]
        free = [each.target_id for each in judged if each.reason is None][:wanted]
        taken = _insert_attempts(connection, order, free) if free else []
        lost = set(free) - {attempt.target_id for attempt in taken}
        refused += [gate.Judged(target, Refusal.BUSY_ELSEWHERE) for target in sorted(lost)]
        if taken:
            connection.execute(_TAKE, {"ids": [attempt.target_id for attempt in taken]})
        gate.turn_away(connection, refused, order.now)
        claimed += taken
        if len(claimed) == order.limit or len(judged) < at_once:
            break
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
            may_refuse=order.may_refuse,
        )
        for row in rows
    ]
