"""The gate before every contact: one verdict on each target, given within the claim itself. I/O.

Calls and texts, first attempt and retry alike, pass here. The rules are those of
`store.gate_rules`; those that need no row are in `domain.gate`. What waits in the outbox is judged
once more at its send (`store.gate_texts`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from domain.clock import to_local
from domain.gate import FOR_GOOD, MOST_CALLS, ROLLING, Refusal, cap_frees_at, phase_opens_at
from domain.states import CampaignKind, CampaignState, ContactScope, Purpose, TargetState
from store.columns import fixed
from store.gate_rules import CALLED_LATELY, PHASE_ID, REASONS
from store.models import Attempt, Campaign, Phase, Target, table
from store.statements import among

_BUSY_ELSEWHERE = timedelta(seconds=60)
_FREED_AT_ONCE = 2000

_campaigns, _targets, _attempts = table(Campaign).c, table(Target).c, table(Attempt).c
_phases = table(Phase).c
_IS_OF = {
    ContactScope.VOICE: _campaigns.kind == fixed(CampaignKind.CALL),
    ContactScope.SMS: _campaigns.kind == fixed(CampaignKind.TEXT),
}


def _judged(way: ContactScope) -> Select[Any]:
    return select(_targets.id, REASONS[way]).join(
        table(Campaign), _campaigns.id == _targets.campaign_id
    )


_NEXT_READY = {
    way: _judged(way)
    .where(
        _targets.campaign_id == bindparam("campaign_id"),
        _targets.state == fixed(TargetState.READY),
        _targets.not_before <= bindparam("now"),
        _campaigns.state == fixed(CampaignState.RUNNING),
    )
    .order_by(_targets.not_before, _targets.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, of=table(Target))
    for way in REASONS
}
_THIS_ONE = [_judged(way).where(_targets.id == bindparam("target"), _IS_OF[way]) for way in REASONS]
_PHASES_OF = (
    select(_targets.id, _phases.opens_on, _phases.closes_on)
    .select_from(table(Target))
    .outerjoin(table(Phase), _phases.id == PHASE_ID)
    .where(among(_targets.id, "ids"))
)
_CALLS_OF = (
    select(_targets.id, _attempts.started_at)
    .select_from(table(Target))
    .join(table(Attempt), CALLED_LATELY)
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

_UNHEEDED = {
    Refusal.PHASE_CLOSED: ~_campaigns.by_phase,
    Refusal.CAPPED: _campaigns.purpose != fixed(Purpose.ADVERTISING),
}
"""What targets may still wait for though their campaign does not heed it any more."""
_WHO_DO_NOT_HEED = {
    refusal: select(_campaigns.id).where(_campaigns.state == fixed(CampaignState.RUNNING), unheeded)
    for refusal, unheeded in _UNHEEDED.items()
}

_HELD = (
    select(_targets.id)
    .where(
        _targets.campaign_id == bindparam("of_campaign"),
        _targets.held_by == bindparam("rule"),
        _targets.not_before > bindparam("now"),
    )
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
# Chosen first, each by its index: without statistics SQLite would look through all targets.
_RELEASE = (
    update(table(Target)).where(among(_targets.id, "ids")).values(not_before=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A target that may be dialled now, or the reason why not."""

    target_id: int
    reason: Refusal | None


def next_ready(
    connection: Connection,
    campaign_id: int,
    limit: int,
    now: datetime,
    way: ContactScope = ContactScope.VOICE,
) -> list[Judged]:
    """The next targets of a running campaign that are due, locked, each with its verdict."""
    wanted = {"campaign_id": campaign_id, "limit": limit, **moments(now)}
    rows = connection.execute(_NEXT_READY[way], wanted)
    return [Judged(target, Refusal(why) if why else None) for target, why in rows]


def judge(connection: Connection, target_id: int, now: datetime) -> Refusal | None:
    """The verdict on one target by the way of its campaign, whatever it waits for."""
    asked = {"target": target_id, **moments(now)}
    [row] = [row for judged in _THIS_ONE for row in connection.execute(judged, asked)]
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


def free(connection: Connection, now: datetime) -> None:
    """Let targets be judged anew that wait for what their campaign, tuned, does not heed any more.

    A few thousand at once, for key 1 waits for this transaction: the dialler asks every second.
    """
    for refusal, campaigns in _WHO_DO_NOT_HEED.items():
        for campaign_id in connection.execute(campaigns).scalars().all():
            release(connection, campaign_id, refusal, _FREED_AT_ONCE, now)


def release(
    connection: Connection, campaign_id: int, held_by: Refusal, limit: int, now: datetime
) -> int:
    """Let up to `limit` targets that wait for one rule be judged anew; give how many."""
    wanted = {"of_campaign": campaign_id, "rule": held_by, "limit": limit, "now": now}
    ids = connection.execute(_HELD, wanted).scalars().all()
    if ids:
        connection.execute(_RELEASE, {"ids": ids, "now": now})
    return len(ids)


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
        for target, at in connection.execute(_CALLS_OF, {"ids": ids, **moments(now)}):
            calls.setdefault(target, []).append(at)
        return {target: cap_frees_at(at, MOST_CALLS, now) or now for target, at in calls.items()}
    return dict.fromkeys(ids, now + _BUSY_ELSEWHERE)


def moments(now: datetime) -> dict[str, Any]:
    """The parameters of the rules."""
    return {"now": now, "today": to_local(now).date(), "day_ago": now - ROLLING}
