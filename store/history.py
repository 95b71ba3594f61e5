"""The append-only history: what happened, when, to which number. I/O."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import Insert, RowMapping, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from store.models import Attempt, Base, Event, KeyPress


class Happening(TypedDict):
    """A row for `add`; `once` is the idempotency key, None where a repeat can't come."""

    at: datetime
    kind: str
    msisdn: str | None
    campaign_id: int | None
    data: dict[str, Any]
    once: str | None


def happening(
    kind: str,
    at: datetime,
    *,
    msisdn: str | None = None,
    campaign_id: int | None = None,
    once: str | None = None,
    **data: Any,
) -> Happening:
    """One thing that happened; `kind` in the past tense, `data` JSON values."""
    return Happening(at=at, kind=kind, msisdn=msisdn, campaign_id=campaign_id, data=data, once=once)


def insert_new(connection: AsyncConnection, table: type[Base]) -> Insert:
    """An INSERT that passes over rows which a unique rule already holds."""
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return build(table).on_conflict_do_nothing()


async def add(connection: AsyncConnection, happenings: Sequence[Happening]) -> None:
    """Append; a happening whose `once` stands already is passed over."""
    if happenings:
        await connection.execute(insert_new(connection, Event), happenings)


async def timeline(connection: AsyncConnection, msisdn: str) -> list[dict[str, Any]]:
    """Everything that happened to one number, in order: `at`, `kind`, and what is known of it."""
    events = await connection.execute(
        select(Event.at, Event.kind, Event.campaign_id, Event.data).where(Event.msisdn == msisdn)
    )
    keys = await connection.execute(
        select(KeyPress.pressed_at, KeyPress.key, KeyPress.script_state, KeyPress.attempt_id)
        .join(Attempt, Attempt.id == KeyPress.attempt_id)
        .where(Attempt.msisdn == msisdn)
    )
    entries = [_event_entry(row) for row in events.mappings()]
    entries += [_key_entry(row) for row in keys.mappings()]
    return sorted(entries, key=lambda entry: entry["at"])


def _event_entry(row: RowMapping) -> dict[str, Any]:
    return {"at": row["at"], "kind": row["kind"], "campaign_id": row["campaign_id"], **row["data"]}


def _key_entry(row: RowMapping) -> dict[str, Any]:
    return {
        "at": row["pressed_at"],
        "kind": "key_pressed",
        "key": row["key"],
        "script_state": row["script_state"],
        "attempt_id": str(row["attempt_id"]),
    }
