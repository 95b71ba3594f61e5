"""Text campaigns: their targets become texts in the outbox, held there while none may go. I/O.

A target is claimed in the transaction that posts its text, whose key (`once`) is the campaign and
the target: whatever dies or is repeated, no target is ever texted twice.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Select,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    update,
)

from domain.states import (
    CampaignKind,
    CampaignState,
    ContactScope,
    MessageOutState,
    TargetState,
    TextOutcome,
)
from store import gate
from store.columns import UtcDateTime, fixed
from store.models import Campaign, MessageOut, Target, table
from store.statements import among, among_chosen

HELD = datetime(9999, 1, 1, tzinfo=UTC)
"""The `not_before` of a text whose campaign may not send now: no link takes it."""
_SOON = timedelta(minutes=1)
"""A text that is due later waits for something else than a link: it is not under way."""


@dataclass(frozen=True, slots=True)
class Invited:
    """A target that is claimed for a text."""

    target_id: int
    msisdn: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a campaign stands: when the next text is due, and its texts by now."""

    due_at: datetime | None
    cps: float
    under_way: int
    answered: int


def once(campaign_id: int, target_id: int) -> str:
    """The key by which a target's text is posted only once."""
    return f"{campaign_id}:{target_id}"


_campaigns, _targets, _out = table(Campaign).c, table(Target).c, table(MessageOut).c

_IS_TEXT = _campaigns.kind == fixed(CampaignKind.TEXT)
_IS_RUNNING = _campaigns.state == fixed(CampaignState.RUNNING)
_QUEUED = _out.state == fixed(MessageOutState.QUEUED)
_SENDING = _out.state == fixed(MessageOutState.SENDING)
_OF_CAMPAIGN = _out.campaign_id == bindparam("of_campaign")


def _exposed(*state: Any) -> Any:
    """Whether a campaign has texts in that state which a link may take, now or once given back."""
    return (
        select(_out.id)
        .where(_out.campaign_id == _campaigns.id, *state, _out.not_before < bindparam("held"))
        .exists()
    )


_LIVE = (
    select(table(Campaign))
    .where(_IS_TEXT, _IS_RUNNING | _exposed(_QUEUED) | _exposed(_SENDING))
    .order_by(_campaigns.id)
)


def live(connection: Connection) -> list[Campaign]:
    """The text campaigns that run, and those with texts that a link may take all the same."""
    rows = connection.execute(_LIVE, {"held": HELD}).mappings()
    return [_campaign(dict(row)) for row in rows]


def _campaign(values: dict[str, Any]) -> Campaign:
    identity = values.pop("id")
    campaign = Campaign(**values)
    campaign.id = identity
    return campaign


def _texts_of(*conditions: Any) -> Select[Any]:
    """The ids of a campaign's texts, those passed over that somebody else is writing to."""
    return (
        select(_out.id)
        .where(_OF_CAMPAIGN, *conditions)
        .order_by(_out.id)
        .with_for_update(skip_locked=True)
    )


def _hold(state: Any) -> Update:
    chosen = _texts_of(state, _out.not_before < bindparam("held"))
    return (
        update(table(MessageOut))
        .where(among_chosen(_out.id, chosen))
        .values(not_before=bindparam("held"))
    )


_HOLD = [_hold(state) for state in (_QUEUED, _SENDING)]
_RELEASE = (
    update(table(MessageOut))
    .where(_OF_CAMPAIGN, _QUEUED, _out.not_before == bindparam("held"))
    .values(not_before=bindparam("now"))
)
_WITHDRAW = (
    update(table(MessageOut))
    .where(among_chosen(_out.id, _texts_of(_QUEUED)))
    .values(state=fixed(MessageOutState.FAILED), error=TextOutcome.STOPPED)
)


def hold(connection: Connection, campaign_id: int) -> None:
    """Keep the campaign's texts from the links; those that are given back too."""
    for statement in _HOLD:
        connection.execute(statement, {"of_campaign": campaign_id, "held": HELD})


def withdraw(connection: Connection, campaign_id: int) -> None:
    """The campaign is stopped: what no link has taken is never sent."""
    connection.execute(_WITHDRAW, {"of_campaign": campaign_id})


_LOCK = (
    select(_campaigns.text_due_at, _campaigns.cps)
    .where(_campaigns.id == bindparam("of_campaign"), _IS_RUNNING)
    .with_for_update(skip_locked=True)
)


def _count(*conditions: Any) -> Any:
    return select(func.count()).where(_OF_CAMPAIGN, *conditions).scalar_subquery()


def _answered(state: MessageOutState) -> Any:
    return _count(_out.state == fixed(state), _out.responded_at > bindparam("since"))


_HOW_MANY = select(
    (_count(_QUEUED, _out.not_before <= bindparam("soon")) + _count(_SENDING)).label("under_way"),
    (_answered(MessageOutState.ACCEPTED) + _answered(MessageOutState.DELIVERED)).label("answered"),
)


def go_on(
    connection: Connection, campaign_id: int, now: datetime, look_back: timedelta
) -> Standing | None:
    """Let the links have what was held, and tell how the campaign stands: it is locked, until the
    transaction ends. `answered` are the texts of the time before now that is given.

    None where it does not run any more, or where another node is at it.
    """
    of_campaign = {"of_campaign": campaign_id}
    row = connection.execute(_LOCK, of_campaign).one_or_none()
    if row is None:
        return None
    connection.execute(_RELEASE, {**of_campaign, "held": HELD, "now": now})
    times = {"soon": now + _SOON, "since": now - look_back}
    counts = connection.execute(_HOW_MANY, {**of_campaign, **times}).one()
    return Standing(row.text_due_at, row.cps, counts.under_way, counts.answered)


_THESE = among(_targets.id, "ids")
_ONE = literal_column("1", Integer)
_TAKE = (
    update(table(Target))
    .where(_THESE)
    .values(state=TargetState.CLAIMED, attempts_made=_targets.attempts_made + _ONE, held_by=None)
    .returning(_targets.id, _targets.msisdn)
)
_SET_DUE = (
    update(table(Campaign))
    .where(_campaigns.id == bindparam("of_campaign"))
    .values(text_due_at=bindparam("due", type_=UtcDateTime))
)


def claim(connection: Connection, campaign_id: int, limit: int, now: datetime) -> list[Invited]:
    """Take the next ready targets of a locked campaign, to be posted in this transaction.

    Who does not pass the gate is done, or waits; the outbox's own gate looks again at the send.
    """
    judged = gate.next_ready(connection, campaign_id, limit, now, ContactScope.SMS)
    gate.turn_away(connection, judged, now)
    free = [each.target_id for each in judged if each.reason is None]
    taken = connection.execute(_TAKE, {"ids": free}).all() if free else []
    return [Invited(*row) for row in sorted(taken)]


def set_due(connection: Connection, campaign_id: int, due: datetime) -> None:
    """When the rate allows the campaign's next text."""
    connection.execute(_SET_DUE, {"of_campaign": campaign_id, "due": due})
