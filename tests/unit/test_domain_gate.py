"""The gate's rules that need no row: lists, hours, caps, phases. Pure."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import Calendar, Window
from domain.clock import to_local
from domain.errors import InputError
from domain.gate import (
    HOURS,
    ROLLING,
    Refusal,
    cap_frees_at,
    lawful,
    list_trouble,
    phase_opens_at,
    shut,
)
from domain.states import ContactScope, Purpose

ALL, VOICE, SMS = ContactScope.ALL, ContactScope.VOICE, ContactScope.SMS
NOW = datetime(2021, 4, 1, 3, 0, tzinfo=UTC)
"""A Thursday, 10:00 in Vietnam."""
DAY = timedelta(days=1)
ADVERTISING, CARE = Purpose.ADVERTISING, Purpose.CUSTOMER_CARE
OFFICE_HOURS = Calendar([Window.parse("08:00-17:00")])
moments = st.integers(0, 365 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes))
days = st.dates(date(2021, 1, 1), date(2022, 1, 1))


@pytest.mark.parametrize(
    ("purpose", "lists", "says"),
    [
        (CARE, {}, None),
        (None, {}, None),
        (ADVERTISING, {}, "no do-not-call list"),
        (ADVERTISING, {SMS: NOW}, "no do-not-call list"),
        (ADVERTISING, {ALL: NOW}, None),
        (ADVERTISING, {VOICE: NOW - 30 * DAY}, None),
        (ADVERTISING, {VOICE: NOW - 30 * DAY - timedelta(seconds=1)}, "the do-not-call list voice"),
        (ADVERTISING, {ALL: NOW, VOICE: NOW - 31 * DAY}, "the do-not-call list voice"),
        (ADVERTISING, {ALL: NOW - 31 * DAY, VOICE: NOW}, "the do-not-call list all"),
        (ADVERTISING, {ALL: NOW, SMS: NOW - 31 * DAY}, None),
    ],
)
def test_advertising_needs_fresh_lists(
    purpose: Purpose | None, lists: dict[ContactScope, datetime], says: str | None
) -> None:
    trouble = list_trouble(purpose, VOICE, lists, 30, NOW)
    assert (trouble is None) == (says is None)
    assert trouble is None or says is None or trouble.startswith(says)
    assert trouble is None or "tstn dnc import FILE.csv --scope" in trouble


@pytest.mark.parametrize(
    ("purpose", "calendar", "now", "reason"),
    [
        (CARE, OFFICE_HOURS, NOW, None),
        (ADVERTISING, OFFICE_HOURS, NOW, None),
        (None, OFFICE_HOURS, NOW, Refusal.NO_PURPOSE),
        (CARE, "no window", NOW, Refusal.BAD_WINDOWS),
        (ADVERTISING, OFFICE_HOURS, NOW + 40 * DAY, Refusal.DO_NOT_CALL_STALE),
        (CARE, OFFICE_HOURS, NOW + timedelta(hours=7), Refusal.OUTSIDE_WINDOW),
        (CARE, OFFICE_HOURS, datetime(2021, 4, 30, 3, tzinfo=UTC), Refusal.HOLIDAY),
    ],
)
def test_why_a_campaign_is_shut(
    purpose: Purpose | None, calendar: Calendar | str, now: datetime, reason: Refusal | None
) -> None:
    found = shut(purpose, calendar, {ALL: NOW}, 30, now)
    assert (found and found.reason) == reason


@pytest.mark.parametrize(
    ("windows", "left"),
    [
        (["07:00-21:00"], ["08:00-17:00"]),
        (["00:00-24:00"], ["08:00-17:00"]),
        (["mon-fri 09:00-11:30", "16:00-24:00"], ["mon-fri 09:00-11:30", "16:00-17:00"]),
        (["18:00-20:00", "09:00-10:00"], ["09:00-10:00"]),
    ],
)
def test_advertising_calls_within_the_hours_of_the_law(windows: list[str], left: list[str]) -> None:
    given_ = [Window.parse(text) for text in windows]
    assert lawful(given_, ADVERTISING) == [Window.parse(text) for text in left]
    assert lawful(given_, CARE) == given_


def test_windows_that_the_law_leaves_nothing_of_are_an_error() -> None:
    with pytest.raises(InputError, match="advertising may call from 08:00 to 17:00 only"):
        lawful([Window(time(18), time(20))], ADVERTISING)


@given(st.lists(moments, max_size=12), st.integers(1, 3), moments)
def test_a_cap_frees_at_the_first_moment_that_leaves_room(
    contacts: list[datetime], most: int, now: datetime
) -> None:
    known = [at for at in contacts if at <= now]
    frees = cap_frees_at(known, most, now)

    def within(at: datetime) -> int:
        return sum(at - ROLLING < each <= at for each in known)

    if frees is None:
        assert within(now) < most
    else:
        assert within(now) >= most
        assert now < frees <= now + ROLLING
        assert within(frees) < most
        assert within(frees - timedelta(microseconds=1)) >= most


def phase_is_open(opens: date | None, closes: date | None, day: date) -> bool:
    """The rule itself, for it stands in SQL: a place without a phase is not invited."""
    return opens is not None and opens <= day and (closes is None or day <= closes)


@given(days, st.none() | days, moments)
def test_a_closed_place_is_looked_at_again_exactly_when_it_opens(
    opens: date, closes: date | None, now: datetime
) -> None:
    if closes is not None and closes < opens:
        opens, closes = closes, opens
    today = to_local(now).date()
    if phase_is_open(opens, closes, today):
        return
    again = phase_opens_at(opens, closes, now)
    if again is None:
        assert closes is not None
        assert closes < today
    else:
        assert again > now
        assert phase_is_open(opens, closes, to_local(again).date())
        assert not phase_is_open(opens, closes, to_local(again - timedelta(seconds=1)).date())


@given(moments)
def test_a_place_without_a_phase_is_looked_at_at_midnight(now: datetime) -> None:
    again = phase_opens_at(None, None, now)
    assert again is not None
    assert now < again <= now + DAY
    assert to_local(again).time() == time(0)
    assert not phase_is_open(None, None, to_local(now).date())


@given(
    st.sampled_from([VOICE, SMS]),
    st.sampled_from([ADVERTISING, CARE]),
    moments,
    st.lists(st.sampled_from(["00:00-24:00", "06:00-09:00", "mon-fri 16:00-23:00"]), min_size=1),
)
def test_advertising_is_open_within_the_hours_of_its_way_only(
    way: ContactScope, purpose: Purpose, now: datetime, windows: list[str]
) -> None:
    given_ = [Window.parse(text) for text in windows]
    wide = Calendar(given_, call_on_holidays=True)
    narrow = Calendar(lawful(given_, purpose, way), call_on_holidays=True)
    first, last = HOURS[way]
    is_lawful = purpose is not ADVERTISING or first <= to_local(now).time() < last
    assert narrow.is_open(now) == (wide.is_open(now) and is_lawful)


def test_a_text_campaign_is_told_of_texts() -> None:
    night = NOW + timedelta(hours=13)
    found = shut(CARE, OFFICE_HOURS, {}, 30, night, SMS)
    assert found is not None
    assert found.words.startswith("outside the window of texts until")
    stale = shut(ADVERTISING, OFFICE_HOURS, {VOICE: NOW}, 30, NOW, SMS)
    assert stale is not None
    assert stale.reason is Refusal.DO_NOT_CALL_STALE


quarters = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
any_windows = st.lists(
    st.tuples(quarters, quarters).filter(lambda hours: hours[0] < hours[1]), min_size=1, max_size=3
).map(lambda found: [Window(first, last) for first, last in found])
ages = st.dictionaries(st.sampled_from(ContactScope), st.integers(0, 40 * 24))


@given(st.sampled_from([None, *Purpose]), any_windows, ages, moments)
def test_a_campaign_is_open_only_where_nothing_forbids_it(
    purpose: Purpose | None, windows: list[Window], hours: dict[ContactScope, int], now: datetime
) -> None:
    lists = {scope: now - timedelta(hours=age) for scope, age in hours.items()}
    calendar = Calendar(windows)
    relevant = [age for scope, age in hours.items() if scope is not SMS]
    fresh = bool(relevant) and max(relevant) <= 30 * 24
    allowed = purpose is not None and calendar.is_open(now)
    allowed = allowed and (purpose is not Purpose.ADVERTISING or fresh)
    assert (shut(purpose, calendar, lists, 30, now) is None) is allowed
