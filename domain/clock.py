"""The one source of time: aware UTC for rows, Asia/Ho_Chi_Minh for days and windows. Pure.

Every part takes a `Clock` as an argument, so that tests move time and never sleep.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from domain.errors import InputError

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


def read_moment(written: str, option: str = "") -> datetime:
    """A moment as people write it, in UTC: a day is its beginning, without a zone it is local.

    Raises InputError, which names the option that it was given by.
    """
    try:
        at = datetime.fromisoformat(written)
        return (at if at.tzinfo else at.replace(tzinfo=LOCAL)).astimezone(UTC)
    except (ValueError, OverflowError):
        named = f"{option} {written}".lstrip()
        raise InputError(
            f"{named} is no moment: write 2026-03-26, 2026-03-26T08:30, or 2026-03-26T08:30+07:00"
        ) from None
