"""How a rehearsal looks in an answer: JSON values, and tables for people. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from rich.table import Table

from dialer.rehearsal_outcome import Dialled
from dialer.rehearsal_promises import Promises
from domain.clock import to_local
from runtime.cli.output import table
from runtime.rehearsing import Given, Question, Rehearsed

_MOST_HOURS = 48
"""More lines than these nobody reads; --json has them all."""


def as_json(
    question: Question, given: Given, pairs: Sequence[str], made: Sequence[Rehearsed]
) -> dict[str, Any]:
    """What was asked, and `present` beside `changed` (None where no knob is changed)."""
    present, *changed = map(_values, made)
    return {
        "campaign": given.campaign.name,
        "ready_targets": sum(given.ready.audience.values()),
        "left_out": {str(word): count for word, count in given.ready.left_out.items()},
        "held": {str(word): count for word, count in given.ready.held.items()},
        "from": question.start,
        "hours": question.hours,
        "seed": question.seed,
        "rates": asdict(question.rates),
        "rates_given": sorted(question.given),
        "agents": _agents(question, given),
        "agents_given": question.agents is not None,
        "pace_measured": given.load.is_measured,
        "other_campaigns_running": given.others,
        "handling_seconds": given.load.handling_seconds,
        "reach_rate": given.load.reach_rate,
        "server_allows": _allowed(made[0]),
        "present": present,
        "changes": list(pairs),
        "changed": changed[0] if changed else None,
    }


def tables(
    question: Question, given: Given, pairs: Sequence[str], made: Sequence[Rehearsed]
) -> list[Table | str]:
    """The whole, call-backs by day, calls by hour: columns for each rehearsal."""
    allowed = _allowed(made[0])
    names = ["present", " ".join(pairs)][: len(made)]
    return [
        f"campaign {given.campaign.name}: {sum(given.ready.audience.values())} targets are ready, "
        f"{_agents(question, given)} agents at {given.load.handling_seconds:g} s a call-back",
        f"the server and its trunk allow {allowed['cps']:g} calls a second and "
        f"{allowed['channels']} channels",
        *_assumptions(question, given),
        "",
        _whole(names, made),
        "",
        _days(names, made),
        "",
        _hours(names, made),
    ]


def _assumptions(question: Question, given: Given) -> Iterator[str]:
    """What the answer rests on: what the gate refuses, what was given, what is a guess."""
    for what, counts in (
        ("left out, as the gate refuses them", given.ready.left_out),
        ("held up by the gate, dialled later", given.ready.held),
    ):
        if counts:
            listed = (f"{count} {word.replace('_', ' ')}" for word, count in counts.items())
            yield f"{what}: {', '.join(listed)}"
    rates = asdict(question.rates)
    for how, names in (
        ("given", [name for name in rates if name in question.given]),
        ("assumed (no better is known)", [name for name in rates if name not in question.given]),
    ):
        if names:
            shares = (f"{name.replace('_', ' ')} {rates[name]:g}" for name in names)
            yield f"rates {how}: {', '.join(shares)}"
    who = "given" if question.agents is not None else "those on duty now"
    pace = "measured on the last results" if given.load.is_measured else "assumed"
    yield (
        f"agents: {who}; their pace is {pace}, {given.load.reach_rate:g} of their calls reach "
        "the subscriber"
    )
    if given.others:
        yield f"not rehearsed: {given.others} other running campaigns share these limits"


def _agents(question: Question, given: Given) -> int:
    return given.load.agents if question.agents is None else question.agents


def _allowed(one: Rehearsed) -> dict[str, Any]:
    """What the limits of the server and its trunk leave to the campaign."""
    ceilings = one.rules.ceilings
    return {
        "cps": min(cps for cps, _ in ceilings),
        "channels": min(channels for _, channels in ceilings),
    }


def _values(one: Rehearsed) -> dict[str, Any]:
    dialled, kept = one.dialled, one.promises
    return {
        **_figures(dialled, kept),
        "promised_by_day": {str(day): count for day, count in kept.promised.items()},
        "made_by_day": {str(day): count for day, count in kept.made.items()},
        "by_hour": [asdict(hour) for hour in dialled.hours],
    }


def _figures(dialled: Dialled, kept: Promises) -> dict[str, Any]:
    hours = dialled.hours
    return {
        "finished_at": dialled.finished_at,
        "targets_done": dialled.done,
        "targets_waiting": dialled.waiting,
        "targets_whose_phase_closed": dialled.closed,
        "calls": sum(hour.calls for hour in hours),
        "answered": sum(hour.answered for hour in hours),
        "registered": sum(hour.registered for hour in hours),
        "key_3": sum(hour.transfers for hour in hours),
        "talks_after_key_3": sum(dialled.talks.values()),
        "most_channels": max((hour.channels for hour in hours), default=0),
        "hours_slowed_by_the_brake": round(dialled.slowed_seconds / 3600, 1),
        "least_rate_left": min((hour.factor for hour in hours), default=1.0),
        "callbacks": kept.total,
        "kept_by_next_day": kept.total - kept.missed_target,
        "kept_in_48_hours": kept.total - kept.missed_promise,
        "callbacks_clear_at": kept.clears_at,
    }


def _whole(names: Sequence[str], made: Sequence[Rehearsed]) -> Table:
    columns = [_figures(one.dialled, one.promises) for one in made]
    rows = [
        (name.replace("_", " "), *(_shown(column[name]) for column in columns))
        for name in columns[0]
    ]
    return table(("", *names), rows)


def _days(names: Sequence[str], made: Sequence[Rehearsed]) -> Table:
    days = sorted({day for one in made for day in {**one.promises.promised, **one.promises.made}})
    headings = [f"call-backs {what} ({name})" for name in names for what in ("promised", "made")]
    return table(("day", *headings), [(f"{day:%d/%m/%Y}", *_of_day(day, made)) for day in days])


def _of_day(day: date, made: Sequence[Rehearsed]) -> list[int]:
    return [
        counts.get(day, 0) for one in made for counts in (one.promises.promised, one.promises.made)
    ]


def _hours(names: Sequence[str], made: Sequence[Rehearsed]) -> Table:
    by_hour = [{hour.at: hour for hour in one.dialled.hours} for one in made]
    moments = sorted({at for hours in by_hour for at in hours})
    what = ("calls", "channels", "key 3")
    headings = [f"{word} ({name})" for name in names for word in what]
    rows = []
    for at in moments[:_MOST_HOURS]:
        found = [hours.get(at) for hours in by_hour]
        cells = [
            cell
            for hour in found
            for cell in ((hour.calls, hour.channels, hour.transfers) if hour else ("", "", ""))
        ]
        rows.append((f"{to_local(at):%d/%m %H:%M}", *cells))
    if len(moments) > _MOST_HOURS:
        rows.append((f"… {len(moments) - _MOST_HOURS} more (--json)",))
    return table(("hour", *headings), rows)


def _shown(value: Any) -> str:
    if value is None:
        return "not within this time"
    return f"{to_local(value):%d/%m/%Y %H:%M}" if isinstance(value, datetime) else str(value)
