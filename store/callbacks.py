"""Promised calls of 9090 agents: opened with both deadlines, one open per number and kind. I/O."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.deadlines import promise_at, target_at
from domain.states import CallbackKind, CallbackState, Channel
from store import history
from store.facts import AdviceAsked
from store.history import Happening, happening, insert_new
from store.models import Callback


@dataclass(frozen=True, slots=True)
class CallbackAsked:
    """A call-back to open; deadlines are counted from `requested_at`."""

    kind: CallbackKind
    msisdn: str
    campaign_id: int | None
    source_id: str
    requested_at: datetime
    registration_id: int | None = None


async def open_callbacks(
    connection: AsyncConnection, asked: Sequence[CallbackAsked], target_by: time
) -> None:
    """Open each call-back, unless its source or its number has one of that kind already."""
    if not asked:
        return
    rows = [
        {
            **asdict(callback),
            "target_at": target_at(callback.requested_at, target_by),
            "promise_at": promise_at(callback.requested_at),
            "state": CallbackState.OPEN,
        }
        for callback in asked
    ]
    opened = await connection.execute(
        insert_new(connection, Callback).returning(*_PROMISED_COLUMNS), rows
    )
    await history.add(connection, [_promised(row) for row in opened])


_PROMISED_COLUMNS = (
    Callback.kind,
    Callback.msisdn,
    Callback.campaign_id,
    Callback.requested_at,
    Callback.target_at,
    Callback.promise_at,
)


def _promised(row: Row[*tuple[Any, ...]]) -> Happening:
    return happening(
        "callback_promised",
        row.requested_at,
        msisdn=row.msisdn,
        campaign_id=row.campaign_id,
        callback=row.kind,
        target_at=row.target_at.isoformat(),
        promise_at=row.promise_at.isoformat(),
    )


async def promise_advice(
    connection: AsyncConnection, asked: Sequence[AdviceAsked], target_by: time
) -> None:
    """Open an advice call-back for each subscriber whom key 3 brought to no agent."""
    await open_callbacks(
        connection,
        [
            CallbackAsked(
                kind=CallbackKind.ADVICE,
                msisdn=fact.msisdn,
                campaign_id=fact.campaign_id,
                source_id=f"{Channel(fact.channel)}:{fact.source_id}",
                requested_at=fact.at,
            )
            for fact in asked
        ],
        target_by,
    )
