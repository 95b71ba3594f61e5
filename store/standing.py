"""The registration that a number has: asked for, and cancelled by its subscriber. I/O."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from domain.states import CallbackKind, CallbackState, ClaimEnd, RegistrationState
from store import history
from store.callback_claims import NO_CLAIM, end, unfinished
from store.columns import fixed
from store.history import happening
from store.models import Callback, Event, Registration, table
from store.registrations import Source
from store.statements import among

_registration, _callback, _event = table(Registration).c, table(Callback).c, table(Event).c
_OPEN = _registration.state == fixed(RegistrationState.OPEN)
_STANDING = select(table(Registration)).where(among(_registration.msisdn, "msisdns"), _OPEN)
_CANCEL = (
    update(table(Registration))
    .where(_registration.msisdn == bindparam("of_msisdn"), _OPEN)
    .values(state=fixed(RegistrationState.CANCELLED))
    .returning(table(Registration))
)
_LOCK_CALLBACKS = (
    select(_callback.id)
    .where(_callback.msisdn == bindparam("of_msisdn"), unfinished(table(Callback)))
    .order_by(_callback.id)
    .with_for_update()
)
_CALLBACKS = select(_callback.id, _callback.kind, _callback.claim_id).where(
    _callback.registration_id == bindparam("registration"),
    _callback.kind == fixed(CallbackKind.CONFIRM),
    unfinished(table(Callback)),
)
_CANCEL_CALLBACKS = (
    update(table(Callback))
    .where(among(_callback.id, "ids"))
    .values(state=fixed(CallbackState.CANCELLED), closed_at=bindparam("now"), **NO_CLAIM)
)
_CANCELLED_BEFORE = select(_event.data).where(_event.once == bindparam("key"))


def standing(connection: Connection, msisdns: Sequence[str]) -> dict[str, Registration]:
    """The open registration of each of the numbers that has one."""
    if not msisdns:
        return {}
    rows = connection.execute(_STANDING, {"msisdns": msisdns})
    return {row["msisdn"]: _as_registration(row) for row in rows.mappings()}


def cancel(
    connection: Connection, msisdn: str, at: datetime, source: Source
) -> Registration | None:
    """Cancel the open registration of a number, and its confirm call-back; None if it has none.

    The same source again cancels nothing more, and gives what it has cancelled.
    """
    key = f"cancelled:{':'.join(source)}"
    before = connection.execute(_CANCELLED_BEFORE, {"key": key}).scalar_one_or_none()
    if before is not None:
        chosen = select(table(Registration)).where(_registration.id == before["registration_id"])
        return _as_registration(connection.execute(chosen).mappings().one())
    # As an agent's result does: first the call-back, then its registration. Else both would wait.
    connection.execute(_LOCK_CALLBACKS, {"of_msisdn": msisdn}).all()
    row = connection.execute(_CANCEL, {"of_msisdn": msisdn}).mappings().one_or_none()
    if row is None:
        return None
    calls = _cancel_callbacks(connection, row["id"], at)
    _record(connection, row, at, source, key, calls)
    return _as_registration(row)


def _cancel_callbacks(connection: Connection, registration: int, at: datetime) -> list[str]:
    """Cancel what a registration promised, an agent's claim with it; give the kinds."""
    rows = connection.execute(_CALLBACKS, {"registration": registration}).all()
    if rows:
        connection.execute(_CANCEL_CALLBACKS, {"ids": [row.id for row in rows], "now": at})
        claims = [row.claim_id for row in rows if row.claim_id is not None]
        end(connection, claims, ClaimEnd.CANCELLED, at)
    return [row.kind for row in rows]


def _record(
    connection: Connection,
    row: RowMapping,
    at: datetime,
    source: Source,
    key: str,
    calls: Sequence[str],
) -> None:
    channel, source_id = source
    same = {"msisdn": row["msisdn"], "campaign_id": row["campaign_id"]}
    cancelled = happening(
        "registration_cancelled",
        at,
        **same,
        once=key,
        registration_id=row["id"],
        channel=channel,
        source_id=source_id,
    )
    history.add(
        connection,
        [
            cancelled,
            *(happening("callback_cancelled", at, **same, callback=kind) for kind in calls),
        ],
    )


def _as_registration(row: RowMapping) -> Registration:
    values = dict(row)
    identity = values.pop("id")
    registration = Registration(**values)
    registration.id = identity
    return registration
