"""The append-only history, and the timeline of one number. I/O.

The row of an attempt or of a text is its own history: it has a time for each step. What can change
more than once (registrations, call-backs, campaigns, limits) leaves an event for every change.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import Connection, RowMapping, select

from store import callback_timeline, texts
from store.batches import NewRows
from store.models import Attempt, Event, KeyPress, table

_ADD = NewRows(Event, ("at", "kind", "msisdn", "campaign_id", "data", "once"))
_RANKS = {
    "registered": 1,
    "registration_repeated": 1,
    "callback_promised": 1,
    "callback_dialled": 1,
    "callback_agent_answered": 2,
    "callback_subscriber_dialled": 3,
    "callback_subscriber_answered": 4,
    "callback_call_ended": 5,
    "callback_unreachable": 1,
    "registration_cancelled": 1,
    "callback_cancelled": 1,
    "opted_out": 1,
    "agent_left": 1,
    "attempt_ended": 2,
    "text_posted": 2,
    "text_sent": 3,
    "text_unanswered": 4,
    "text_accepted": 4,
    "text_refused": 4,
    "text_delivered": 5,
    "text_undelivered": 5,
    "text_expired": 5,
}
"""What comes later at the same moment."""


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


def add(connection: Connection, happenings: Sequence[Happening]) -> None:
    """Append; a happening whose `once` stands already is passed over."""
    _ADD.run(connection, [_row(one) for one in happenings])


def _row(one: Happening) -> tuple[Any, ...]:
    """The values of a new row, in the order of _ADD."""
    return (*(one["at"], one["kind"], one["msisdn"], one["campaign_id"]), one["data"], one["once"])


def timeline(connection: Connection, msisdn: str) -> list[dict[str, Any]]:
    """Everything that happened to one number, in order: `at`, `kind`, and what is known of it."""
    events = connection.execute(
        select(Event.at, Event.kind, Event.campaign_id, Event.data)
        .where(Event.msisdn == msisdn)
        .order_by(Event.id)
    )
    attempts = connection.execute(select(table(Attempt)).where(Attempt.msisdn == msisdn))
    keys = connection.execute(
        select(KeyPress.pressed_at, KeyPress.key, KeyPress.script_state, KeyPress.attempt_id)
        .join(Attempt, Attempt.id == KeyPress.attempt_id)
        .where(Attempt.msisdn == msisdn)
    )
    entries = [_event_entry(row) for row in events.mappings()]
    entries += [entry for row in attempts.mappings() for entry in _attempt_entries(row)]
    entries += [_key_entry(row) for row in keys.mappings()]
    entries += texts.entries(connection, msisdn)
    entries += callback_timeline.entries(connection, msisdn)
    # A key comes before what it brought about, though both bear its time.
    return sorted(entries, key=lambda entry: (entry["at"], _RANKS.get(entry["kind"], 0)))


def _event_entry(row: RowMapping) -> dict[str, Any]:
    return {"at": row["at"], "kind": row["kind"], "campaign_id": row["campaign_id"], **row["data"]}


def _attempt_entries(row: RowMapping) -> list[dict[str, Any]]:
    """The steps of an attempt that its row gives a time for."""
    steps: list[tuple[str, datetime | None, dict[str, Any]]] = [
        ("attempt_dialled", row["started_at"], {"trunk": row["trunk"]}),
        ("attempt_ringing", row["ringing_at"], {}),
        ("attempt_answered", row["answered_at"], {}),
        ("agent_waited_for", row["queue_joined_at"], {}),
        ("agent_connected", row["queue_connected_at"], {"agent_id": row["queue_agent_id"]}),
        ("agent_left", row["queue_left_at"], {"outcome": row["queue_outcome"]}),
        (
            "attempt_ended",
            row["ended_at"],
            {name: row[name] for name in ("disposition", "hangup_cause", "tech_cause")},
        ),
    ]
    same = {"campaign_id": row["campaign_id"], "attempt_id": str(row["id"])}
    return [{"at": at, "kind": kind, **same, **more} for kind, at, more in steps if at is not None]


def _key_entry(row: RowMapping) -> dict[str, Any]:
    return {
        "at": row["pressed_at"],
        "kind": "key_pressed",
        "key": row["key"],
        "script_state": row["script_state"],
        "attempt_id": str(row["attempt_id"]),
    }
