"""The do-not-call lists: whether advertising may go out by them, and for how much longer. I/O."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from domain.clock import to_local
from domain.gate import ListAges, list_trouble
from domain.states import CampaignState, ContactScope, Purpose
from runtime.check_lines import CheckLine, Verdict
from runtime.doctor.database import NOT_LOOKED_AT
from store import campaigns, do_not_call
from store.engine import Store

_NAME = "do-not-call lists"
_SOON = 0.8
"""Share of the longest age after which the next list should be fetched."""


async def look(store: Store | None, most_days: int, now: datetime) -> CheckLine:
    """Of the lists in use, the oldest counts."""
    if store is None:
        return CheckLine(_NAME, Verdict.WARN, NOT_LOOKED_AT)
    ages, advertises = await store.read(_read)
    return judge(ages, most_days, now, advertises=advertises)


def judge(ages: ListAges, most_days: int, now: datetime, *, advertises: bool) -> CheckLine:
    """Stale lists fail only where they hold up a campaign that runs."""
    for way in (ContactScope.VOICE, ContactScope.SMS):
        trouble = list_trouble(Purpose.ADVERTISING, way, ages, most_days, now)
        if trouble is not None:
            says, _, todo = trouble.partition(": ")
            verdict = Verdict.FAIL if advertises else Verdict.WARN
            return CheckLine(_NAME, verdict, f"no advertising by {way}: {says}", f"`{todo}`")
    oldest = min(ages.values())
    says = f"the oldest is of {to_local(oldest):%d/%m/%Y}, they hold for {most_days} days"
    if now - oldest > timedelta(days=most_days * _SOON):
        return CheckLine(_NAME, Verdict.WARN, says, "get the next list: `tstn dnc import --help`")
    return CheckLine(_NAME, Verdict.OK, says)


def _read(connection: Connection) -> tuple[ListAges, bool]:
    advertises = any(
        row.state == CampaignState.RUNNING and row.purpose == Purpose.ADVERTISING
        for row in campaigns.all_of(connection)
    )
    return do_not_call.ages(connection), advertises
