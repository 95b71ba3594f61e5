"""What was changed of a campaign, and the last tuning undone. I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from domain.errors import InputError
from store import campaigns
from store.models import Campaign, Event, table

_event = table(Event).c
_TUNED = "campaign_tuned"


@dataclass(frozen=True, slots=True)
class Change:
    """A tuning, with the values before and after it."""

    id: int
    at: datetime
    before: dict[str, Any]
    after: dict[str, Any]


def last_change(connection: Connection, campaign_id: int) -> Change | None:
    """The newest tuning of a campaign."""
    row = connection.execute(_of(campaign_id).where(_event.kind == _TUNED).limit(1)).first()
    return None if row is None else Change(row.id, row.at, row.data["before"], row.data["after"])


def revert(connection: Connection, campaign: Campaign, change_id: int, now: datetime) -> Change:
    """Put back what that change found, as a change of its own: reverted twice, it stands again.

    Raises InputError unless it is the campaign's newest change and all its values still stand.
    """
    change = last_change(connection, campaign.id)
    if (
        change is None
        or change.id != change_id
        or any(getattr(campaign, name) != value for name, value in change.after.items())
    ):
        raise InputError("the campaign was changed again: look at what stands now")
    campaigns.tune(connection, campaign, change.before, now)
    return change


def events(
    connection: Connection, campaign_id: int, limit: int, kind: str | None = None
) -> list[dict[str, Any]]:
    """What happened to the campaign itself, the newest first; of one kind alone if it is given."""
    chosen = _of(campaign_id) if kind is None else _of(campaign_id).where(_event.kind == kind)
    rows = connection.execute(chosen.limit(limit))
    return [dict(row) for row in rows.mappings()]


def _of(campaign_id: int) -> Any:
    """The events of a campaign that concern no number: the index begins with that."""
    return (
        select(_event.id, _event.at, _event.kind, _event.data)
        .where(_event.msisdn.is_(None), _event.campaign_id == campaign_id)
        .order_by(_event.at.desc(), _event.id.desc())
    )
