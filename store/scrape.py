"""What `/metrics` tells of rows: by index, so that it may be asked every few seconds. I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from domain.sla import SlaBounds
from domain.states import CampaignKind, TargetState
from store import attempts, brakes, callback_figures, campaigns, limits, texts
from store.callback_figures import Figures
from store.columns import UtcDateTime, fixed
from store.limits import Caps
from store.models import Attempt, Campaign, Registration, Target, table
from store.texts import Backlog

_target, _registration, _attempt = table(Target).c, table(Registration).c, table(Attempt).c
_FIRST_DUE = (
    select(_target.id)
    .where(
        _target.campaign_id == bindparam("campaign"),
        _target.state == fixed(TargetState.READY),
        _target.not_before <= bindparam("now", type_=UtcDateTime),
    )
    .limit(1)
)
_LAST_DIAL = select(func.max(_attempt.started_at)).where(
    _attempt.campaign_id == bindparam("campaign")
)
_REGISTERED = (
    select(_registration.channel, func.count())
    .where(_registration.id > bindparam("after"), _registration.id <= bindparam("upto"))
    .group_by(_registration.channel)
)


@dataclass(frozen=True, slots=True)
class Present:
    """How the rows stand at one moment.

    Attributes:
        channels: in use, by the name of the campaign and the trunk.
        running: the campaigns that may dial; `texting`: those that may send.
        due: those of both that have a number whose turn it is, by their id.
        last_dials: when those last dialled, by their id; None: never.
        brakes: those that are drawn, as rows.
    """

    callbacks: Figures
    channels: Mapping[tuple[str, str], int]
    running: Sequence[Campaign]
    texting: Sequence[Campaign]
    due: frozenset[int]
    last_dials: Mapping[int, datetime | None]
    brakes: Sequence[Mapping[str, Any]]
    limits: Mapping[str, Caps]
    texts: Backlog


def present(connection: Connection, bounds: SlaBounds) -> Present:
    """Everything at once, on one snapshot."""
    every = campaigns.all_of(connection)
    names = {campaign.id: campaign.name for campaign in every}
    in_use = attempts.open_channels(connection)
    running = campaigns.running(connection)
    texting = campaigns.running(connection, CampaignKind.TEXT)
    return Present(
        callbacks=callback_figures.figures(connection, bounds),
        channels={(names[id_], trunk): count for (id_, trunk), count in in_use.items()},
        running=running,
        texting=texting,
        due=frozenset(
            each.id for each in (*running, *texting) if _is_due(connection, each.id, bounds.now)
        ),
        last_dials={each.id: _last_dial(connection, each.id) for each in running},
        brakes=[row for row in brakes.all_of(connection) if row["factor"] < 1],
        limits=limits.read(connection),
        texts=texts.backlog(connection),
    )


def registered(connection: Connection, after: int, upto: int) -> dict[str, int]:
    """How many registrations came by which channel, with ids from `after` (without) to `upto`."""
    rows = connection.execute(_REGISTERED, {"after": after, "upto": upto})
    return {row.channel: row[1] for row in rows}


def _last_dial(connection: Connection, campaign: int) -> datetime | None:
    at: datetime | None = connection.execute(_LAST_DIAL, {"campaign": campaign}).scalar_one()
    return at


def _is_due(connection: Connection, campaign: int, now: datetime) -> bool:
    found = connection.execute(_FIRST_DUE, {"campaign": campaign, "now": now})
    return found.scalar_one_or_none() is not None
