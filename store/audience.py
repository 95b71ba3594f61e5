"""The numbers of a campaign: added in batches, each number once. I/O."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import Connection, func, insert, select

from domain.states import TargetState
from store.models import Target, table
from store.statements import among

_target = table(Target).c
_AUDIENCE = (
    select(_target.msisdn, func.max(_target.campaign_id))
    .where(among(_target.msisdn, "msisdns"))
    .group_by(_target.msisdn)
)


class NewTarget(TypedDict):
    """What an audience file says of one number; `msisdn` is E.164."""

    msisdn: str
    province: str | None
    district: str | None
    list_no: int | None
    attributes: dict[str, Any]


def known_numbers(connection: Connection, campaign_id: int, msisdns: Sequence[str]) -> set[str]:
    """Which of the numbers the campaign has already."""
    rows = connection.execute(
        select(Target.msisdn).where(Target.campaign_id == campaign_id, Target.msisdn.in_(msisdns))
    )
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
