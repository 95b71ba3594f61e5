"""The numbers of a campaign: added in batches, each number once. I/O."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypedDict

import orjson
from sqlalchemy import Connection, bindparam, func, insert, select
from sqlalchemy.dialects import sqlite

from domain.states import CampaignState, TargetState
from store import kept_refusals
from store.batches import NewRows
from store.columns import UtcDateTime, fixed
from store.models import Campaign, Target, table
from store.statements import among

_target = table(Target).c
_AUDIENCE = (
    select(_target.msisdn, func.max(_target.campaign_id))
    .where(among(_target.msisdn, "msisdns"))
    .group_by(_target.msisdn)
)


_OF_IMPORT = (
    *("campaign_id", "not_before", "state", "attempts_made", "import_id"),
    *("msisdn", "province", "district", "list_no", "attributes", "province_code", "district_code"),
)
_ADD = NewRows(Target, _OF_IMPORT, _target.msisdn)
# A value that SQLAlchemy turns takes it longer than the row takes SQLite: they come ready made.
_INSERT = (
    f"INSERT INTO targets ({', '.join(_OF_IMPORT)}) "  # noqa: S608 - names of ours
    f"VALUES ({', '.join('?' * len(_OF_IMPORT))}) ON CONFLICT DO NOTHING"
)
_as_kept = UtcDateTime().bind_processor(sqlite.dialect())
_LAST = select(func.max(_target.id))
_ADDED = select(_target.msisdn).where(
    _target.campaign_id == bindparam("campaign_id"),
    among(_target.msisdn, "msisdns"),
    _target.id > bindparam("last"),
)
_HELD = select(_target.msisdn, _target.import_id).where(
    _target.campaign_id == bindparam("campaign_id"), among(_target.msisdn, "msisdns")
)
_campaign = table(Campaign).c
_ELSEWHERE = (
    select(_target.msisdn)
    .join(table(Campaign), _campaign.id == _target.campaign_id)
    .where(
        among(_target.msisdn, "msisdns"),
        _target.campaign_id != bindparam("campaign_id"),
        _campaign.state == fixed(CampaignState.RUNNING),
    )
)


class Newcomer(NamedTuple):
    """A number of an audience file, ready for its row; `msisdn` is E.164, the codes official."""

    msisdn: str
    province: str | None
    district: str | None
    list_no: int | None
    attributes: dict[str, Any]
    province_code: str | None
    district_code: str | None


class NewTarget(TypedDict):
    """What an audience file says of one number; `msisdn` is E.164."""

    msisdn: str
    province: str | None
    district: str | None
    list_no: int | None
    attributes: dict[str, Any]


def add_new(
    connection: Connection,
    campaign_id: int,
    import_id: int,
    newcomers: Sequence[Newcomer],
    now: datetime,
    erasure_key: str,
) -> set[str]:
    """Add those that the campaign does not have; they may be dialled from `now` on.

    Gives the numbers that were added; of two rows with one number the first counts. Who has refused
    before the number was taken out is refused again. Raises InputError where that can't be told.
    """
    kept_refusals.heed(connection, [each.msisdn for each in newcomers], erasure_key, now)
    if connection.dialect.name == "sqlite":
        return _add_to_sqlite(connection, campaign_id, import_id, newcomers, now)
    same = (campaign_id, now, TargetState.READY.value, 0, import_id)
    added = _ADD.run(connection, [(*same, *each) for each in newcomers])
    return {row.msisdn for row in added}


def _add_to_sqlite(
    connection: Connection,
    campaign_id: int,
    import_id: int,
    newcomers: Sequence[Newcomer],
    now: datetime,
) -> set[str]:
    """Giving rows back would cost five times as much: which are new is asked for, if not all."""
    if not newcomers:
        return set()
    last = connection.execute(_LAST).scalar() or 0
    same = (campaign_id, _as_kept(now), TargetState.READY.value, 0, import_id)
    rows = [
        (*same, *each[:4], orjson.dumps(each.attributes).decode(), *each[5:]) for each in newcomers
    ]
    msisdns = [each.msisdn for each in newcomers]
    if connection.exec_driver_sql(_INSERT, rows).rowcount == len(rows):
        return set(msisdns)
    added = {"campaign_id": campaign_id, "msisdns": msisdns, "last": last}
    return set(connection.execute(_ADDED, added).scalars())


def held(connection: Connection, campaign_id: int, msisdns: Sequence[str]) -> dict[str, int | None]:
    """Which of the numbers the campaign has, and by which import."""
    if not msisdns:
        return {}
    rows = connection.execute(_HELD, {"campaign_id": campaign_id, "msisdns": msisdns})
    return dict(rows.all())


def in_other_running(connection: Connection, campaign_id: int, msisdns: Sequence[str]) -> set[str]:
    """Which of the numbers another campaign has that is running."""
    rows = connection.execute(_ELSEWHERE, {"campaign_id": campaign_id, "msisdns": msisdns})
    return set(rows.scalars())


def campaigns_of(connection: Connection, msisdns: Sequence[str]) -> dict[str, int]:
    """The latest campaign of each of the numbers that any campaign has."""
    if not msisdns:
        return {}
    rows = connection.execute(_AUDIENCE, {"msisdns": msisdns})
    return dict(rows.all())


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
