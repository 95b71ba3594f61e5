"""When the figures of an audience were extracted, as people and programs write it. Pure."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from domain.clock import LOCAL
from domain.errors import InputError

_VIETNAMESE = re.compile(
    r"(?P<day>\d{1,2})[/-](?P<month>\d{1,2})[/-](?P<year>\d{4})"
    r"(?:[ T]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?)?",
    re.ASCII,
)


@lru_cache(maxsize=4096)
def read_extracted_at(written: str) -> datetime | None:
    """A moment in UTC, None if the cell is empty; a day is its beginning; without a zone local.

    Accepts ISO 8601, and 26/03/2021 with or without the hour.

    Raises:
        InputError: it is no moment.
    """
    text = written.strip()
    if not text:
        return None
    found = _VIETNAMESE.fullmatch(text)
    try:
        at = _from(found) if found else datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=LOCAL)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(
            "extracted_at is no moment: write 2021-03-26, 2021-03-26T08:30 or 26/03/2021 08:30"
        ) from None


def _from(found: re.Match[str]) -> datetime:
    parts = {name: int(digits) for name, digits in found.groupdict().items() if digits}
    return datetime(**parts, tzinfo=LOCAL)
