"""What the rows of claims and calls tell of one number's call-backs, as timeline entries. I/O."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from domain.states import ClaimEnd
from store.models import Callback, CallbackAttempt, CallbackClaim, table

_callback, _claim = table(Callback).c, table(CallbackClaim).c
_call = table(CallbackAttempt).c
_CALL_STEPS = {
    "callback_dialled": "started_at",
    "callback_agent_answered": "agent_answered_at",
    "callback_subscriber_dialled": "subscriber_dialled_at",
    "callback_subscriber_answered": "subscriber_answered_at",
}
_ENDINGS = {
    ClaimEnd.RESULT: "callback_result",
    ClaimEnd.GIVEN_BACK: "callback_given_back",
    ClaimEnd.OFF_DUTY: "callback_given_back",
    ClaimEnd.EXPIRED: "callback_lease_expired",
    ClaimEnd.RELEASED: "callback_released",
    ClaimEnd.CANCELLED: "callback_taken_back",
}


def entries(connection: Connection, msisdn: str) -> list[dict[str, Any]]:
    """Who took the call-backs of a number, each step of their calls, and what came of them."""
    same = (_callback.kind.label("callback"), _callback.campaign_id)
    claims = connection.execute(
        select(table(CallbackClaim), *same)
        .join(table(Callback), _callback.id == _claim.callback_id)
        .where(_callback.msisdn == msisdn)
    )
    calls = connection.execute(
        select(table(CallbackAttempt), *same)
        .join(table(Callback), _callback.id == _call.callback_id)
        .where(_callback.msisdn == msisdn)
    )
    found = [entry for row in claims.mappings() for entry in _claim_entries(row)]
    return found + [entry for row in calls.mappings() for entry in _call_entries(row)]


def _claim_entries(row: RowMapping) -> list[dict[str, Any]]:
    same = _same(row)
    taken = {"at": row["claimed_at"], "kind": "callback_claimed", **same}
    if row["ended_at"] is None:
        return [taken]
    ended = {"at": row["ended_at"], "kind": _ENDINGS[ClaimEnd(row["ending"])], **same}
    for name in ("outcome", "note", "reason"):
        ended[name] = row[name]
    ended["later_at"] = None if row["later_at"] is None else row["later_at"].isoformat()
    return [taken, ended]


def _call_entries(row: RowMapping) -> list[dict[str, Any]]:
    same = {**_same(row), "attempt_id": str(row["id"])}
    steps: list[tuple[str, datetime | None, dict[str, Any]]] = [
        (kind, row[column], {}) for kind, column in _CALL_STEPS.items()
    ]
    causes = {name: row[name] for name in ("disposition", "hangup_cause", "tech_cause")}
    steps.append(("callback_call_ended", row["ended_at"], causes))
    return [{"at": at, "kind": kind, **same, **more} for kind, at, more in steps if at is not None]


def _same(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in ("campaign_id", "callback", "agent_id")}
