"""What an agent's call came to: the result ends the claim, and what it leads to. I/O."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from domain.addresses import Address, Appointment, faults
from domain.calendar import Calendar
from domain.callbacks import LEADS_TO, Next, Outcome, outcomes_of
from domain.errors import ClaimLost, InputError
from domain.states import CallbackKind, CallbackState, ClaimEnd, RegistrationState
from store import history
from store.callback_claims import NO_CLAIM, held_again
from store.columns import fixed
from store.history import happening
from store.messages import storable
from store.models import Address as AddressRow
from store.models import Callback, CallbackClaim, Registration, table


@dataclass(frozen=True, slots=True)
class Result:
    """What the agent says; `later_at` goes with `call_later`, the address with `confirmed`."""

    outcome: Outcome
    note: str | None = None
    later_at: datetime | None = None
    address: Address | None = None
    appointment: Appointment | None = None


_callback, _claim, _registration = (
    table(Callback).c,
    table(CallbackClaim).c,
    table(Registration).c,
)
_STATES = {
    Next.DONE: CallbackState.DONE,
    Next.ENDED: CallbackState.DONE,
    Next.RETRY: CallbackState.OPEN,
    Next.LATER: CallbackState.OPEN,
}


def close(
    connection: Connection, claim_id: UUID, result: Result, now: datetime, hours: Calendar
) -> CallbackState:
    """Record the result of a claimed call-back; give the state it leads to.

    The same result told again is passed over. One that is told after the claim lapsed counts, if
    nobody took the call-back meanwhile: the talk took place. A subscriber who was not reached waits
    for the scheduler to say when. Raises ClaimLost, and InputError where the result makes no sense.
    """
    try:
        row = held_again(connection, claim_id, now)
    except ClaimLost:
        if _outcome_told(connection, claim_id) == result.outcome:
            return _STATES[LEADS_TO[result.outcome]]
        raise
    _check(CallbackKind(row["kind"]), result, now, hours)
    leads = LEADS_TO[result.outcome]
    _move(connection, row, result, now)
    _end_claim(connection, claim_id, result, now)
    if result.address is not None:
        _keep_address(connection, row, result.address, now)
    if leads is Next.ENDED and row["registration_id"] is not None:
        cancel_registration(connection, row, result.outcome, now)
    return _STATES[leads]


def later_fault(later_at: datetime | None, now: datetime, hours: Calendar) -> str | None:
    """What is wrong with the moment at which a subscriber is to be called, or None."""
    if later_at is None:
        return "say when to call"
    if later_at <= now:
        return "this moment is past"
    return None if hours.is_open(later_at) else "this moment is outside the agents' hours"


def _check(kind: CallbackKind, result: Result, now: datetime, hours: Calendar) -> None:
    if result.outcome not in outcomes_of(kind):
        raise InputError(f"{result.outcome} is no result of a call-back that is to {kind}")
    if result.outcome is Outcome.CALL_LATER and (fault := later_fault(result.later_at, now, hours)):
        raise InputError(f"call later: {fault}")
    if (result.outcome is Outcome.CONFIRMED) != (result.address is not None):
        raise InputError("an address belongs to what is confirmed, and to nothing else")
    if result.address is not None and (wrong := faults(result.address)):
        raise InputError(f"the address is not complete: {', '.join(sorted(wrong))}")
    if result.appointment is not None and result.address is None:
        raise InputError("an appointment belongs to a confirmed address")


def _outcome_told(connection: Connection, claim_id: UUID) -> str | None:
    chosen = select(_claim.outcome).where(_claim.id == claim_id)
    return connection.execute(chosen).scalar_one_or_none()


_MOVE = (
    update(table(Callback))
    .where(_callback.id == bindparam("of_id"))
    .values(
        **NO_CLAIM,
        **{
            name: bindparam(f"new_{name}", type_=_callback[name].type)
            for name in (
                *("state", "outcome", "outcome_at", "closed_at", "attempts_made", "ready_at"),
                *("appointment_day", "appointment_slot"),
            )
        },
    )
)


def _move(connection: Connection, row: RowMapping, result: Result, now: datetime) -> None:
    leads, meeting = LEADS_TO[result.outcome], result.appointment
    state = _STATES[leads]
    connection.execute(
        _MOVE,
        {
            "of_id": row["id"],
            "new_state": state,
            "new_outcome": result.outcome,
            "new_outcome_at": now,
            "new_closed_at": now if state is CallbackState.DONE else None,
            "new_attempts_made": row["attempts_made"] + (leads is Next.RETRY),
            "new_ready_at": result.later_at if leads is Next.LATER else None,
            "new_appointment_day": None if meeting is None else meeting.day,
            "new_appointment_slot": None if meeting is None else meeting.slot,
        },
    )


_END_CLAIM = (
    update(table(CallbackClaim))
    .where(_claim.id == bindparam("of_claim"))
    .values(
        ending=fixed(ClaimEnd.RESULT),
        **{
            name: bindparam(f"new_{name}", type_=_claim[name].type)
            for name in ("ended_at", "outcome", "later_at", "note")
        },
    )
)


def _end_claim(connection: Connection, claim_id: UUID, result: Result, now: datetime) -> None:
    connection.execute(
        _END_CLAIM,
        {
            "of_claim": claim_id,
            "new_ended_at": now,
            "new_outcome": result.outcome,
            "new_later_at": result.later_at,
            "new_note": _clean(result.note),
        },
    )


def _keep_address(connection: Connection, row: RowMapping, address: Address, now: datetime) -> None:
    parts = {name: _clean(value) for name, value in asdict(address).items()}
    values = {
        **parts,
        "callback_id": row["id"],
        "confirmed_at": now,
        "confirmed_by": row["agent_id"],
    }
    connection.execute(table(AddressRow).insert(), values)


def _clean(value: Any) -> Any:
    """Text as the database takes it, None for a blank one; other values as they are."""
    return (storable(value.strip()) or None) if isinstance(value, str) else value


_CANCEL_REGISTRATION = (
    update(table(Registration))
    .where(
        _registration.id == bindparam("of_registration"),
        _registration.state == fixed(RegistrationState.OPEN),
    )
    .values(state=fixed(RegistrationState.CANCELLED))
    .returning(_registration.id)
)


def cancel_registration(connection: Connection, row: RowMapping, why: str, now: datetime) -> None:
    """There will be no visit after this call-back: the subscriber may register anew."""
    registration = row["registration_id"]
    if connection.execute(_CANCEL_REGISTRATION, {"of_registration": registration}).first() is None:
        return
    cancelled = happening(
        "registration_cancelled",
        now,
        msisdn=row["msisdn"],
        campaign_id=row["campaign_id"],
        registration_id=registration,
        why=why,
    )
    history.add(connection, [cancelled])
