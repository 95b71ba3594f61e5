"""The days behind: what the agents did on one, and how the deadlines were kept. I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console.messages import marked as _
from console.parts import parts
from console.render import page, say
from console.sheets import Row, send_csv, send_xlsx
from console.words import WORDS
from domain.callbacks import Outcome
from domain.clock import to_local
from store import agents, sla
from store.callback_statistics import Work, together, work_of_agents

_SHOWN_DAYS = 31
_MOST_DAYS = 366
_SECONDS_A_MINUTE = 60

COUNTS = {
    "requested": _("Asked for"),
    "done": _("Done"),
    "done_by_target": _("Done by n+1"),
    "done_by_promise": _("Done within 48 h"),
    "done_late": _("Done after 48 h"),
    "unreachable": _("Not reached"),
    "cancelled": _("Cancelled"),
    "targets_missed": _("n+1 missed"),
    "promises_broken": _("48 h broken"),
    "open_at_end": _("Open at the day's end"),
}
"""The columns of the report on deadlines, as people call them."""

_WORK_HEADS = (
    *(_("Agent"), _("Calls"), _("Answered"), _("Results"), _("Reached"), _("Reach rate, %")),
    *(_("Handling, s"), _("Talk, min"), _("On duty, min"), _("Paused, min")),
)


@dataclass(frozen=True, slots=True)
class Day:
    """One local day: the agents' work by name, all together, and its deadlines by kind."""

    day: date
    works: list[tuple[str, Work]]
    total: Work
    deadlines: list[dict[str, Any]]


async def show_day(request: web.Request) -> web.StreamResponse:
    """The statistics of a day: today, unless one is chosen."""
    found = await _day(request)
    today = _today(request)
    names = {
        "day": found,
        "counts": COUNTS,
        "today": today,
        "before": found.day - timedelta(days=1),
        "after": found.day + timedelta(days=1) if found.day < today else None,
        "outcomes": [(one, found.total.outcomes[one]) for one in Outcome],
    }
    return page(request, "supervise/day.html", names)


async def day_csv(request: web.Request) -> web.StreamResponse:
    """The agents' work of a day, as a file."""
    found = await _day(request)
    return await send_csv(request, f"agents-{found.day}", _work_rows(request, found))


async def day_xlsx(request: web.Request) -> web.StreamResponse:
    """The same for Excel."""
    found = await _day(request)
    return await send_xlsx(request, f"agents-{found.day}", _work_rows(request, found))


async def show_report(request: web.Request) -> web.StreamResponse:
    """The days' reports on deadlines: the last month, unless a span is chosen."""
    first, last = _span(request)
    rows = await _reports(request)
    names = {
        "first": first,
        "last": last,
        "today": _today(request),
        "rows": rows[::-1],
        "counts": COUNTS,
        "total": {name: sum(row[name] for row in rows) for name in COUNTS},
    }
    return page(request, "supervise/report.html", names)


async def report_csv(request: web.Request) -> web.StreamResponse:
    """The reports as a file."""
    first, last = _span(request)
    rows = _report_rows(request, await _reports(request))
    return await send_csv(request, f"sla-{first}-{last}", rows)


async def report_xlsx(request: web.Request) -> web.StreamResponse:
    """The same for Excel."""
    first, last = _span(request)
    rows = _report_rows(request, await _reports(request))
    return await send_xlsx(request, f"sla-{first}-{last}", rows)


async def _day(request: web.Request) -> Day:
    day, now = _date(request, "day", _today(request)), parts(request).clock()
    start, end = sla.local_day(day)

    def read(connection: Connection) -> Day:
        works = work_of_agents(connection, start, end, now)
        names = agents.names(connection, works)
        named = [(names.get(agent, str(agent)), work) for agent, work in works.items()]
        deadlines = sla.day_report(connection, day, now)
        return Day(day, sorted(named, key=lambda pair: pair[0]), together(works), deadlines)

    return await parts(request).store.read(read)


async def _reports(request: web.Request) -> list[dict[str, Any]]:
    first, last = _span(request)
    return await parts(request).store.read(sla.reports, first, last)


def _work_rows(request: web.Request, found: Day) -> Iterable[Row]:
    yield [say(request, head) for head in _WORK_HEADS] + [_word(request, one) for one in Outcome]
    for name, work in [*found.works, (say(request, _("Together")), found.total)]:
        yield [*_work_row(name, work), *(work.outcomes[one] for one in Outcome)]


def _work_row(name: str, work: Work) -> Row:
    handling, rate = work.handling_seconds, work.reach_rate
    return (
        *(name, work.calls, work.answered, work.results, work.reached),
        None if rate is None else round(rate * 100),
        None if handling is None else round(handling),
        round(work.talk_seconds / _SECONDS_A_MINUTE),
        round(work.on_seconds / _SECONDS_A_MINUTE),
        round(work.paused_seconds / _SECONDS_A_MINUTE),
    )


def _report_rows(request: web.Request, rows: Iterable[Mapping[str, Any]]) -> Iterable[Row]:
    heads = (_("Day"), _("Kind"), *COUNTS.values())
    yield [say(request, head) for head in heads]
    for row in rows:
        yield [row["day"], _word(request, row["kind"]), *(row[name] for name in COUNTS)]


def _word(request: web.Request, value: str) -> str:
    return say(request, WORDS.get(value, value))


def _today(request: web.Request) -> date:
    return to_local(parts(request).clock()).date()


def _span(request: web.Request) -> tuple[date, date]:
    """The days from first to last, at most a year of them."""
    last = _date(request, "last", _today(request))
    first = _date(request, "first", last - timedelta(days=_SHOWN_DAYS - 1))
    return max(min(first, last), last - timedelta(days=_MOST_DAYS - 1)), last


def _date(request: web.Request, name: str, default: date) -> date:
    """A day of the address, today at the latest; what is no day counts as none."""
    try:
        given = date.fromisoformat(request.query.get(name, ""))
    except ValueError:
        return default
    return min(max(given, _EARLIEST), _today(request))


_EARLIEST = date(2021, 1, 1)
"""Before that nobody was promised anything; earlier days have no moments in some databases."""
