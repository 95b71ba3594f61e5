"""What no dial may ever break, told from rows and from the carrier's own list. I/O.

Written from the law and the domain (domain.md §5 and §6), not from the code: the hours, the
holidays and the places are tables of this module, and what operators and subscribers have done is
what the test did itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from domain.dispositions import Disposition
from domain.states import ContactScope
from store.claims import Claimed
from store.models import Attempt, Campaign, Registration, Target, table
from tests.fates import Dial

Row = Mapping[str, Any]

LOCAL = timedelta(hours=7)
DAY = timedelta(days=1)
ADVERT_HOURS = (8 * 60, 17 * 60)
LISTS_LAST = timedelta(days=30)
NOT_SENT_PAUSE = timedelta(seconds=30)
KNOB_SECONDS = 2.0
"""A changed knob holds within this; what the claim itself looks at holds at once."""

EVERY_DAY, MON_FRI, SATURDAY = range(7), range(5), range(5, 6)
HOURS: dict[tuple[str, ...], list[tuple[range, int, int]]] = {
    ("08:00-17:00",): [(EVERY_DAY, 8 * 60, 17 * 60)],
    ("00:00-24:00",): [(EVERY_DAY, 0, 24 * 60)],
    ("mon-fri 07:30-11:30", "mon-fri 13:00-21:00", "sat 09:00-11:00"): [
        (MON_FRI, 7 * 60 + 30, 11 * 60 + 30),
        (MON_FRI, 13 * 60, 21 * 60),
        (SATURDAY, 9 * 60, 11 * 60),
    ],
}
"""The windows that operators choose from: weekdays (Monday is 0), first and last minute."""
MADE_A_HOLIDAY, MADE_A_WORKING_DAY = date(2021, 4, 22), date(2021, 4, 21)
HOLIDAYS = {MADE_A_HOLIDAY, *(date(2021, 4, 30), date(2021, 5, 1), date(2021, 5, 3))}
"""30 April and 1 May, a Saturday, for which the 3rd is free; Hùng Kings' day is overridden."""


def is_open(windows: Sequence[str], on_holidays: bool, advert: bool, at: datetime) -> bool:
    """Whether a campaign may call at a moment."""
    local = at + LOCAL
    minute = local.hour * 60 + local.minute
    if local.date() in HOLIDAYS and not on_holidays:
        return False
    if advert and not ADVERT_HOURS[0] <= minute < ADVERT_HOURS[1]:
        return False
    return any(
        local.weekday() in days and first <= minute < last
        for days, first, last in HOURS[tuple(windows)]
    )


@dataclass
class Doings:
    """What operators and subscribers have done so far, as the test knows it."""

    opted_out: set[str] = field(default_factory=set)
    listed: dict[ContactScope, set[str]] = field(default_factory=dict)
    loaded_at: dict[ContactScope, datetime] = field(default_factory=dict)
    phases: dict[tuple[str, str | None], tuple[date, date | None]] = field(default_factory=dict)
    halted: set[int] = field(default_factory=set)
    rules: dict[int, list[tuple[datetime, Row]]] = field(default_factory=dict)
    recycled_at: dict[int, datetime] = field(default_factory=dict)
    told_late: set[int] = field(default_factory=set)
    breaker_until: datetime | None = None
    breaker_overridden_until: datetime | None = None


@dataclass(frozen=True)
class Seen:
    """The rows that concern a dial, at its moment."""

    campaign: Row
    target: Row | None
    attempts: Sequence[Row]
    registrations: Sequence[Row]
    channels: int


def look(connection: Connection, attempt: Claimed) -> Seen:
    """Read them."""

    def rows(kind: Any, *where: Any) -> list[Row]:
        chosen = select(table(kind)).where(*where)
        return [dict(row) for row in connection.execute(chosen).mappings()]

    [campaign] = rows(Campaign, Campaign.id == attempt.campaign_id)
    targets = rows(Target, Target.id == attempt.target_id)
    open_ones = rows(Attempt, Attempt.campaign_id == attempt.campaign_id, Attempt.state != "ended")
    return Seen(
        campaign,
        targets[0] if targets else None,
        rows(Attempt, Attempt.msisdn == attempt.msisdn),
        rows(Registration, Registration.msisdn == attempt.msisdn, Registration.state == "open"),
        len(open_ones),
    )


def faults(
    attempt: Claimed,
    seen: Seen,
    doings: Doings,
    dials: Sequence[Dial],
    adverts: set[str],
    now: datetime,
    *,
    knobs_hold: bool,
) -> Iterator[str]:
    """Every rule that this dial breaks. `adverts`: the attempts that were advertising calls."""
    campaign, number = seen.campaign, attempt.msisdn
    advert = campaign["purpose"] == "advertising"
    if campaign["state"] != "running" or campaign["id"] in doings.halted:
        yield f"a campaign that is {campaign['state']}"
    yield from _wants_none(number, seen, doings)
    if seen.target is None or not _phase_allows(campaign, seen.target, doings, now):
        yield "a place whose phase is closed"
    mine = [dial for dial in dials if dial.attempt.msisdn == number]
    if any(dial.is_open for dial in mine):
        yield "a number that is in a call"
    open_rows = [row["id"] for row in seen.attempts if row["state"] != "ended"]
    if open_rows != [attempt.attempt_id]:
        yield f"a number with {len(open_rows)} open attempts"
    lately = [d for d in mine if d.was_sent and d.at > now - DAY]
    if advert and any(str(dial.attempt.attempt_id) in adverts for dial in lately):
        yield "a second advertising call in 24 hours"
    made = [d for d in mine if d.was_sent and d.attempt.target_id == attempt.target_id]
    if len(made) >= campaign["max_attempts"]:
        yield f"attempt {len(made) + 1} of {campaign['max_attempts']}"
    yield from _too_soon(attempt, seen, doings, now)
    if knobs_hold:
        yield from _against_knobs(seen, doings, advert, now)


def _wants_none(number: str, seen: Seen, doings: Doings) -> Iterator[str]:
    if number in doings.opted_out:
        yield "who has opted out"
    if any(number in doings.listed.get(s, ()) for s in (ContactScope.ALL, ContactScope.VOICE)):
        yield "a number on a do-not-call list"
    if seen.registrations:
        yield "who is registered"


def _against_knobs(seen: Seen, doings: Doings, advert: bool, now: datetime) -> Iterator[str]:
    campaign = seen.campaign
    if not is_open(campaign["windows"], campaign["call_on_holidays"], advert, now):
        yield f"outside {campaign['windows']}, at {now + LOCAL:%a %d/%m %H:%M} local"
    if seen.channels > campaign["max_channels"]:
        yield f"channel {seen.channels} of {campaign['max_channels']}"
    ages = [now - doings.loaded_at[s] for s in doings.listed if s in ("all", "voice")]
    if advert and (not ages or max(ages) > LISTS_LAST):
        yield "an advertisement without a fresh do-not-call list"
    overridden, until = doings.breaker_overridden_until, doings.breaker_until
    if until is not None and now < until and (overridden is None or overridden <= now):
        yield "through a trunk whose breaker is open"


def _phase_allows(campaign: Row, target: Row, doings: Doings, now: datetime) -> bool:
    if not campaign["by_phase"]:
        return True
    province, district = target["province_code"], target["district_code"]
    phase = doings.phases.get((province, district)) or doings.phases.get((province, None))
    if province is None or phase is None:
        return False
    opens, closes = phase
    return opens <= (now + LOCAL).date() and (closes is None or (now + LOCAL).date() <= closes)


def _too_soon(attempt: Claimed, seen: Seen, doings: Doings, now: datetime) -> Iterator[str]:
    """A retry that no rule in force since the last attempt's end would allow by now."""
    own = [row for row in seen.attempts if row["target_id"] == attempt.target_id]
    before = [row for row in own if row["id"] != attempt.attempt_id]
    last = max(before, key=lambda row: row["started_at"], default=None)
    if last is None or last["ended_at"] is None:
        return
    recycled = doings.recycled_at.get(attempt.target_id)
    if recycled is not None and recycled >= last["ended_at"]:
        return
    how = last["disposition"]
    if how == Disposition.NOT_DIALLED:
        if now < last["ended_at"] + NOT_SENT_PAUSE:
            yield "again at once though nothing was sent"
        return
    alike = sum(row["disposition"] == how for row in before)
    if attempt.target_id in doings.told_late:
        alike = 1
    history = doings.rules[attempt.campaign_id]
    begun = [since for since, _ in history]
    in_force = [
        rules
        for (_, rules), until in zip(history, [*begun[1:], now + DAY], strict=True)
        if until >= last["ended_at"]
    ]
    pauses = [
        rules[how]["delay_seconds"] * rules[how]["factor"] ** (alike - 1)
        for rules in in_force
        if how in rules and alike <= rules[how]["max"]
    ]
    if not pauses or now < last["ended_at"] + timedelta(seconds=min(pauses)):
        yield f"a retry after {how} {alike} times, {now - last['ended_at']} after its end"
