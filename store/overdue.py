"""How long what is kept: what each period is counted from, and what keeps a row beyond it. Pure.

What is taken out of a row then, and what stands in its place, says `store.personal`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    bindparam,
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
    Target,
    TrialCall,
    table,
)
from store.personal import (
    ADDRESSES,
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

RowId = int | UUID
Before = dict[str, datetime]


@dataclass(frozen=True, slots=True)
class Periods:
    """How long: whom was contacted, and who consented or refused (never less than a year)."""

    contact: timedelta
    consent: timedelta

    def before(self, now: datetime) -> Before:
        """The moments before which is too long ago, as parameters; and now."""
        return {
            "contact_before": now - self.contact,
            "consent_before": now - self.consent,
            "now": now,
        }


@dataclass(frozen=True, slots=True)
class Overdue:
    """Rows of a table that are kept no longer, by `is_over`; refusals are none of `PERSONAL`.

    `before_all` is an id below those of all its rows.
    """

    name: str
    id: ColumnElement[Any]
    is_over: ColumnElement[bool]
    personal: Personal | None = None
    before_all: RowId = 0


_ONE = literal_column("1", Integer)
_CONTACT = bindparam("contact_before", type_=UtcDateTime)
_CONSENT = bindparam("consent_before", type_=UtcDateTime)
_campaigns, _targets, _attempts = table(Campaign).c, table(Target).c, table(Attempt).c
_callbacks, _registrations = table(Callback).c, table(Registration).c
_in, _out, _receipts = table(MessageIn).c, table(MessageOut).c, table(Receipt).c
_events, _opt_outs, _trials = table(Event).c, table(OptOut).c, table(TrialCall).c
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
TRIALS_OVER = Overdue(
    str(table(TrialCall).name),
    _trials.id,
    _trials.ended_at < _CONTACT,
    before_all=UUID(int=0),
)
"""They go whole: no figure knows of them."""
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
    TRIALS_OVER,
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
