"""A campaign's records as files: attempts, registrations, call-backs; each download is audited.

Rows go out as they are read, so that two million of them need no memory. I/O.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from console import formats
from console.campaign_page import found
from console.messages import marked as _
from console.parts import allowed, parts, session
from console.render import say, word
from console.sheets import Cell, Row, send_csv, send_xlsx
from domain.roles import Permission
from store import audit, exports
from store.audit import Act
from store.engine import Store

Records = Callable[[Store, int], AsyncIterator[dict[str, Any]]]

_NUMBER = {"msisdn": _("Number")}
_CALLED = {
    "started_at": _("Dialled"),
    "ringing_at": _("Ringing"),
    "answered_at": _("Answered"),
    "ended_at": _("Ended"),
    "disposition": _("Outcome"),
    "hangup_cause": _("Cause (Q.850)"),
    "tech_cause": _("Cause (SIP)"),
    "keys": _("Keys"),
    "queue_joined_at": _("Waited for an agent from"),
    "queue_connected_at": _("Agent from"),
    "queue_left_at": _("Agent until"),
    "script_version": _("Script version"),
    "trunk": _("Trunk"),
    "attempt_id": _("Id"),
}
_REGISTERED = {
    "registered_at": _("Registered"),
    "channel": _("Way"),
    "state": _("State"),
    "late_since": _("Late: the phase ended on"),
    "registration_id": _("Id"),
}
_PROMISED = {
    "kind": _("Kind"),
    "state": _("State"),
    "requested_at": _("Asked for"),
    "target_at": _("n+1 ends"),
    "promise_at": _("48 h end"),
    "attempts_made": _("Tries"),
    "outcome": _("Result"),
    "outcome_at": _("Result at"),
    "closed_at": _("Closed"),
    "callback_id": _("Id"),
}
_KINDS: Mapping[str, tuple[Records, Mapping[str, str], str]] = {
    "attempts": (exports.attempts, _NUMBER | _CALLED, ""),
    "registrations": (exports.registrations, _NUMBER | _REGISTERED, "registration_"),
    "callbacks": (exports.callbacks, _NUMBER | _PROMISED, "callback_"),
}
_WORDS = frozenset({"disposition", "outcome", "kind", "channel", "state"})


async def send(request: web.Request) -> web.StreamResponse:
    """The file that is asked for: its kind and its form stand in the address."""
    campaign, it = await found(request), parts(request)
    kind, form = request.match_info["kind"], request.match_info["form"]
    records, columns, prefix = _KINDS[kind]
    act = Act(
        "campaign_exported",
        session(request).user_id,
        campaign.name,
        data={"kind": kind, "form": form},
    )
    await it.store.write(audit.add, act, it.clock())

    async def rows() -> AsyncIterator[Row]:
        yield [say(request, head) for head in columns.values()]
        async for record in records(it.store, campaign.id):
            yield [_cell(request, name, record[name], prefix) for name in columns]

    file = f"{kind}-{campaign.id}-{it.clock():%Y%m%d-%H%M}"
    return await (send_csv if form == "csv" else send_xlsx)(request, file, rows())


def _cell(request: web.Request, name: str, value: Any, prefix: str) -> Cell:
    if value is None:
        return None
    if name == "msisdn":
        return formats.phone(value, whole=allowed(request, Permission.NUMBERS_SEE_WHOLE))
    if name == "keys":
        return " ".join(press["key"] for press in value)
    if name.endswith("_at"):
        return formats.local_seconds(datetime.fromisoformat(value))
    if name == "late_since":
        return formats.day(value)
    if name in _WORDS:
        return word(request, f"{prefix}{value}" if name == "state" else value)
    return value if isinstance(value, str | int | float) else str(value)
