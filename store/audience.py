"""The numbers of a campaign: added in batches, each number once. I/O."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypedDict

from sqlalchemy import Connection, bindparam, insert, or_, select
from sqlalchemy.dialects import sqlite

from domain.states import CampaignState, TargetState
from store import kept_refusals
from store.batches import copy_in
from store.columns import UtcDateTime
from store.models import Campaign, Target, table
from store.statements import among

_target, _campaign = table(Target).c, table(Campaign).c
_AUDIENCE = (
    select(_target.msisdn, _target.campaign_id)
    .join(table(Campaign), _campaign.id == _target.campaign_id)
    .where(among(_target.msisdn, "msisdns"))
    .order_by(_campaign.started_at.is_not(None), _campaign.started_at, _target.campaign_id)
)
_OF_IMPORT = (
    *("campaign_id", "not_before", "state", "attempts_made", "import_id"),
    *("msisdn", "province", "district", "list_no", "attributes", "province_code", "district_code"),
)
# A value that SQLAlchemy turns takes it longer than the row takes SQLite: they come ready made.
_INSERT = (
    f"INSERT INTO targets ({', '.join(_OF_IMPORT)}) "  # noqa: S608 - names of ours
    f"VALUES ({', '.join('?' * len(_OF_IMPORT))})"
)
_as_kept = UtcDateTime().bind_processor(sqlite.dialect())
_STILL_TO_DIAL = (CampaignState.DRAFT, CampaignState.RUNNING, CampaignState.PAUSED)
_KNOWN = (
    select(_target.campaign_id, _target.msisdn, _target.import_id)
    .join(table(Campaign), _campaign.id == _target.campaign_id)
    .where(
        among(_target.msisdn, "msisdns"),
        or_(
            _target.campaign_id == bindparam("campaign_id"),
            _campaign.state.in_(_STILL_TO_DIAL),
        ),
    )
)


class Newcomer(NamedTuple):
    """A number of an audience file, ready for its row.

    `msisdn` is E.164, `attributes` the text of a JSON object, the codes official.
    """

    msisdn: str
    province: str | None
    district: str | None
    list_no: int | None
    attributes: str
    province_code: str | None
    district_code: str | None


class Known(NamedTuple):
    """Where numbers are already.

    `held` has those of the campaign, each with its import; `elsewhere` those that another campaign
    has which is not at its end.
    """

    held: dict[str, int | None]
    elsewhere: set[str]


class NewTarget(TypedDict):
    """What an audience file says of one number; `msisdn` is E.164."""

    msisdn: str
    province: str | None
    district: str | None
    list_no: int | None
    attributes: dict[str, Any]


def known(connection: Connection, campaign_id: int, msisdns: Sequence[str]) -> Known:
    """Which of the numbers the campaign has, or another one that is not at its end."""
    found = Known({}, set())
    rows = connection.execute(_KNOWN, {"campaign_id": campaign_id, "msisdns": msisdns})
    for campaign, msisdn, import_id in rows:
        if campaign == campaign_id:
            found.held[msisdn] = import_id
        else:
            found.elsewhere.add(msisdn)
    return found


def add_new(
    connection: Connection,
    campaign_id: int,
    import_id: int,
    newcomers: Sequence[Newcomer],
    now: datetime,
    erasure_key: str,
) -> None:
    """Add numbers that the campaign does not have; they may be dialled from `now` on.

    Who holds the campaign knows which these are. Who has refused before
    the number was taken out is refused again. Raises InputError where that can't be told.
    """
    kept_refusals.heed(connection, [each.msisdn for each in newcomers], erasure_key, now)
    if not newcomers:
        return
    if connection.dialect.name == "sqlite":
        same = (campaign_id, _as_kept(now), TargetState.READY.value, 0, import_id)
        connection.exec_driver_sql(_INSERT, [(*same, *each) for each in newcomers])
    else:
        same = (campaign_id, now, TargetState.READY.value, 0, import_id)
        copy_in(connection, Target, _OF_IMPORT, [(*same, *each) for each in newcomers])


def campaigns_of(connection: Connection, msisdns: Sequence[str]) -> dict[str, int]:
    """Which campaign each number answers: of those that have it, the one that started last.

    A draft has invited nobody yet; it counts where no other has the number.
    """
    if not msisdns:
        return {}
    rows = connection.execute(_AUDIENCE, {"msisdns": msisdns})
    return dict(rows.all())  # of a number's rows the last one stays


def add(
    connection: Connection, campaign_id: int, targets: Sequence[NewTarget], now: datetime
) -> None:
    """Add numbers that the campaign does not have; they may be dialled from `now` on."""
    if targets:
        connection.execute(
            insert(Target.__table__),  # type: ignore[arg-type]
            [
                {
                    **target,
                    "campaign_id": campaign_id,
                    "state": TargetState.READY,
                    "not_before": now,
                    "attempts_made": 0,
                }
                for target in targets
            ],
        )
