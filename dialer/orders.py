"""What operators and brakes ask of the dialler, read from the store all at once. I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection

from dialer.brakes_in_force import InForce, in_force
from dialer.windows import calendar_or_trouble
from domain.calendar import Calendar
from domain.gate import ListAges, shut
from store import brakes, campaigns, do_not_call, limits
from store.limits import Caps
from store.models import Campaign


@dataclass(frozen=True, slots=True)
class Orders:
    """One reading, for one server and its trunk; it is taken over whole, or not.

    Attributes:
        asked_at: monotonic seconds; the rows are not older.
        running: the campaigns that are to be dialled.
        caps: the limits that are set, by scope.
    """

    asked_at: float = float("-inf")
    running: Sequence[Campaign] = ()
    caps: Mapping[str, Caps] = field(default_factory=dict)
    brakes: InForce = field(default_factory=InForce)
    _lists: ListAges = field(default_factory=dict)
    _calendars: Mapping[int, Calendar | str] = field(default_factory=dict)

    def closed(self, campaign: Campaign, do_not_call_days: int, now: datetime) -> str | None:
        """Why a running campaign must call nobody at this moment, or None."""
        calendar = self._calendars[campaign.id]
        found = shut(campaign.purpose, calendar, self._lists, do_not_call_days, now)
        return None if found is None else found.words

    def factors(self) -> dict[int, float]:
        """How far the brakes slow each running campaign, down from 1."""
        return {row.id: self.brakes.campaigns.get(row.id, 1.0) for row in self.running}


def read_orders(
    connection: Connection,
    trunk: str,
    node: str,
    holidays: Mapping[date, bool],
    now: datetime,
    asked_at: float,
) -> Orders:
    """What holds for the server `node` that dials through `trunk`."""
    running = campaigns.running(connection)
    return Orders(
        asked_at,
        running,
        limits.read(connection),
        in_force(brakes.all_of(connection), trunk, node, now),
        do_not_call.ages(connection),
        {row.id: calendar_or_trouble(row, holidays) for row in running},
    )
