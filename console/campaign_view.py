"""What a campaign's figures say: funnel, curves, causes, and why it does not dial. Pure."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.campaign_control import Load
from console.campaign_tally import SHOWN, Tally, answered_share
from console.messages import marked as _
from domain.states import CampaignState
from store.campaign_figures import Minute
from store.models import Campaign

RATE_SECONDS = 10
"""The rate of now is that of the last so many seconds."""
_LEAST_SHARE = 0.8
"""Below this share of its rate a campaign counts as slower than it is set."""
_MINUTE = timedelta(minutes=1)
_USUAL_SECONDS, _USUAL_DIALS, _USUAL_REGISTERED = 30.0, 1.5, 0.02
_LEAST_DIALS = 100
"""Fewer say nothing about the rest: what is usual is taken."""

# The dialler's reasons, by how its line begins.
IDLE = {
    "Asterisk is not there": _("Asterisk does not answer: see Health"),
    "the prompts of script": _("The prompts of its script are not built on this server"),
    "outside the calling window": _("Outside the calling window"),
    "the trunk": _("The trunk takes no calls for now"),
}
NOT_RUNNING = {
    CampaignState.DRAFT: _("It is a draft: import an audience, then start it"),
    CampaignState.PAUSED: _("It is paused: resume it to go on"),
    CampaignState.STOPPED: _("It is stopped for good"),
    CampaignState.FINISHED: _("It is finished: no number is left to dial"),
}
_AT_CHANNELS = _("All its channels are in use")
_NOTHING_LEFT = _("No number is left to dial")
_LATER = _("Numbers that wait for their hour to be dialled again")
_IN_THE_AIR = _("Calls in the air")
_HELD = _("Held back by a rule")


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of the funnel: how many, of the step before, of the audience."""

    label: str
    count: int
    of_before: float | None
    width: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that keeps numbers from being dialled; `detail` is the gate's word for it."""

    text: str
    count: int | None = None
    detail: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """How a campaign runs at this moment."""

    channels: int
    rate: float
    why_idle: str | None

    def is_slow(self, campaign: Campaign) -> bool:
        """Whether it dials less than it is set to."""
        return campaign.state != CampaignState.RUNNING or self.rate < _LEAST_SHARE * campaign.cps


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


def reasons(campaign: Campaign, now: Now, tally: Tally | None, moment: datetime) -> list[Reason]:
    """Why it does not dial, or not as fast as it is set; the strongest first."""
    state = CampaignState(campaign.state)
    if state is not CampaignState.RUNNING:
        return [Reason(NOT_RUNNING[state])]
    found = []
    if now.why_idle is not None:
        found.append(_idle(now.why_idle))
    if now.channels >= campaign.max_channels:
        found.append(Reason(_AT_CHANNELS, now.channels))
    return found + ([] if tally is None else _of_targets(tally, moment))


def _idle(line: str) -> Reason:
    """The dialler's line in our words, with the moment until which it holds."""
    known = next((text for start, text in IDLE.items() if line.startswith(start)), line)
    _before, until, moment = line.partition(" until ")
    with suppress(ValueError):
        at = datetime.fromisoformat(moment) if until else None
        return Reason(known, until=at if at and at.tzinfo else None)
    return Reason(known)


def _of_targets(tally: Tally, moment: datetime) -> list[Reason]:
    audience = tally.audience
    held = sorted(audience.held.items(), key=lambda pair: -pair[1])
    found = [Reason(_HELD, count, word) for word, count in held]
    later = sum(count for at, count in tally.retries if at > moment)
    if later:
        found.append(Reason(_LATER, later))
    if audience.claimed:
        found.append(Reason(_IN_THE_AIR, audience.claimed))
    if not audience.ready and not audience.claimed:
        found.append(Reason(_NOTHING_LEFT, 0))
    return found


def hours(tally: Tally, moment: datetime) -> list[tuple[datetime, int, float]]:
    """Retries by the hour in which they fall due, those due already under now; with a width."""
    this_hour = moment.replace(minute=0, second=0, microsecond=0)
    due = sum(count for at, count in tally.retries if at < this_hour)
    later = {at: count for at, count in tally.retries if at >= this_hour}
    if due:
        later[this_hour] = later.get(this_hour, 0) + due
    most = max(later.values(), default=1)
    return [(at, later[at], round(100 * later[at] / most, 1)) for at in sorted(later)]


def load_of(tally: Tally | None) -> Load:
    """What is left, with the means of what was; what is usual where that says too little."""
    if tally is None:
        return Load(0, _USUAL_DIALS, _USUAL_SECONDS, _USUAL_REGISTERED)
    audience, dialled = tally.audience, tally.dialled
    if dialled < _LEAST_DIALS or not audience.called:
        return Load(audience.ready, _USUAL_DIALS, _USUAL_SECONDS, _USUAL_REGISTERED)
    return Load(
        targets=audience.ready,
        dials_a_target=max(1.0, dialled / audience.called),
        seconds_a_dial=_mean_seconds(tally.minutes),
        registrations_a_dial=tally.registered / dialled,
    )


def _mean_seconds(minutes: Sequence[Minute]) -> float:
    """How long a dial holds its channel: by what was in use in the last hour (Little's law)."""
    dialled = sum(minute.dialled for minute in minutes)
    if dialled < _LEAST_DIALS:
        return _USUAL_SECONDS
    in_use, held = 0, 0.0
    for minute in minutes:
        before, in_use = in_use, max(0, in_use + minute.dialled - minute.ended)
        held += 60 * (before + in_use) / 2
    return max(1.0, held / dialled)


def progress(tally: Tally | None) -> float | None:
    """The share of the audience that is done; None where there is nobody."""
    if tally is None or not tally.audience.total:
        return None
    return tally.audience.done / tally.audience.total


def idle_of(report: Mapping[str, object], name: str) -> str | None:
    """What the server says of a campaign that does not dial."""
    why = report.get("why_idle")
    return str(why[name]) if isinstance(why, Mapping) and name in why else None
