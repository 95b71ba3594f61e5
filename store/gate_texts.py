"""The gate at the send of every text: whether an invitation may still go out. I/O.

Its target passed `store.gate` when it was posted; hours may lie between, and here texts are counted
against the cap. First try and repeat alike pass; replies and other texts do not, they were asked
for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select, update

from domain.clock import to_local
from domain.gate import (
    MOST_TEXTS,
    ROLLING,
    TEXT_HOURS,
    Refusal,
    cap_frees_at,
    midnight,
    phase_opens_at,
)
from domain.states import ContactScope, MessageOutState, PostKind, Purpose
from store.columns import UtcDateTime, fixed
from store.gate import moments
from store.gate_rules import PHASE, PHASE_ID, first_broken, of_number
from store.locks import lock_inviting
from store.models import Campaign, MessageOut, Phase, Target, table
from store.statements import among

_out, _campaigns = table(MessageOut).c, table(Campaign).c
_targets, _phases = table(Target).c, table(Phase).c
_MESSAGE = func.coalesce(_out.head_id, _out.id)
_JUDGED = (
    select(
        *(_out.id, _MESSAGE.label("message"), _out.msisdn, _campaigns.purpose),
        first_broken(*of_number(_out.msisdn, ContactScope.SMS), PHASE),
        *(_phases.opens_on, _phases.closes_on),
    )
    .select_from(table(MessageOut))
    .outerjoin(table(Campaign), _campaigns.id == _out.campaign_id)
    .outerjoin(
        table(Target),
        (_targets.campaign_id == _out.campaign_id) & (_targets.msisdn == _out.msisdn),
    )
    .outerjoin(table(Phase), _campaigns.by_phase & (_phases.id == PHASE_ID))
    .where(among(_out.id, "ids"))
    .order_by(_out.not_before, _out.id)
)
_SENT_LATELY = select(_out.id, _MESSAGE, _out.msisdn, _out.sending_at).where(
    among(_out.msisdn, "msisdns"),
    _out.kind == fixed(PostKind.INVITATION),
    _out.sending_at > bindparam("day_ago", type_=UtcDateTime),
    # What the SMSC has refused, or told to come again, never went out.
    _out.state != fixed(MessageOutState.QUEUED),
    _out.state != fixed(MessageOutState.FAILED),
)
_WITHDRAW = (
    update(table(MessageOut))
    .where(_out.id == bindparam("pdu"))
    .values(state=fixed(MessageOutState.FAILED), error=bindparam("reason"))
)
_LET_WAIT = (
    update(table(MessageOut))
    .where(_out.id == bindparam("pdu"))
    .values(
        state=fixed(MessageOutState.QUEUED),
        not_before=bindparam("until"),
        tries=_out.tries - 1,
        bind=None,
        sending_at=None,
    )
)


@dataclass(frozen=True, slots=True)
class _Invitation:
    """A PDU just claimed; `message` is the id of its text."""

    id: int
    message: int
    msisdn: str
    purpose: str | None
    reason: str | None
    opens_on: date | None
    closes_on: date | None

    def waits_for_phase(self, now: datetime) -> datetime | None:
        """When its place is open, or may have got another phase; None where that is over."""
        if self.reason != Refusal.PHASE_CLOSED:
            return None
        opens_at = phase_opens_at(self.opens_on, self.closes_on, now)
        tomorrow = midnight(to_local(now).date() + timedelta(days=1))
        return None if opens_at is None else min(opens_at, tomorrow)


def turn_away(connection: Connection, ids: Sequence[int], now: datetime) -> set[int]:
    """Give the claimed invitations that must not be sent; they have failed, or wait again."""
    lock_inviting(connection)
    judged = connection.execute(_JUDGED, {"ids": ids, "today": moments(now)["today"]})
    claimed = [_Invitation(*row) for row in judged]
    closed = {each.id: at for each in claimed if (at := each.waits_for_phase(now)) is not None}
    unwanted = {
        each.id: each.reason
        for each in claimed
        if each.reason is not None and each.id not in closed
    }
    if unwanted:
        failed = [{"pdu": pdu, "reason": reason} for pdu, reason in unwanted.items()]
        connection.execute(_WITHDRAW, failed)
    # What has no campaign has no purpose: it is held to the strictest one.
    adverts = [
        each
        for each in claimed
        if each.reason is None and each.purpose in (None, Purpose.ADVERTISING)
    ]
    waits = closed | (_waits(connection, adverts, now) if adverts else {})
    if waits:
        connection.execute(_LET_WAIT, [{"pdu": p, "until": at} for p, at in waits.items()])
    return {*unwanted, *waits}


def _waits(
    connection: Connection, adverts: Sequence[_Invitation], now: datetime
) -> dict[int, datetime]:
    """The PDUs that may not go out yet, and when they may."""
    if not TEXT_HOURS.is_open(now):
        return dict.fromkeys((each.id for each in adverts), TEXT_HOURS.next_opening(now))
    return _capped(connection, adverts, now)


def _capped(
    connection: Connection, adverts: Sequence[_Invitation], now: datetime
) -> dict[int, datetime]:
    """The PDUs beyond the cap, and when the rolling window has room for them again."""
    sent = _sent_lately(connection, adverts, now)
    waits: dict[int, datetime] = {}
    beyond: dict[int, datetime] = {}
    for each in adverts:
        texts = sent.setdefault(each.msisdn, {})
        if each.message not in texts and each.message not in beyond:
            until = cap_frees_at(list(texts.values()), MOST_TEXTS, now)
            if until is None:
                texts[each.message] = now
            else:
                beyond[each.message] = until
        if each.message in beyond:
            waits[each.id] = beyond[each.message]
    return waits


def _sent_lately(
    connection: Connection, adverts: Iterable[_Invitation], now: datetime
) -> dict[str, dict[int, datetime]]:
    """By number, the texts of the rolling window and when each went out; not those in hand."""
    in_hand = {each.id for each in adverts}
    wanted = {"msisdns": sorted({each.msisdn for each in adverts}), "day_ago": now - ROLLING}
    sent: dict[str, dict[int, datetime]] = {}
    for pdu, message, msisdn, at in connection.execute(_SENT_LATELY, wanted):
        if pdu not in in_hand:
            sent.setdefault(msisdn, {})[message] = at
    return sent
