"""Campaigns: made, started, paused, stopped, tuned; each change is in the history. I/O."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import InputError
from domain.states import MAY_BECOME, CampaignState, TargetState
from store import history
from store.columns import fixed
from store.history import happening
from store.models import Attempt, Campaign, Target

_table = Campaign.__table__


async def create(connection: AsyncConnection, values: Mapping[str, Any], now: datetime) -> Campaign:
    """Insert a draft; `values` are the columns that its maker chooses. Raises InputError."""
    try:
        row = await connection.execute(
            _table.insert()  # type: ignore[attr-defined]
            .values(**values, state=CampaignState.DRAFT, created_at=now)
            .returning(_table)
        )
    except IntegrityError as error:
        raise InputError(f"a campaign named {values['name']!r} exists already") from error
    campaign = _campaign(row.mappings().one())
    await _record(connection, "campaign_created", campaign, now, after=dict(values))
    return campaign


async def by_name(connection: AsyncConnection, name: str) -> Campaign:
    """The campaign of that name or number. Raises InputError where there is none."""
    chosen = Campaign.id == int(name) if name.isdecimal() else Campaign.name == name
    row = (await connection.execute(select(_table).where(chosen))).mappings().one_or_none()
    if row is None:
        raise InputError(f"there is no campaign {name!r}: see `tstn campaign list`")
    return _campaign(row)


async def all_of(connection: AsyncConnection) -> list[Campaign]:
    """Every campaign, oldest first."""
    rows = await connection.execute(select(_table).order_by(Campaign.id))
    return [_campaign(row) for row in rows.mappings()]


async def running(connection: AsyncConnection) -> list[Campaign]:
    """The campaigns that may dial now."""
    rows = await connection.execute(
        select(_table).where(Campaign.state == CampaignState.RUNNING).order_by(Campaign.id)
    )
    return [_campaign(row) for row in rows.mappings()]


async def move(
    connection: AsyncConnection, campaign: Campaign, state: CampaignState, now: datetime
) -> bool:
    """Move a campaign to `state`; False where it stands there already.

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
    moved = await connection.execute(
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.state == campaign.state)
        .values(
            state=state,
            started_at=func.coalesce(Campaign.started_at, now)
            if state is CampaignState.RUNNING
            else Campaign.started_at,
        )
    )
    if moved.rowcount == 0:
        raise InputError(f"campaign {campaign.name!r} was changed just now by another: try again")
    await _record(connection, f"campaign_{state}", campaign, now)
    return True


async def tune(
    connection: AsyncConnection, campaign: Campaign, values: Mapping[str, Any], now: datetime
) -> None:
    """Change knobs; the dialler reads them within a second."""
    await connection.execute(update(Campaign).where(Campaign.id == campaign.id).values(**values))
    before = {name: getattr(campaign, name) for name in values}
    await _record(connection, "campaign_tuned", campaign, now, before=before, after=dict(values))


async def finish_exhausted(connection: AsyncConnection, now: datetime) -> list[str]:
    """Finish each running campaign of which no target is left to dial; give their names."""
    left = exists().where(
        Target.campaign_id == Campaign.id, Target.state != fixed(TargetState.DONE)
    )
    rows = await connection.execute(
        select(_table).where(Campaign.state == CampaignState.RUNNING, ~left)
    )
    done = [_campaign(row) for row in rows.mappings()]
    for campaign in done:
        await move(connection, campaign, CampaignState.FINISHED, now)
    return [campaign.name for campaign in done]


async def counts(connection: AsyncConnection, campaign_id: int) -> dict[str, dict[str, int]]:
    """Targets by state and by outcome, attempts by disposition (`open` for those in the air)."""
    return {
        "targets": await _count(connection, Target.state, Target.campaign_id == campaign_id),
        "outcomes": await _count(connection, Target.outcome, Target.campaign_id == campaign_id),
        "attempts": await _count(
            connection,
            func.coalesce(Attempt.disposition, "open"),
            Attempt.campaign_id == campaign_id,
        ),
    }


async def _count(connection: AsyncConnection, word: Any, where: Any) -> dict[str, int]:
    rows = await connection.execute(
        select(word.label("word"), func.count()).where(where).group_by("word")
    )
    return {str(word): count for word, count in rows if word is not None}


def _campaign(row: RowMapping) -> Campaign:
    values = dict(row)
    identity = values.pop("id")
    campaign = Campaign(**values)
    campaign.id = identity
    return campaign


async def _record(
    connection: AsyncConnection, kind: str, campaign: Campaign, now: datetime, **data: Any
) -> None:
    await history.add(
        connection, [happening(kind, now, campaign_id=campaign.id, name=campaign.name, **data)]
    )
