"""The two call-back deadlines of a registration: n+1 and the 48 hours promised. Pure.

n is the local calendar day of the first receipt (SMSC or IVR time), not of processing. Holidays
never move a deadline: the holiday is staffed instead. Rules: domain.md §5.
"""

from datetime import UTC, datetime, time, timedelta

from domain.clock import LOCAL, to_local

DEFAULT_TARGET_TIME = time(21, 0)
PROMISE = timedelta(hours=48)


def target_at(registered_at: datetime, by: time = DEFAULT_TARGET_TIME) -> datetime:
    """Give the moment by which the call-back should be made: `by`, local, on day n+1.

    Takes an aware datetime and returns aware UTC; a naive one raises ValueError.
    """
    next_day = to_local(registered_at).date() + timedelta(days=1)
    return datetime.combine(next_day, by, LOCAL).astimezone(UTC)


def promise_at(registered_at: datetime) -> datetime:
    """Give the end of the 48 hours the script promises, in UTC; a naive argument raises."""
    return (to_local(registered_at) + PROMISE).astimezone(UTC)
