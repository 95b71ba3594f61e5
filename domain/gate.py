"""The gate before every contact: why somebody is not called or texted now, and until when. Pure.

Rules: domain.md §6 (law), R8 (phases), R38. What a number's rows say is judged in the store, in the
claim itself (`store.gate`); these are the rules that need no row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from domain.calendar import Calendar, Window
from domain.clock import LOCAL, to_local
from domain.errors import InputError
from domain.states import ContactScope, Purpose

ROLLING = timedelta(hours=24)
MOST_CALLS = 1
"""Advertising calls to a number within ROLLING, all campaigns together (Decree 91/2020)."""
MOST_TEXTS = 3
"""Likewise, advertising texts."""
HOURS = {
    ContactScope.VOICE: (time(8), time(17)),
    ContactScope.SMS: (time(7), time(22)),
}
"""When advertising may call and text, by the local clock."""
TEXT_HOURS = Calendar([Window(*HOURS[ContactScope.SMS])], call_on_holidays=True)
"""The same for each single text, whatever campaign it is of."""


class Refusal(StrEnum):
    """Why the gate lets nobody through: of one number, or (the last six) of a whole campaign."""

    ERASED = "erased"
    OPTED_OUT = "opted_out"
    DO_NOT_CALL = "do_not_call"
    ALREADY_REGISTERED = "already_registered"
    ATTEMPTS_SPENT = "attempts_spent"
    PHASE_CLOSED = "phase_closed"
    BUSY_ELSEWHERE = "busy_elsewhere"
    CAPPED = "capped"
    NOT_RUNNING = "not_running"
    NO_PURPOSE = "no_purpose"
    BAD_WINDOWS = "bad_windows"
    OUTSIDE_WINDOW = "outside_window"
    HOLIDAY = "holiday"
    DO_NOT_CALL_STALE = "do_not_call_stale"


FOR_GOOD = frozenset(
    {
        Refusal.ERASED,
        Refusal.OPTED_OUT,
        Refusal.DO_NOT_CALL,
        Refusal.ALREADY_REGISTERED,
        Refusal.ATTEMPTS_SPENT,
    }
)
"""What ends a target; of the others it waits to be judged again."""


@dataclass(frozen=True, slots=True)
class Shut:
    """Why a whole campaign contacts nobody now, in a line for people; and until when, if known."""

    reason: Refusal
    words: str
    until: datetime | None = None


ListAges = Mapping[ContactScope, datetime]
"""When the do-not-call list in use of each scope was loaded."""


def shut(
    purpose: str | None,
    calendar: Calendar | str,
    lists: ListAges,
    most_days: int,
    now: datetime,
    way: ContactScope = ContactScope.VOICE,
) -> Shut | None:
    """Why a running campaign must contact nobody now by `way`, or None.

    Where the windows make no sense, `calendar` is a line that says so. Purpose first, then the
    lists, then the hours: what time does not heal comes first.
    """
    if purpose is None:
        return Shut(Refusal.NO_PURPOSE, "no purpose is set")
    if isinstance(calendar, str):
        return Shut(Refusal.BAD_WINDOWS, calendar)
    stale = list_trouble(purpose, way, lists, most_days, now)
    if stale is not None:
        return Shut(Refusal.DO_NOT_CALL_STALE, stale)
    if calendar.is_open(now):
        return None
    opens = calendar.next_opening(now)
    until = opens.isoformat()
    done, window = _SHUT_WORDS[way]
    if calendar.is_holiday(to_local(now).date()) and not calendar.call_on_holidays:
        return Shut(Refusal.HOLIDAY, f"a public holiday: nothing is {done} until {until}", opens)
    return Shut(Refusal.OUTSIDE_WINDOW, f"outside {window} until {until}", opens)


_SHUT_WORDS = {
    ContactScope.VOICE: ("dialled", "the calling window"),
    ContactScope.SMS: ("texted", "the window of texts"),
}


def lawful(
    windows: Sequence[Window], purpose: str | None, way: ContactScope = ContactScope.VOICE
) -> list[Window]:
    """What of a campaign's windows its purpose leaves. Raises InputError where that is nothing."""
    if purpose != Purpose.ADVERTISING:
        return list(windows)
    first, last = HOURS[way]
    clipped = [
        (window, max(window.start, first), last if window.end == time(0) else min(window.end, last))
        for window in windows
    ]
    left = [replace(window, start=start, end=end) for window, start, end in clipped if start < end]
    if windows and not left:
        may = "text" if way is ContactScope.SMS else "call"
        raise InputError(f"advertising may {may} from {first:%H:%M} to {last:%H:%M} only")
    return left


def list_trouble(
    purpose: str | None, way: ContactScope, lists: ListAges, most_days: int, now: datetime
) -> str | None:
    """Why advertising must not go out by `way`, or None: each list in use must be new enough."""
    if purpose != Purpose.ADVERTISING:
        return None
    loaded = {scope: at for scope, at in lists.items() if scope in (ContactScope.ALL, way)}
    if not loaded:
        return f"no do-not-call list is loaded: tstn dnc import FILE.csv --scope all|{way}"
    scope, oldest = min(loaded.items(), key=lambda pair: pair[1])
    if now - oldest <= timedelta(days=most_days):
        return None
    return (
        f"the do-not-call list {scope} is of {to_local(oldest):%d/%m/%Y}, older than {most_days} "
        f"days: tstn dnc import FILE.csv --scope {scope}"
    )


def cap_frees_at(contacts: list[datetime], most: int, now: datetime) -> datetime | None:
    """When one more contact is within the cap of the rolling window; None where it is now."""
    recent = sorted(at for at in contacts if at > now - ROLLING)
    return recent[-most] + ROLLING if len(recent) >= most else None


def phase_opens_at(opens_on: date | None, closes_on: date | None, now: datetime) -> datetime | None:
    """When a place that is not open now is looked at again; None where it has closed for good.

    A place without a phase is looked at every midnight: its phase may be loaded meanwhile.
    """
    today = to_local(now).date()
    if opens_on is None:
        return midnight(today + timedelta(days=1))
    if closes_on is not None and closes_on < today:
        return None
    return midnight(opens_on)


def midnight(day: date) -> datetime:
    """The beginning of a local day, in UTC."""
    return datetime.combine(day, time(0), LOCAL).astimezone(UTC)
