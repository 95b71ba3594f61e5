"""How many texts of a campaign may be posted now: by its rate, and by what is sent soon. Pure.

The rate stands in one moment that the campaign's row keeps (`text_due_at`, the generic cell rate
algorithm): it holds for all nodes together, and over a restart.

What is posted can't all be taken back: an SMSC link claims its next texts ahead. So no more may be
under way than the links have sent of the campaign within LOOK_BACK; that much they are rid of in
the same time again, and a pause is felt within two seconds, however slow they are.
"""

from datetime import datetime, timedelta
from math import ceil, floor

LOOK_BACK = timedelta(seconds=1)
FEWEST = 2
"""Under way at first, or where nothing has been answered; it grows with the answers."""
_BURST = timedelta(seconds=0.5)
"""A stall is not made up by more than the texts of this long."""


def due(due_at: datetime | None, now: datetime, rate: float) -> int:
    """How many texts the rate (a second) allows at once."""
    start = _start(due_at, now, rate)
    return 0 if start > now else floor((now - start).total_seconds() * rate + 1e-6) + 1


def due_after(due_at: datetime | None, now: datetime, rate: float, count: int) -> datetime:
    """When the next text is due, after so many."""
    return _start(due_at, now, rate) + timedelta(seconds=count / rate)


def room(under_way: int, answered: int, rate: float) -> int:
    """How many may be posted beside those under way; `answered`: within LOOK_BACK."""
    return max(0, min(max(FEWEST, answered), ceil(rate * LOOK_BACK.total_seconds())) - under_way)


def _start(due_at: datetime | None, now: datetime, rate: float) -> datetime:
    """When the next text is due: not long ago after a stall, nor far off after a slower rate."""
    if due_at is None:
        return now
    return min(max(due_at, now - _BURST), now + timedelta(seconds=1 / rate))
