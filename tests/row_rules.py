"""What the rows of a store may never say, whatever happened before. I/O."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, select

from store.models import (
    Attempt,
    Base,
    Callback,
    Campaign,
    Event,
    KeyPress,
    OptOut,
    Registration,
    Target,
    table,
)

Row = Mapping[str, Any]
Rows = dict[type[Base], list[Row]]

LOCAL = timedelta(hours=7)
PROMISE = timedelta(hours=48)
BY = time(21, 0)
READ: tuple[type[Base], ...] = (
    *(Campaign, Target, Attempt, Registration, Callback, Event, OptOut, KeyPress),
)
ONLY_GROW: tuple[type[Base], ...] = (Event, OptOut, KeyPress)


def read(connection: Connection) -> Rows:
    """All rows that the rules are about."""

    def rows(kind: type[Base]) -> list[Row]:
        return [dict(row) for row in connection.execute(select(table(kind))).mappings()]

    return {kind: rows(kind) for kind in READ}


@dataclass
class Past:
    """What was seen before, and must be there still."""

    grown: dict[type[Base], dict[Any, Row]] = field(default_factory=dict)
    ends: dict[Any, str | None] = field(default_factory=dict)
    registrations: set[int] = field(default_factory=set)


def faults(rows: Rows, past: Past) -> Iterator[str]:
    """Every rule that the rows break; `past` moves on."""
    open_attempts = [row for row in rows[Attempt] if row["state"] != "ended"]
    open_ones = [row for row in rows[Registration] if row["state"] == "open"]
    yield from _twice("open attempts", open_attempts)
    yield from _twice("open registrations", open_ones)
    yield from _promises(rows[Registration], rows[Callback])
    yield from _left_alone(rows[Target], rows[Attempt])
    yield from _lost(rows, past)


def _twice(what: str, rows: Sequence[Row]) -> Iterator[str]:
    for number, count in Counter(row["msisdn"] for row in rows).items():
        if count > 1:
            yield f"{number} has {count} {what}"


def _promises(registrations: Sequence[Row], callbacks: Sequence[Row]) -> Iterator[str]:
    """One confirm call-back each, by 21:00 of the next local day and within 48 hours."""
    for registration in registrations:
        own = [row for row in callbacks if row["registration_id"] == registration["id"]]
        if len(own) != 1 or own[0]["kind"] != "confirm":
            yield f"registration {registration['id']} has {len(own)} confirm call-backs"
            continue
        at = registration["registered_at"]
        by = datetime.combine((at + LOCAL).date() + timedelta(days=1), BY, UTC) - LOCAL
        if (own[0]["target_at"], own[0]["promise_at"]) != (by, at + PROMISE):
            yield f"registration {registration['id']} of {at} is promised {own[0]}"
        if registration["state"] == "cancelled" and own[0]["state"] in ("open", "claimed"):
            yield f"registration {registration['id']} is cancelled, its call-back is not"


def _left_alone(targets: Sequence[Row], attempts: Sequence[Row]) -> Iterator[str]:
    """A claimed target has an attempt that is open, or not judged yet."""
    busy = {
        row["target_id"] for row in attempts if row["state"] != "ended" or row["settled_at"] is None
    }
    for target in targets:
        if target["state"] == "claimed" and target["id"] not in busy:
            yield f"target {target['id']} is claimed for nothing"


def _lost(rows: Rows, past: Past) -> Iterator[str]:
    for kind in ONLY_GROW:
        keys = [column.name for column in table(kind).primary_key]
        now = {tuple(row[key] for key in keys): row for row in rows[kind]}
        for key, row in past.grown.get(kind, {}).items():
            if now.get(key) != row:
                yield f"{table(kind).name} {key} has changed or is gone"
        past.grown[kind] = now
    ends = {row["id"]: row["disposition"] for row in rows[Attempt]}
    for attempt, end in past.ends.items():
        if attempt not in ends or (end not in (None, "unknown") and ends[attempt] != end):
            yield f"attempt {attempt} was {end}, it is {ends.get(attempt, 'gone')}"
    past.ends = ends
    registered = {row["id"] for row in rows[Registration]}
    if lost := past.registrations - registered:
        yield f"registrations {lost} are gone"
    past.registrations = registered
