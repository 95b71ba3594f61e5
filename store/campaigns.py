"""Campaigns: made, started, paused, stopped, tuned; each change is in the history. I/O."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, exists, func, select, update
from sqlalchemy.exc import IntegrityError

from domain.errors import InputError
from domain.states import MAY_BECOME, CampaignKind, CampaignState, TargetState
from store import history
from store.columns import fixed
from store.history import happening
from store.models import Attempt, Campaign, Target

_NUMBER = re.compile("[0-9]{1,9}")
_table = Campaign.__table__
_ENDED = (CampaignState.STOPPED, CampaignState.FINISHED)
TUNED = "campaign_tuned"
"""The kind of the history's events that have `before` and `after`."""


def create(connection: Connection, values: Mapping[str, Any], now: datetime) -> Campaign:
    """Insert a draft; `values` are the columns that its maker chooses. Raises InputError."""
    try:
        row = connection.execute(
            _table.insert()  # type: ignore[attr-defined]
            .values(**values, state=CampaignState.DRAFT, created_at=now)
            .returning(_table)
        )
    except IntegrityError as error:
        raise InputError(f"a campaign named {values['name']!r} exists already") from error
    campaign = _campaign(row.mappings().one())
    record(connection, "campaign_created", campaign, now, after=dict(values))
    return campaign


def by_name(connection: Connection, name: str) -> Campaign:
    """The campaign of that name or number. Raises InputError where there is none."""
    return _found(connection, name, select(_table))


def to_change(connection: Connection, name: str) -> Campaign:
    """The same, which nobody else changes until the transaction ends."""
    # Calls that begin refer to the row meanwhile: this lock lets them.
    return _found(connection, name, select(_table).with_for_update(key_share=True))


def _found(connection: Connection, name: str, chosen: Select[Any]) -> Campaign:
    named = Campaign.id == int(name) if _NUMBER.fullmatch(name) else Campaign.name == name
    row = connection.execute(chosen.where(named)).mappings().one_or_none()
    if row is None:
        raise InputError(f"there is no campaign {name!r}: see `tstn campaign list`")
    return _campaign(row)


def all_of(connection: Connection) -> list[Campaign]:
    """Every campaign, oldest first."""
    rows = connection.execute(select(_table).order_by(Campaign.id))
    return [_campaign(row) for row in rows.mappings()]


def running(connection: Connection, kind: CampaignKind = CampaignKind.CALL) -> list[Campaign]:
    """The campaigns that may dial (send, those of texts) now."""
    rows = connection.execute(
        select(_table)
        .where(Campaign.state == CampaignState.RUNNING, Campaign.kind == kind)
        .order_by(Campaign.id)
    )
    return [_campaign(row) for row in rows.mappings()]


def move(
    connection: Connection,
    campaign: Campaign,
    state: CampaignState,
    now: datetime,
    reason: str | None = None,
) -> bool:
    """Move a campaign to `state`, for a reason that the history keeps; False where it stands there.

    Raises InputError for a move that is not legal, and for a start without a purpose.
    """
    if campaign.state == state:
        return False
    if state not in MAY_BECOME[CampaignState(campaign.state)]:
        raise InputError(f"campaign {campaign.name!r} is {campaign.state}, it can't be {state}")
    if state is CampaignState.RUNNING and campaign.purpose is None:
        raise InputError(
            f"campaign {campaign.name!r} has no purpose: set one with "
            f"`tstn campaign tune {campaign.name} purpose=customer_care`"
        )
    if not _moved(connection, campaign, state, now, reason):
        raise InputError(f"campaign {campaign.name!r} was changed just now by another: try again")
    return True


def _moved(
    connection: Connection,
    campaign: Campaign,
    state: CampaignState,
    now: datetime,
    reason: str | None = None,
) -> bool:
    """Move and record; False where another was faster."""
    starts = state is CampaignState.RUNNING
    moved = connection.execute(
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.state == campaign.state)
        .values(
            state=state,
            started_at=func.coalesce(Campaign.started_at, now) if starts else Campaign.started_at,
        )
    )
    if moved.rowcount == 0:
        return False
    why = {} if reason is None else {"reason": reason}
    record(connection, f"campaign_{state}", campaign, now, **why)
    return True


def tune(
    connection: Connection, campaign: Campaign, values: Mapping[str, Any], now: datetime
) -> None:
    """Change knobs of a campaign that was read `to_change`; the dialler reads them within a second.

    Raises InputError.
    """
    if campaign.follows is None and values.get("follow_after_hours") is not None:
        raise InputError("follow_after_hours: this campaign follows no text campaign")
    connection.execute(update(Campaign).where(Campaign.id == campaign.id).values(**values))
    before = {name: getattr(campaign, name) for name in values}
    record(connection, TUNED, campaign, now, before=before, after=dict(values))


def finish_exhausted(connection: Connection, now: datetime) -> list[str]:
    """Finish each running campaign of which no target is left to dial; give their names.

    One that follows a text campaign gets more of them until that has ended.
    """
    ready, claimed = (
        exists().where(Target.campaign_id == Campaign.id, Target.state == fixed(state))
        for state in (TargetState.READY, TargetState.CLAIMED)
    )
    texts = _table.alias("texts").c
    more_come = exists().where(texts.name == Campaign.follows, texts.state.not_in(_ENDED))
    rows = connection.execute(
        select(_table).where(Campaign.state == CampaignState.RUNNING, ~ready, ~claimed, ~more_come)
    )
    done = [_campaign(row) for row in rows.mappings()]
    return [
        campaign.name
        for campaign in done
        if _moved(connection, campaign, CampaignState.FINISHED, now)
    ]


def counts(connection: Connection, campaign_id: int) -> dict[str, dict[str, int]]:
    """Targets by state and by outcome, attempts by disposition (`open` for those in the air)."""
    return {
        "targets": _count(connection, Target.state, Target.campaign_id == campaign_id),
        "outcomes": _count(connection, Target.outcome, Target.campaign_id == campaign_id),
        "attempts": _count(
            connection,
            func.coalesce(Attempt.disposition, "open"),
            Attempt.campaign_id == campaign_id,
        ),
    }


def _count(connection: Connection, word: Any, where: Any) -> dict[str, int]:
    rows = connection.execute(
        select(word.label("word"), func.count()).where(where).group_by("word")
    )
    return {str(word): count for word, count in rows if word is not None}


def _campaign(row: RowMapping) -> Campaign:
    values = dict(row)
    identity = values.pop("id")
    campaign = Campaign(**values)
    campaign.id = identity
    return campaign


def record(
    connection: Connection, kind: str, campaign: Campaign, now: datetime, **data: Any
) -> None:
    """Leave in the history what was done to a campaign."""
    history.add(
        connection, [happening(kind, now, campaign_id=campaign.id, name=campaign.name, **data)]
    )
