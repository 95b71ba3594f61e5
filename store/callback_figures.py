"""What a supervisor watches of all call-backs together: cheap enough for every second. I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select

from domain.sla import SlaBounds, SlaState
from domain.states import CallbackState
from store.callback_claims import unfinished
from store.callback_views import sla_counts
from store.columns import fixed
from store.models import Callback, CallbackClaim, table

_DAY = timedelta(days=1)

_callback, _claim = table(Callback).c, table(CallbackClaim).c
_UNFINISHED = unfinished(table(Callback))


@dataclass(frozen=True, slots=True)
class Figures:
    """How many call-backs still to be made stand where; those that agents hold are among them.

    `broken_today` counts the promises that have run out on this local day, made up for or not.
    """

    by_sla: dict[SlaState, int]
    held: int
    broken_today: int

    @property
    def waiting(self) -> int:
        return sum(self.by_sla.values())


@dataclass(frozen=True, slots=True)
class Pulse:
    """Differs once the queue looks different: a row came, moved, was claimed, tried or closed."""

    figures: Figures
    marks: Row[Any]
    ended_at: datetime | None


def figures(connection: Connection, bounds: SlaBounds) -> Figures:
    """The figures at one moment."""
    held = select(func.count()).where(_callback.state == fixed(CallbackState.CLAIMED))
    return Figures(
        sla_counts(connection, bounds),
        connection.execute(held).scalar_one(),
        _broken_today(connection, bounds),
    )


def pulse(connection: Connection, bounds: SlaBounds) -> Pulse:
    """The figures, and marks of what has changed beneath them."""
    marks = connection.execute(
        select(
            func.max(_callback.id),
            func.count(_callback.ready_at),
            func.coalesce(func.sum(_callback.attempts_made), 0),
            func.max(_callback.claimed_at),
        ).where(_UNFINISHED)
    ).one()
    return Pulse(figures(connection, bounds), marks, last_ending(connection))


def last_ending(connection: Connection) -> datetime | None:
    """When a claim last ended, in whichever way."""
    found: datetime | None = connection.execute(select(func.max(_claim.ended_at))).scalar_one()
    return found


def _broken_today(connection: Connection, bounds: SlaBounds) -> int:
    """In two parts, for each of which there is an index: what is open, and what was closed since.

    A target comes before its promise, so a broken promise is past its target too.
    """
    start = bounds.today_until - _DAY
    ran_out = and_(_callback.promise_at >= start, _callback.promise_at <= bounds.now)
    still_open = and_(_UNFINISHED, _callback.target_at <= bounds.now, ran_out)
    closed_after = and_(
        _callback.closed_at >= start, ran_out, _callback.closed_at > _callback.promise_at
    )
    return _number(connection, still_open) + _number(connection, closed_after)


def _number(connection: Connection, condition: ColumnElement[bool]) -> int:
    found = connection.execute(select(func.count()).select_from(table(Callback)).where(condition))
    return found.scalar_one()
