"""Why a campaign does not dial, or not as fast as it is set; what the gate refuses. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.campaign_tally import Tally
from console.messages import marked as _
from domain.gate import FOR_GOOD, Refusal, Shut
from domain.states import CampaignState
from store.models import Campaign
from store.why_not import Counts

RATE_SECONDS = 10
"""The rate of now is that of the last so many seconds."""
_LEAST_SHARE = 0.8
"""Below this share of its rate a campaign counts as slower than it is set."""

# What only the server knows, by how its line begins. The rest is judged here as there, and told
# by one word each.
OF_SERVER = {
    "Asterisk is not there": _("Asterisk does not answer: see Health"),
    "the prompts of script": _("The prompts of its script are not built on this server"),
    "outside the": "refusal_outside_window",
    "the trunk": _("The trunk takes no calls for now"),
}
_OF_BRAKES = ("slowed to", "is not dialled until")
NOT_RUNNING = {
    CampaignState.DRAFT: _("It is a draft: import an audience, then start it"),
    CampaignState.PAUSED: _("It is paused: resume it to go on"),
    CampaignState.STOPPED: _("It is stopped for good"),
    CampaignState.FINISHED: _("It is finished: no number is left to dial"),
}
AT_CHANNELS = _("All its channels are in use")
NOTHING_LEFT = _("No number is left to dial")
LATER = _("Numbers that wait for their hour to be dialled")
IN_THE_AIR = _("Calls in the air")


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that keeps numbers from being dialled; `word` is for the filter of this name."""

    word: str
    count: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """How a campaign runs at this moment.

    `closed` is what keeps all of it waiting, `brakes` are those drawn on it or on a trunk.
    """

    channels: int
    rate: float
    why_idle: str | None = None
    closed: Shut | None = None
    brakes: Sequence[Mapping[str, Any]] = ()

    def is_slow(self, campaign: Campaign) -> bool:
        """Whether it dials less than it is set to."""
        return campaign.state != CampaignState.RUNNING or self.rate < _LEAST_SHARE * campaign.cps


@dataclass(frozen=True, slots=True)
class Refused:
    """How many the gate holds now for one reason, until when the first, and how many for good."""

    word: str
    held: int
    until: datetime | None
    done: int


def reasons(campaign: Campaign, now: Now, tally: Tally | None) -> list[Reason]:
    """Why it does not dial, or not as fast as it is set; the strongest first."""
    state = CampaignState(campaign.state)
    if state is not CampaignState.RUNNING:
        return [Reason(NOT_RUNNING[state])]
    found = list(_of_all(now))
    if now.channels >= campaign.max_channels:
        found.append(Reason(AT_CHANNELS, now.channels))
    return found + ([] if tally is None else list(_of_targets(tally.waits)))


def refused(waits: Counts) -> list[Refused]:
    """What the gate says to the numbers of a campaign, the most frequent first."""
    found = [
        Refused(
            refusal_word(reason),
            waits.held.get(reason, 0),
            waits.held_until.get(reason),
            waits.done.get(reason, 0) if reason in FOR_GOOD else 0,
        )
        for reason in Refusal
    ]
    return sorted(
        (one for one in found if one.held or one.done), key=lambda one: -(one.held + one.done)
    )


def refusal_word(reason: str) -> str:
    """The word for what the gate says; of anything else its own one."""
    return f"refusal_{reason}" if reason in set(Refusal) else reason


def _of_all(now: Now) -> Iterator[Reason]:
    """What keeps the whole campaign."""
    if now.closed is not None:
        yield Reason(refusal_word(now.closed.reason), until=now.closed.until)
    elif now.why_idle and not any(words in now.why_idle for words in _OF_BRAKES):
        known = (word for start, word in OF_SERVER.items() if now.why_idle.startswith(start))
        yield Reason(next(known, now.why_idle))
    for brake in now.brakes:
        if brake["overridden_by"] is None:
            until = None if brake["is_probing"] else brake["until"]
            yield Reason(f"brake_{brake['cause']}", until=until)


def _of_targets(waits: Counts) -> Iterator[Reason]:
    for reason, count in sorted(waits.held.items(), key=lambda pair: -pair[1]):
        yield Reason(refusal_word(reason), count, waits.held_until[reason])
    if waits.retry:
        yield Reason(LATER, waits.retry, None if waits.held else waits.next_due)
    if waits.in_the_air:
        yield Reason(IN_THE_AIR, waits.in_the_air)
    if not (waits.due or waits.retry or waits.held or waits.in_the_air):
        yield Reason(NOTHING_LEFT, 0)


def idle_of(report: Mapping[str, object], name: str) -> str | None:
    """What the server says of a campaign that does not dial."""
    why = report.get("why_idle")
    return str(why[name]) if isinstance(why, Mapping) and name in why else None
