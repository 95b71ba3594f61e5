"""What follows from a restore: the rows are older than what has happened since. I/O.

Whoever was dialled, texted or heard after the backup is not in it. So nothing goes on by itself:
campaigns pause, what was under way is unknown, what was about to be sent is not sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, select, update

from domain.dispositions import Disposition
from domain.errors import InputError
from domain.states import (
    AttemptState,
    CampaignKind,
    CampaignState,
    MessageOutState,
    TargetState,
    TextOutcome,
)
from store import campaigns, history
from store.history import happening
from store.models import Attempt, Campaign, Event, MessageOut, Session, Target, table
from store.statements import among

OUTSIDE = "outside"
"""The node and trunk of attempts that the store was told of by somebody else's records."""
_RESTORED, _TOLD = "store_restored", "contacts_told"

_campaigns, _targets, _attempts = table(Campaign).c, table(Target).c, table(Attempt).c
_out, _sessions, _events = table(MessageOut).c, table(Session).c, table(Event).c


@dataclass(frozen=True, slots=True)
class Calmed:
    """Campaigns that were running and pause now; attempts and texts that are unknown now."""

    paused: list[str]
    attempts: int
    texts: int


def calm(connection: Connection, made_at: datetime, now: datetime) -> Calmed:
    """Make a store that was just restored safe to serve; the backup is of `made_at`."""
    calmed = Calmed(
        paused=_pause(connection, now),
        attempts=_end_attempts(connection, now),
        texts=_hold_texts(connection, now),
    )
    # Accounts that were switched off since must not come in by an old session.
    connection.execute(
        update(table(Session)).where(_sessions.ended_at.is_(None)).values(ended_at=now)
    )
    told = happening(
        _RESTORED,
        now,
        made_at=made_at.isoformat(),
        paused=calmed.paused,
        attempts=calmed.attempts,
        texts=calmed.texts,
    )
    history.add(connection, [told])
    return calmed


def _pause(connection: Connection, now: datetime) -> list[str]:
    running = [row for row in campaigns.all_of(connection) if row.state == CampaignState.RUNNING]
    for campaign in running:
        campaigns.move(connection, campaign, CampaignState.PAUSED, now, reason=_RESTORED)
    return [campaign.name for campaign in running]


def _end_attempts(connection: Connection, now: datetime) -> int:
    """Counted from now: nobody knows when they ended."""
    ending = (
        update(table(Attempt))
        .where(_attempts.state != AttemptState.ENDED)
        .values(state=AttemptState.ENDED, disposition=Disposition.UNKNOWN, ended_at=now)
    )
    return connection.execute(ending).rowcount


def _hold_texts(connection: Connection, now: datetime) -> int:
    """What was due has been sent since, most likely; what is due later has not."""
    holding = (
        update(table(MessageOut))
        .where(
            _out.state.in_((MessageOutState.QUEUED, MessageOutState.SENDING)),
            _out.not_before <= now,
        )
        .values(state=MessageOutState.UNKNOWN, unanswered_at=now)
    )
    return connection.execute(holding).rowcount


def contacted(connection: Connection, msisdns: Iterable[str], now: datetime) -> int:
    """Numbers that were called or texted after the backup: where they still wait in a campaign
    that does not run, that counts as one contact with an unknown end. Gives how many waited.

    What was under way at the backup, or was told before, counts already. Raises InputError where
    the store was never restored.
    """
    restored_at = _restored_at(connection)
    rows = connection.execute(
        select(_targets.id, _targets.campaign_id, _targets.msisdn, _campaigns.kind)
        .join(table(Campaign), _campaigns.id == _targets.campaign_id)
        .where(
            among(_targets.msisdn, "msisdns"),
            _targets.state == TargetState.READY,
            _campaigns.state != CampaignState.RUNNING,
            ~select(_attempts.id)
            .where(
                _attempts.target_id == _targets.id,
                _attempts.ended_at >= restored_at,
            )
            .exists(),
        ),
        {"msisdns": list(msisdns)},
    ).all()
    called = [row for row in rows if row.kind == CampaignKind.CALL]
    texted = [row for row in rows if row.kind == CampaignKind.TEXT]
    _note_calls(connection, [(row.id, row.campaign_id, row.msisdn) for row in called], now)
    done = update(table(Target)).where(among(_targets.id, "ids"))
    connection.execute(
        done.values(state=TargetState.DONE, outcome=TextOutcome.UNKNOWN, held_by=None),
        {"ids": [row.id for row in texted]},
    )
    return len(rows)


def told(connection: Connection, numbers: int, counted: int, now: datetime) -> None:
    """All contacts since the backup were told: campaigns may be started."""
    _restored_at(connection)
    history.add(connection, [happening(_TOLD, now, numbers=numbers, counted=counted)])


def require_told(connection: Connection) -> None:
    """Raises InputError where the store was restored and contacts were not told since."""
    last = _last(connection, _RESTORED, _TOLD)
    if last is not None and last[0] == _RESTORED:
        raise InputError(
            "the store was restored: before a campaign starts, tell who was contacted since the "
            "backup, `tstn audience contacted FILE` (an empty file: nobody)"
        )


def _restored_at(connection: Connection) -> datetime:
    last = _last(connection, _RESTORED)
    if last is None:
        raise InputError("this store was not restored: what was contacted stands in it")
    return last[1]


def _last(connection: Connection, *kinds: str) -> tuple[str, datetime] | None:
    """Kind and time of the newest event of these kinds, of no campaign and no number."""
    of_the_store = (_events.msisdn.is_(None), _events.campaign_id.is_(None))
    row = connection.execute(
        select(_events.kind, _events.at)
        .where(*of_the_store, _events.kind.in_(kinds))
        .order_by(_events.id.desc())
        .limit(1)
    ).first()
    return None if row is None else (row.kind, row.at)


def _note_calls(
    connection: Connection, targets: Iterable[tuple[int, int, str]], now: datetime
) -> None:
    """Attempts that have ended as unknown: the retry rules judge them at the next tick."""
    rows = [
        {
            "id": uuid4(),
            "campaign_id": campaign_id,
            "target_id": target_id,
            "msisdn": msisdn,
            "node": OUTSIDE,
            "trunk": OUTSIDE,
            "script_version": OUTSIDE,
            "ring_timeout_seconds": 0,
            "started_at": now,
            "deadline_at": now,
            "state": AttemptState.ENDED,
            "ended_at": now,
            "disposition": Disposition.UNKNOWN,
            "adoptions": 0,
        }
        for target_id, campaign_id, msisdn in targets
    ]
    if not rows:
        return
    connection.execute(table(Attempt).insert(), rows)
    taken = update(table(Target)).where(among(_targets.id, "ids"))
    connection.execute(
        taken.values(
            state=TargetState.CLAIMED, attempts_made=_targets.attempts_made + 1, held_by=None
        ),
        {"ids": [row["target_id"] for row in rows]},
    )
