"""What an advertising campaign needs before it starts. I/O."""

from datetime import datetime

from sqlalchemy import Connection

from dialer.windows import way_of
from domain.errors import InputError
from domain.gate import list_trouble
from store import do_not_call
from store.models import Campaign


def require_fresh_list(
    connection: Connection, campaign: Campaign, most_days: int, now: datetime
) -> None:
    """Raises InputError where a campaign advertises and the do-not-call lists are too old."""
    lists = do_not_call.ages(connection)
    trouble = list_trouble(campaign.purpose, way_of(campaign), lists, most_days, now)
    if trouble is not None:
        raise InputError(f"campaign {campaign.name!r} advertises, and {trouble}")
