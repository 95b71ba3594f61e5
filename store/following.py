"""The audience of a call campaign that follows a text campaign: who did not answer. I/O."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, bindparam, select

from domain.erasure import MARK
from domain.errors import InputError
from domain.states import CampaignKind, CampaignState, TargetState
from store import campaigns
from store.batches import NewRows
from store.columns import fixed
from store.locks import lock_audience, lock_bringing_in
from store.models import Campaign, MessageOut, OptOut, Registration, Target, table

AT_ONCE = 1000
FIRST: int | None = 0
"""Where `follow` begins."""

_targets, _out = table(Target).c, table(MessageOut).c
_campaigns = table(Campaign).c
_opt_outs, _registrations = table(OptOut).c, table(Registration).c
_COPIED = (
    *("msisdn", "province", "district", "list_no", "attributes"),
    *("province_code", "district_code"),
)
_SILENT = (
    select(_targets.id, *(_targets[name] for name in _COPIED), _out.posted_at)
    .join(
        table(MessageOut),
        (_out.msisdn == _targets.msisdn)
        & (_out.campaign_id == _targets.campaign_id)
        & _out.head_id.is_(None),
    )
    .where(
        _targets.campaign_id == bindparam("of_campaign"),
        _targets.id > bindparam("after"),
        _targets.state == fixed(TargetState.DONE),
        ~_targets.msisdn.startswith(MARK, autoescape=True),
        # Any registration since the text is an answer, one that was cancelled too.
        ~select(_registrations.id)
        .where(
            _registrations.msisdn == _targets.msisdn,
            _registrations.registered_at >= _out.posted_at,
        )
        .exists(),
        ~select(_opt_outs.id).where(_opt_outs.msisdn == _targets.msisdn).exists(),
    )
    .order_by(_targets.id)
    .limit(AT_ONCE)
)
_ADD = NewRows(
    Target,
    ("campaign_id", *_COPIED, "not_before", "state", "attempts_made"),
    _targets.id,
)


@dataclass(frozen=True, slots=True)
class Copied:
    """One step of `follow`: how many numbers are new, and after which target to go on."""

    added: int
    after: int | None


@dataclass(frozen=True, slots=True)
class Follower:
    """A call campaign, and the text campaign whose numbers it calls so many hours later."""

    campaign_id: int
    text_campaign_id: int
    hours: float


def followers(connection: Connection) -> list[Follower]:
    """All that follow a text campaign and are not stopped."""
    texts = table(Campaign).alias("texts")
    rows = connection.execute(
        select(_campaigns.id, texts.c.id, _campaigns.follow_after_hours)
        .join(texts, texts.c.name == _campaigns.follows)
        .where(
            _campaigns.kind == CampaignKind.CALL,
            _campaigns.state != CampaignState.STOPPED,
            texts.c.kind == CampaignKind.TEXT,
        )
        .order_by(_campaigns.id)
    )
    return [Follower(*row) for row in rows]


def may_be_followed(connection: Connection) -> list[str]:
    """The names of the text campaigns, the newest first."""
    chosen = select(_campaigns.name).where(_campaigns.kind == CampaignKind.TEXT)
    return list(connection.execute(chosen.order_by(_campaigns.id.desc())).scalars())


def require_followed(connection: Connection, name: str) -> Campaign:
    """The text campaign of that name. Raises InputError where it is none."""
    campaign = campaigns.by_name(connection, name)
    if campaign.kind != CampaignKind.TEXT:
        raise InputError(f"campaign {campaign.name!r} sends no texts: it can't be followed")
    return campaign


def follow(
    connection: Connection, campaign_id: int, text_campaign_id: int, hours: float, after: int
) -> Copied:
    """Give a call campaign the next of those who neither registered nor opted out after the text.

    They may be called so many hours after their text. A number that is there already stays as it
    is, so that a repeat adds nothing; `after` is FIRST, then what the last step gave.
    """
    lock_audience(connection, campaign_id)
    lock_bringing_in(connection)
    silent = {"of_campaign": text_campaign_id, "after": after}
    rows = connection.execute(_SILENT, silent).all()
    later = timedelta(hours=hours)
    added = _ADD.run(
        connection,
        [(campaign_id, *row[1:-1], row.posted_at + later, TargetState.READY, 0) for row in rows],
    )
    return Copied(len(added), rows[-1].id if len(rows) == AT_ONCE else None)
