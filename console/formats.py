"""How moments and numbers look on a page: local, dd/mm/yyyy HH:mm, 0901 234 567. Pure."""

from datetime import date, datetime, timedelta

from babel.dates import format_date, format_timedelta

from domain.clock import to_local
from domain.erasure import MARK
from domain.msisdn import display, mask


def local(at: datetime) -> str:
    """Day and minute in Viet Nam."""
    return f"{to_local(at):%d/%m/%Y %H:%M}"


def local_seconds(at: datetime) -> str:
    """Day and second in Viet Nam."""
    return f"{to_local(at):%d/%m/%Y %H:%M:%S}"


def day(written: str) -> str:
    """A day that is kept as 2021-05-31: "31/05/2021"."""
    return f"{date.fromisoformat(written):%d/%m/%Y}"


def relative(at: datetime, now: datetime, language: str) -> str:
    """How long ago or ahead, in words: "5 phút trước"."""
    return format_timedelta(at - now, add_direction=True, locale=language)


def load(language: str) -> None:
    """Read the words of a language for times and days, which else the first page would wait for."""
    format_timedelta(timedelta(0), locale=language)
    format_date(date.min, "EEE", locale=language)


def weekday(day: date, language: str) -> str:
    """A day with its name: "Th 7, 03/04/2021"."""
    return f"{format_date(day, 'EEE', locale=language)}, {day:%d/%m/%Y}"


def phone(msisdn: str, *, whole: bool) -> str:
    """A stored number for a screen: "0901 234 567", or "090****567"; one taken out is "****"."""
    return display(msisdn) if whole and not msisdn.startswith(MARK) else mask(msisdn)
