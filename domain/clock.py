"""The one source of time: aware UTC for rows, Asia/Ho_Chi_Minh for days and windows. Pure.

Every part takes a `Clock` as an argument, so that tests move time and never sleep.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Gives the present moment as an aware datetime in UTC."""

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
"""The zone of all deadlines, calling windows and calendar days (UTC+7 all year)."""


def utc_now() -> datetime:
    """The real clock: the present moment, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one place that may ask the machine


def to_local(at: datetime) -> datetime:
    """Give the same moment in the local zone.

    Raises:
        ValueError: `at` is naive; the machine's own zone must never slip in.
    """
    if at.tzinfo is None:
        raise ValueError("a naive datetime has no place here: use domain.clock")
    return at.astimezone(LOCAL)
