"""What the templates of the agent's desk are given, from the rows and the live line. I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from console import address_form, later, outcomes, timeline
from console.cookies import language
from console.desk_setting import DeskSetting
from console.formats import weekday
from console.parts import parts, session
from console.phone_line import LineState, PhoneLine
from console.places import same
from domain.clock import LOCAL, to_local
from domain.sla import SlaBounds, SlaState, sla_bounds, sla_state
from domain.states import CallbackState
from store import agent_desk, callback_views, history, numbers
from store.agent_desk import Desk
from store.callback_queue import Taken

NEXT_SHOWN = 6
MOST_WARDS = 60
_VISIT_DAYS = 21
_NAMES_OF_NAME = ("tên", "họ tên", "họ và tên", "tên khách hàng", "tên thuê bao", "name")


@dataclass(frozen=True, slots=True)
class CallView:
    """The call as it is shown: its state, since when, and how it ended."""

    id: UUID
    state: str
    since: datetime
    disposition: str | None
    talked_seconds: int | None

    @property
    def is_over(self) -> bool:
        """Whether another call may be made."""
        return self.state == LineState.ENDED


def midnight(now: datetime) -> datetime:
    """When the local day of a moment began."""
    return datetime.combine(to_local(now).date(), time(), LOCAL).astimezone(UTC)


async def desk_of(request: web.Request) -> Desk:
    """The desk of who asks."""
    it = parts(request)
    return await it.store.read(agent_desk.of_agent, session(request).user_id, midnight(it.clock()))


@dataclass(frozen=True, slots=True)
class Queue:
    """How many stand where against their deadlines, and the open ones among the next."""

    counts: dict[SlaState, int]
    upcoming: list[RowMapping]

    @property
    def waiting(self) -> int:
        """All that are still to be made."""
        return sum(self.counts.values())


def queue(connection: Connection, bounds: SlaBounds) -> Queue:
    """The queue as it stands. It costs a count of all that waits, so pages share it."""
    rows = callback_views.queue(connection, bounds, NEXT_SHOWN).rows
    upcoming = [row for row in rows if row["state"] == CallbackState.OPEN]
    return Queue(callback_views.sla_counts(connection, bounds), upcoming)


async def queue_of(request: web.Request) -> Queue:
    """The queue for a page that is loaded: it may know more than the last look of all pages."""
    it = parts(request)
    return await it.store.read(queue, sla_bounds(it.clock(), it.desk.at_risk))


async def work(request: web.Request, taken: Taken, given: Mapping[str, str]) -> dict[str, Any]:
    """All that the page of a claimed call-back shows; `given` is a form that was sent before."""
    it, now = parts(request), parts(request).clock()
    setting = it.desk

    def look(connection: Connection) -> Any:
        return (
            numbers.standing(connection, taken.msisdn),
            history.timeline(connection, taken.msisdn),
            agent_desk.attributes(connection, taken.msisdn),
        )

    standing, entries, attributes = await it.store.read(look)
    target = standing.targets[0] if standing.targets else None
    filled = dict(given) or _known(target, attributes, setting)
    wards = await it.store.read(
        agent_desk.wards, filled["province"], filled["district"], MOST_WARDS
    )
    return {
        "taken": taken,
        "sla": sla_state(taken.target_at, taken.promise_at, now, setting.at_risk),
        "deadline": taken.promise_at if taken.target_at <= now else taken.target_at,
        "standing": standing,
        "target": target,
        "attributes": attributes,
        "lines": timeline.lines(entries, whole=True)[::-1],
        "steps": setting.words.spoken(
            taken.kind,
            agent=session(request).name,
            registered=f"{to_local(taken.requested_at):%d/%m/%Y}",
            district=(target["district"] or "") if target else "",
        ),
        "titles": setting.words.titles,
        "places": setting.places,
        "wards": wards,
        "choices": outcomes.choices(taken.kind),
        "days": later.days(now, taken.promise_at, setting.hours),
        "given": filled,
        "visit_days": _visit_days(request, to_local(now).date()),
        "refusal": "",
    }


def _visit_days(request: web.Request, today: date) -> list[tuple[str, str]]:
    days = [today + timedelta(days=ahead) for ahead in range(_VISIT_DAYS)]
    return [(day.isoformat(), weekday(day, language(request))) for day in days]


def call_view(row: RowMapping | None, line: PhoneLine | None) -> CallView | None:
    """The latest call of a claim: what the line says of it while it lives, else its row."""
    if row is None:
        return None
    live = line.state(row["id"]) if line is not None else None
    if live is not None and row["ended_at"] is None:
        known = live.subscriber or live.agent
        return CallView(row["id"], live.state, live.at, known, None)
    state, since = _of_row(row)
    return CallView(row["id"], state, since, row["disposition"], _talked(row))


_STEPS = (
    ("ended_at", LineState.ENDED),
    ("subscriber_answered_at", LineState.TALKING),
    ("subscriber_dialled_at", LineState.DIALLING),
    ("agent_ringing_at", LineState.AGENT_RINGING),
    ("started_at", LineState.CALLING_AGENT),
)


def _of_row(row: RowMapping) -> tuple[LineState, datetime]:
    return next((state, row[name]) for name, state in _STEPS if row[name] is not None)


def _talked(row: RowMapping) -> int | None:
    answered, ended = row["subscriber_answered_at"], row["ended_at"]
    if answered is None or ended is None:
        return None
    return max(0, int((ended - answered).total_seconds()))


def _known(
    target: RowMapping | None, attributes: Mapping[str, Any], setting: DeskSetting
) -> dict[str, str]:
    """The form as it begins: where the lists say that the subscriber lives, and the name."""
    given = address_form.empty() | {"result_note": "", "later_at": ""}
    names = (str(value) for key, value in attributes.items() if _is_name(key))
    given["contact_name"] = next(names, "")
    if target is not None and target["province"]:
        given["province"] = setting.places.province(target["province"])
        given["district"] = setting.places.district(given["province"], target["district"] or "")
    return given


def _is_name(key: str) -> bool:
    return any(same(key, name) for name in _NAMES_OF_NAME)
