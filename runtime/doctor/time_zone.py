"""The zone of Viet Nam on this host. Imports nothing of ours that needs it. I/O."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from runtime.check_lines import CheckLine, Verdict

_NAME, _ZONE = "time zone", "Asia/Ho_Chi_Minh"
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def look() -> CheckLine:
    """All days, windows and deadlines are counted in it."""
    todo = "apt-get install tzdata"
    try:
        offset = _DAY.astimezone(ZoneInfo(_ZONE)).utcoffset()
    except ZoneInfoNotFoundError:
        return CheckLine(_NAME, Verdict.FAIL, f"this host does not know {_ZONE}", todo)
    if offset != timedelta(hours=7):
        return CheckLine(_NAME, Verdict.FAIL, f"{_ZONE} is UTC+{offset} on this host, not +7", todo)
    return CheckLine(_NAME, Verdict.OK, f"{_ZONE} is known, UTC+7")
