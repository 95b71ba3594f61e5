"""What becomes of a number after its dial: the retry rules judge every ended attempt. I/O."""

from datetime import datetime

from sqlalchemy import Connection

from dialer.retry import next_dial, rules_from_row
from domain.dispositions import Disposition
from store import campaigns
from store.models import Campaign
from store.settlement import Unsettled, Verdict, settle, unsettled

_AT_ONCE = 500


def settle_ended(connection: Connection, now: datetime) -> None:
    """Let the retry rules judge what has ended."""
    ended = unsettled(connection, _AT_ONCE)
    if ended:
        by_id = {row.id: row for row in campaigns.all_of(connection)}
        verdicts = [verdict(row, by_id[row.campaign_id]) for row in ended]
        settle(connection, verdicts, now)


def verdict(ended: Unsettled, campaign: Campaign) -> Verdict:
    """What becomes of the target. A dial that was never sent does not count as an attempt."""
    sent = ended.disposition is not Disposition.NOT_DIALLED
    return Verdict(
        attempt_id=ended.attempt_id,
        target_id=ended.target_id,
        outcome=ended.disposition,
        attempts_made=ended.attempts_made if sent else ended.attempts_made - 1,
        not_before=next_dial(
            rules_from_row(campaign.retry),
            ended.disposition,
            ended_at=ended.ended_at,
            alike=ended.alike,
            attempts_made=ended.attempts_made,
            max_attempts=campaign.max_attempts,
        ),
    )
