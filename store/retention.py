"""What has been kept for long enough is taken out, a few rows at a time. I/O.

Rows say what is left to do, so whatever stops half-way goes on where it was. A table is walked by
spans of ids: `look` reads one span and holds nothing up, `take_out` writes a few rows that it
found, in a transaction so short that claims and key 1 do not notice. What a period is counted from,
and what keeps a row beyond it, stands in OVERDUE; what is taken out, in `store.personal`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    String,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
)

from domain.states import (
    CampaignState,
    MessageInState,
    MessageOutState,
    ReceiptMatch,
    RegistrationState,
    TargetState,
)
from store import kept_refusals
from store.columns import UtcDateTime, fixed
from store.gate_rules import found, registered
from store.models import (
    Attempt,
    Callback,
    Campaign,
    Event,
    MessageIn,
    MessageOut,
    OptOut,
    Receipt,
    Registration,
    SmsReference,
    Target,
    table,
)
from store.personal import (
    ADDRESSES,
    ATTEMPTS,
    CALLBACKS,
    HISTORY,
    NOTES,
    OPT_OUT,
    RECEIPTS,
    REGISTRATIONS,
    TARGETS,
    TEXTS_IN,
    TEXTS_OUT,
    Personal,
    is_number,
)
from store.statements import among

_SPAN = 10_000
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Periods:
    """How long: whom was contacted, and who consented or refused (never less than a year)."""

    contact: timedelta
    consent: timedelta

    def before(self, now: datetime) -> "Before":
        """The moments before which is too long ago, as parameters; and now."""
        return {
            "contact_before": now - self.contact,
            "consent_before": now - self.consent,
            "now": now,
        }


Before = dict[str, datetime]


@dataclass(frozen=True, slots=True)
class Overdue:
    """Rows of a table that are kept no longer, by `is_over`; refusals are none of `PERSONAL`."""

    name: str
    id: ColumnElement[Any]
    is_over: ColumnElement[bool]
    personal: Personal | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """The ids found in a span, and after which id to look on; None: that was all."""

    ids: Sequence[int]
    after: int | None


_ONE = literal_column("1", Integer)
_CONTACT = bindparam("contact_before", type_=UtcDateTime)
_CONSENT = bindparam("consent_before", type_=UtcDateTime)
_campaigns, _targets, _attempts = table(Campaign).c, table(Target).c, table(Attempt).c
_callbacks, _registrations = table(Callback).c, table(Registration).c
_in, _out, _receipts = table(MessageIn).c, table(MessageOut).c, table(Receipt).c
_events, _opt_outs = table(Event).c, table(OptOut).c
_references = table(SmsReference).c
_newer = table(OptOut).alias("newer").c
_asked = table(MessageIn).alias("asked").c


def _overdue(personal: Personal, *conditions: ColumnElement[bool]) -> Overdue:
    is_over = and_(personal.is_left, *conditions)
    return Overdue(personal.name, personal.id, is_over, personal)


_IS_STOPPED = found(
    select(_ONE).where(
        _campaigns.id == _targets.campaign_id, _campaigns.state == fixed(CampaignState.STOPPED)
    )
)
_CALLED_SINCE = found(
    select(_ONE).where(
        _attempts.target_id == _targets.id,
        or_(_attempts.settled_at.is_(None), _attempts.ended_at >= _CONTACT),
    )
)
_REFUSES = literal_column(f"'{OPT_OUT}'", String)
_CONFIRMS_REFUSAL = found(
    select(_ONE).where(_asked.id == _out.in_reply_to, _asked.verdict == _REFUSES)
)


def _closed_before(callback_id: ColumnElement[Any]) -> ColumnElement[bool]:
    return found(select(_ONE).where(_callbacks.id == callback_id, _callbacks.closed_at < _CONTACT))


TARGETS_OVER = _overdue(
    TARGETS,
    or_(
        _targets.state == fixed(TargetState.DONE),
        (_targets.state == fixed(TargetState.READY)) & _IS_STOPPED,
    ),
    _targets.not_before < _CONTACT,
    ~_CALLED_SINCE,
    ~registered(_targets.msisdn),
)
"""Their calls go with them."""
TEXTS_OVER = _overdue(
    TEXTS_OUT,
    _out.state != fixed(MessageOutState.QUEUED),
    _out.state != fixed(MessageOutState.SENDING),
    _out.posted_at < _CONTACT,
    or_(_out.posted_at < _CONSENT, ~_CONFIRMS_REFUSAL),
)
REFUSALS_OVER = Overdue(
    str(table(OptOut).name),
    _opt_outs.id,
    and_(
        is_number(_opt_outs.msisdn),
        _opt_outs.at < _CONSENT,
        # As long as a campaign has the number, the gate must find its refusal by it.
        ~found(select(_ONE).where(_targets.msisdn == _opt_outs.msisdn)),
        ~found(select(_ONE).where(_newer.msisdn == _opt_outs.msisdn, _newer.at >= _CONSENT)),
    ),
)
OVERDUE = (
    TARGETS_OVER,
    TEXTS_OVER,
    _overdue(
        TEXTS_IN,
        _in.state == fixed(MessageInState.READ),
        _in.received_at < _CONTACT,
        or_(_in.received_at < _CONSENT, func.coalesce(_in.verdict, "") != _REFUSES),
    ),
    _overdue(
        RECEIPTS,
        _receipts.received_at < _CONTACT,
        _receipts.matching != fixed(ReceiptMatch.ORPHAN),
    ),
    _overdue(ADDRESSES, _closed_before(ADDRESSES.id)),
    _overdue(NOTES, _closed_before(NOTES.id)),
    _overdue(CALLBACKS, _callbacks.closed_at < _CONSENT),
    _overdue(
        REGISTRATIONS,
        _registrations.state != fixed(RegistrationState.OPEN),
        _registrations.registered_at < _CONSENT,
    ),
    _overdue(HISTORY, _events.at < _CONSENT),
    REFUSALS_OVER,
)
"""In the order in which they are taken out: refusals come after the targets that need them."""


def look(connection: Connection, overdue: Overdue, after: int, before: Before) -> Look:
    """The rows of the next span that are overdue, at most as many as are taken out at once."""
    span = {"after": after, "until": after + _SPAN, "limit": _AT_ONCE}
    identity = overdue.id
    chosen = (
        select(identity)
        .where(identity > bindparam("after"), identity <= bindparam("until"), overdue.is_over)
        .distinct()
        .order_by(identity)
        .limit(bindparam("limit"))
    )
    ids = connection.execute(chosen, {**span, **before}).scalars().all()
    if len(ids) == _AT_ONCE:
        return Look(ids, ids[-1])
    last = connection.execute(select(func.max(identity))).scalar_one() or 0
    return Look(ids, after + _SPAN if last > after + _SPAN else None)


def take_out(
    connection: Connection, overdue: Overdue, ids: Sequence[int], before: Before, key: str
) -> dict[str, int]:
    """Take out what is personal in these rows, where they still are overdue; give how many.

    Raises InputError where refusals are to be kept and there is no key to do it with.
    """
    if overdue is REFUSALS_OVER:
        return _keep_refusals(connection, ids, before, key)
    assert overdue.personal is not None  # noqa: S101 - for the type
    counted = _counters(connection, ids) if overdue is TEXTS_OVER else []
    given = {"ids": ids, **before}
    where = among(overdue.id, "ids") & overdue.is_over
    taken = {overdue.name: overdue.personal.take_out(connection, where, given)}
    if overdue is TARGETS_OVER:
        where = among(_attempts.target_id, "ids") & ATTEMPTS.is_left & _TARGET_IS_OUT
        taken[ATTEMPTS.name] = ATTEMPTS.take_out(connection, where, {"ids": ids})
    if counted:
        connection.execute(_FORGET, counted)
    return taken


def calls_of(connection: Connection, target_ids: Sequence[int]) -> int:
    """How many calls go with these targets."""
    chosen = select(func.count()).where(among(_attempts.target_id, "ids"), ATTEMPTS.is_left)
    return int(connection.execute(chosen, {"ids": target_ids}).scalar_one())


_TARGET_IS_OUT = found(
    select(_ONE).where(_targets.id == _attempts.target_id, ~is_number(_targets.msisdn))
)
_COUNTED = select(_out.source.label("of_source"), _out.msisdn.label("to_number")).where(
    among(_out.id, "ids"), _out.part_total > _ONE
)
# The counter of a number's long texts, where no other text of it is left.
_FORGET = delete(table(SmsReference)).where(
    _references.source == bindparam("of_source"),
    _references.destination == bindparam("to_number"),
    ~found(select(_ONE).where(_out.msisdn == _references.destination)),
)


def _counters(connection: Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    rows = connection.execute(_COUNTED.distinct(), {"ids": ids})
    return [dict(row) for row in rows.mappings()]


def _keep_refusals(
    connection: Connection, ids: Sequence[int], before: Before, key: str
) -> dict[str, int]:
    kept_refusals.begin_taking_out(connection)
    chosen = select(_opt_outs.msisdn).where(among(_opt_outs.id, "ids"), REFUSALS_OVER.is_over)
    msisdns = connection.execute(chosen.distinct(), {"ids": ids, **before}).scalars().all()
    kept = [kept_refusals.keep(connection, msisdn, key, before["now"]) for msisdn in msisdns]
    return {REFUSALS_OVER.name: sum(kept)}
