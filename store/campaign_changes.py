"""What was changed of a campaign, and one-click revert. I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from domain.errors import InputError
from store import campaigns
from store.campaigns import TUNED
from store.models import Campaign, Event, table

_event = table(Event).c


@dataclass(frozen=True, slots=True)
class Change:
    """A tuning, with the values before and after it."""

    id: int
    at: datetime
    before: dict[str, Any]
    after: dict[str, Any]


def last_change(connection: Connection, campaign_id: int) -> Change | None:
    """The newest tuning that is not undone yet, and is none that undoes another."""
    undone = set()
    for row in connection.execute(_of(campaign_id).where(_event.kind == TUNED)):
        if "undoes" in row.data:
            undone.add(row.data["undoes"])
        elif row.id not in undone and row.data["before"] != row.data["after"]:
            return Change(row.id, row.at, row.data["before"], row.data["after"])
    return None


def revert(
    connection: Connection, campaign: Campaign, now: datetime, change_id: int | None = None
) -> dict[str, Any]:
    """Undo the last tuning that is not undone yet, as a tuning; give the values that hold again.

    The campaign was read `to_change`. Once more undoes the one before. Raises InputError where
    there is nothing to undo, or where `change_id` is given and another would be undone: that is not
    what its reader saw.
    """
    undone = last_change(connection, campaign.id)
    if undone is None:
        raise InputError(f"campaign {campaign.name!r} has no tuning to undo")
    if change_id not in (None, undone.id):
        raise InputError(f"campaign {campaign.name!r} was changed again: look at what stands now")
    values = undone.before
    before = {name: getattr(campaign, name) for name in values}
    try:
        with connection.begin_nested():
            connection.execute(update(Campaign).where(Campaign.id == campaign.id).values(**values))
    except IntegrityError:
        raise InputError(
            f"campaign {campaign.name!r} can't go back to {values}: it was started since"
        ) from None
    campaigns.record(
        connection, TUNED, campaign, now, before=before, after=values, undoes=undone.id
    )
    return values


def events(
    connection: Connection, campaign_id: int, limit: int, kind: str | None = None
) -> list[dict[str, Any]]:
    """What happened to the campaign itself, the newest first; of one kind alone if it is given."""
    chosen = _of(campaign_id) if kind is None else _of(campaign_id).where(_event.kind == kind)
    rows = connection.execute(chosen.limit(limit))
    return [dict(row) for row in rows.mappings()]


def _of(campaign_id: int) -> Any:
    """The events of a campaign that concern no number, in the order of their index."""
    return (
        select(_event.id, _event.at, _event.kind, _event.data)
        .where(_event.msisdn.is_(None), _event.campaign_id == campaign_id)
        .order_by(_event.id.desc())
    )
