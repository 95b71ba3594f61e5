"""The day's report on the deadlines of call-backs: counted from rows, kept once per day. I/O."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from domain.clock import LOCAL, to_local
from domain.states import CallbackKind, CallbackState
from store.models import Callback, SlaReport, table
from store.statements import insert_new

_MOST_DAYS = 31
"""Days that are made up for after an absence."""

_callback, _report = table(Callback).c, table(SlaReport).c
_KEEP = insert_new(SlaReport, _report.day)


def local_day(day: date) -> tuple[datetime, datetime]:
    """The first moment of a local day and of the next one, in UTC."""
    start = datetime.combine(day, time(), LOCAL)
    return start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC)


def missing_days(connection: Connection, now: datetime) -> list[date]:
    """The local days that are over and have no report; the first report ever is yesterday's."""
    yesterday = to_local(now).date() - timedelta(days=1)
    last = connection.execute(select(func.max(_report.day))).scalar_one()
    first = yesterday if last is None else last + timedelta(days=1)
    count = min((yesterday - first).days + 1, _MOST_DAYS)
    return [yesterday - timedelta(days=back) for back in reversed(range(count))]


def day_report(connection: Connection, day: date, now: datetime) -> list[dict[str, Any]]:
    """How a local day went, or goes so far: a row for each kind, in the columns of SlaReport.

    It reads every call-back: once a day, and on a snapshot that holds nobody up.
    """
    start, end = local_day(day)
    counts = _counts(start, end, now)
    rows = connection.execute(
        select(_callback.kind, *(count.label(name) for name, count in counts.items()))
        .where(_callback.requested_at < end)
        .group_by(_callback.kind)
    )
    found = {row["kind"]: row for row in rows.mappings()}
    return [
        {
            "day": day,
            "kind": kind,
            "made_at": now,
            **{name: found[kind][name] if kind in found else 0 for name in counts},
        }
        for kind in CallbackKind
    ]


def keep(connection: Connection, rows: Sequence[dict[str, Any]]) -> bool:
    """Keep the report of a day, unless it stands already; tell whether it is new."""
    return connection.execute(_KEEP[connection.dialect.name], rows).first() is not None


def reports(connection: Connection, first: date, last: date) -> list[dict[str, Any]]:
    """The kept reports of some days, the earliest first."""
    rows = connection.execute(
        select(table(SlaReport))
        .where(_report.day.between(first, last))
        .order_by(_report.day, _report.kind)
    )
    return [dict(row) for row in rows.mappings()]


def _counts(start: datetime, end: datetime, now: datetime) -> dict[str, ColumnElement[int]]:
    closed = and_(_callback.closed_at >= start, _callback.closed_at < end)
    done = and_(closed, _callback.state == CallbackState.DONE)
    return {
        "requested": _number(_callback.requested_at >= start),
        "done": _number(done),
        "done_by_target": _number(and_(done, _callback.closed_at <= _callback.target_at)),
        "done_by_promise": _number(and_(done, _callback.closed_at <= _callback.promise_at)),
        "done_late": _number(and_(done, _callback.closed_at > _callback.promise_at)),
        "unreachable": _number(and_(closed, _callback.state == CallbackState.UNREACHABLE)),
        "cancelled": _number(and_(closed, _callback.state == CallbackState.CANCELLED)),
        "targets_missed": _number(_missed(_callback.target_at, start, end, now)),
        "promises_broken": _number(_missed(_callback.promise_at, start, end, now)),
        "open_at_end": _number(or_(_callback.closed_at.is_(None), _callback.closed_at >= end)),
    }


def _missed(
    deadline: ColumnElement[datetime], start: datetime, end: datetime, now: datetime
) -> ColumnElement[bool]:
    """The deadline came within the day, by now, and the call-back was not closed by then."""
    was_open = or_(_callback.closed_at.is_(None), _callback.closed_at > deadline)
    return and_(deadline >= start, deadline < end, deadline <= now, was_open)


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
