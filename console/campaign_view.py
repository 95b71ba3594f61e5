"""What a campaign's figures say: funnel, curves, causes, script versions. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.campaign_tally import SHOWN, Tally, answered_share
from console.messages import marked as _
from store.campaign_figures import Minute
from store.variants import VersionFigures

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of the funnel: how many, of the step before, of the audience."""

    label: str
    count: int
    of_before: float | None
    width: float


def funnel(tally: Tally) -> list[Bar]:
    """From the audience to the confirmed address."""
    audience = tally.audience
    steps = [
        (_("Audience"), audience.total, None),
        (_("Called"), audience.called, audience.total),
        (_("Answered"), tally.answered, audience.called),
        (_("Key 1: register"), tally.keys.get("1", 0), tally.answered),
        (_("Key 2: hear again"), tally.keys.get("2", 0), tally.answered),
        (_("Key 3: talk to an agent"), tally.keys.get("3", 0), tally.answered),
        (_("Registered"), tally.registered, audience.called),
        (_("Address confirmed"), tally.confirmed, tally.registered),
    ]
    most = max(count for _label, count, _of in steps) or 1
    return [
        Bar(label, count, count / of if of else None, round(100 * count / most, 1))
        for label, count, of in steps
    ]


def causes(tally: Tally) -> list[tuple[str, int, float]]:
    """Dispositions, the most frequent first, each with its share."""
    whole = tally.dialled or 1
    ordered = sorted(tally.attempts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(word, count, count / whole) for word, count in ordered if count]


def curves(tally: Tally, now: datetime) -> list[list[float | None]]:
    """By minute of the last hour: moments, calls a second, channels, answered per cent."""
    by_minute = {minute.at: minute for minute in tally.minutes}
    # The minute under way would look like a drop.
    last = now.replace(second=0, microsecond=0) - _MINUTE
    first = last - SHOWN + _MINUTE
    in_use = sum(minute.dialled - minute.ended for minute in tally.minutes if minute.at < first)
    drawn: list[list[float | None]] = [[], [], [], []]
    for step in range(int(SHOWN / _MINUTE)):
        at = first + step * _MINUTE
        minute = by_minute.get(at, Minute(at, {}, 0))
        in_use = max(0, in_use + minute.dialled - minute.ended)
        share = answered_share(minute.began)
        drawn[0].append(at.timestamp())
        drawn[1].append(round(minute.dialled / 60, 2))
        drawn[2].append(in_use)
        drawn[3].append(None if share is None else round(100 * share))
    return drawn


def hours(tally: Tally, moment: datetime) -> list[tuple[datetime, int, float]]:
    """Retries by the hour in which they fall due, those due already under now; with a width."""
    this_hour = moment.replace(minute=0, second=0, microsecond=0)
    due = sum(count for at, count in tally.retries if at < this_hour)
    later = {at: count for at, count in tally.retries if at >= this_hour}
    if due:
        later[this_hour] = later.get(this_hour, 0) + due
    most = max(later.values(), default=1)
    return [(at, later[at], round(100 * later[at] / most, 1)) for at in sorted(later)]


def progress(tally: Tally | None) -> float | None:
    """The share of the audience that is done; None where there is nobody."""
    if tally is None or not tally.audience.total:
        return None
    return tally.audience.done / tally.audience.total


@dataclass(frozen=True, slots=True)
class Version:
    """A script version: its figures, its weight, and where its bounds lie on a scale of 100."""

    figures: VersionFigures
    weight: int | None
    left: float
    width: float


def versions(figures: Sequence[VersionFigures], weights: Mapping[str, int]) -> list[Version]:
    """Script versions, drawn on one scale so that bounds that overlap are seen to."""
    bounds = {one.version: one.key_1_bounds for one in figures if one.answered}
    most = max((high for _, high in bounds.values()), default=1.0) or 1.0
    made = []
    for one in figures:
        low, high = bounds.get(one.version, (0.0, 0.0))
        left, width = (round(100 * share / most, 1) for share in (low, high - low))
        made.append(Version(one, weights.get(one.version), left, width))
    return made
