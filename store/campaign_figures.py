"""What a campaign's page counts: its audience, its attempts, what came of them. I/O.

No page waits for a count of millions. Attempts are counted in two pieces by the index on
(campaign_id, started_at): what began more than an hour ago hardly changes, so `attempts_before` is
asked for seldom; what began since is read minute by minute (`minutes`). `audience` goes over the
targets once; what they wait for is counted by `store.why_not`. `console.campaign_tally` says when
each is asked for; the pages show its last answer.
`dials_since` and `store.attempts.open_channels` are cheap enough for every second.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, cast, func, literal_column, select, union_all
from sqlalchemy import Integer as SqlInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from domain.callbacks import Outcome
from domain.dispositions import Disposition
from domain.states import TargetState
from store.columns import UtcDateTime, fixed
from store.models import Attempt, Callback, KeyPress, Registration, Target, table

_target, _attempt, _key = table(Target).c, table(Attempt).c, table(KeyPress).c
_registration, _callback = table(Registration).c, table(Callback).c
OPEN = "open"
"""The word for an attempt that has not ended."""
_WORD = func.coalesce(_attempt.disposition, OPEN)
_MOST_HOURS = 24

Code = tuple[int | None, int | None, int]
"""A cause by Q.850 and by SIP, null where none was given, and how many calls had it."""


@dataclass(frozen=True, slots=True)
class Audience:
    """The targets of a campaign: how many there are, were called, are done, wait for what."""

    total: int = 0
    called: int = 0
    done: int = 0
    claimed: int = 0
    new: int = 0
    """Ready, and never called."""
    again: int = 0
    """Ready for a retry."""

    @property
    def ready(self) -> int:
        """All that are still to be dialled."""
        return self.new + self.again


@dataclass(frozen=True, slots=True)
class Minute:
    """What began in a minute, by how it ended, and how many calls ended in it."""

    at: datetime
    began: Mapping[str, int]
    ended: int

    @property
    def dialled(self) -> int:
        """All that began."""
        return sum(self.began.values())


class _cut(FunctionElement[datetime]):
    """A moment without its seconds, or without its minutes too."""

    type = UtcDateTime()
    inherit_cache = True
    unit, length, rest = "minute", 16, ":00.000000"


class cut_to_minute(_cut):
    """The minute that a moment lies in."""

    inherit_cache = True


class cut_to_hour(_cut):
    """The hour that a moment lies in; Viet Nam's hours begin with those of UTC."""

    inherit_cache = True
    unit, length, rest = "hour", 13, ":00:00.000000"


@compiles(cut_to_minute, "postgresql")
@compiles(cut_to_hour, "postgresql")
def _cut_postgresql(element: _cut, compiler: SQLCompiler, **kw: Any) -> str:
    return f"date_trunc('{element.unit}', {compiler.process(element.clauses, **kw)})"


@compiles(cut_to_minute, "sqlite")
@compiles(cut_to_hour, "sqlite")
def _cut_sqlite(element: _cut, compiler: SQLCompiler, **kw: Any) -> str:
    column = compiler.process(element.clauses, **kw)
    return f"(substr({column}, 1, {element.length}) || '{element.rest}')"


def audience(connection: Connection, campaign_id: int) -> Audience:
    """One pass over the targets."""
    is_called = cast(case((_target.attempts_made > 0, 1), else_=0), SqlInteger).label("is_called")
    groups = connection.execute(
        select(_target.state, is_called, func.count())
        .where(_target.campaign_id == campaign_id)
        .group_by(_target.state, "is_called")
    )
    states = Counter({(state, called): number for state, called, number in groups})
    return Audience(
        total=states.total(),
        called=sum(number for (_, called), number in states.items() if called),
        done=states[TargetState.DONE, 0] + states[TargetState.DONE, 1],
        claimed=states[TargetState.CLAIMED, 0] + states[TargetState.CLAIMED, 1],
        new=states[TargetState.READY, 0],
        again=states[TargetState.READY, 1],
    )


def retries(connection: Connection, campaign_id: int) -> list[tuple[datetime, int]]:
    """How many retries fall due in which hour; the first day's hours only."""
    hour = cut_to_hour(_target.not_before).label("hour")
    rows = connection.execute(
        select(hour, func.count())
        .where(
            _target.campaign_id == campaign_id,
            _target.state == fixed(TargetState.READY),
            _target.attempts_made > 0,
        )
        .group_by("hour")
        .order_by("hour")
        .limit(_MOST_HOURS)
    )
    return [(at, count) for at, count in rows]


def attempts_before(connection: Connection, campaign_id: int, moment: datetime) -> dict[str, int]:
    """The attempts that began earlier, by disposition."""
    rows = connection.execute(
        select(_WORD.label("word"), func.count())
        .where(_attempt.campaign_id == campaign_id, _attempt.started_at < moment)
        .group_by("word")
    )
    return {word: number for word, number in rows}  # noqa: C416 (rows are no pairs to mypy)


def minutes(connection: Connection, campaign_id: int, since: datetime) -> list[Minute]:
    """The attempts that began since, by minute; a minute in which nothing was is left out."""
    mine = (_attempt.campaign_id == campaign_id, _attempt.started_at >= since)
    start, end = cut_to_minute(_attempt.started_at), cut_to_minute(_attempt.ended_at)
    rows = connection.execute(
        select(start.label("minute"), _WORD.label("word"), func.count())
        .where(*mine)
        .group_by("minute", "word")
    ).all()
    ends = connection.execute(
        select(end.label("minute"), func.count())
        .where(*mine, _attempt.ended_at.is_not(None))
        .group_by("minute")
    )
    began: dict[datetime, dict[str, int]] = {}
    for at, word, count in rows:
        began.setdefault(at, {})[word] = count
    ended = {at: number for at, number in ends}  # noqa: C416
    return [Minute(at, began.get(at, {}), ended.get(at, 0)) for at in sorted({*began, *ended})]


def codes(connection: Connection, campaign_id: int, since: datetime, limit: int) -> list[Code]:
    """The causes with which calls that began since have ended (Q.850, SIP), the most frequent."""
    both = (_attempt.hangup_cause, _attempt.tech_cause)
    rows = connection.execute(
        select(*both, func.count().label("count"))
        .where(
            _attempt.campaign_id == campaign_id,
            _attempt.started_at >= since,
            _attempt.ended_at.is_not(None),
        )
        .group_by(*both)
        .order_by(func.count().desc(), *both)
        .limit(limit)
    )
    return [(row.hangup_cause, row.tech_cause, row[2]) for row in rows]


def keys_before(connection: Connection, campaign_id: int, moment: datetime) -> dict[str, int]:
    """In how many calls that began earlier each key was pressed."""
    # From the keys to their attempts: few attempts have any. So no index of attempts must serve.
    mine = _attempt.campaign_id + literal_column("0") == campaign_id
    return _keys(connection, mine, _attempt.started_at < moment)


def keys_since(connection: Connection, campaign_id: int, moment: datetime) -> dict[str, int]:
    """The same of those that began since."""
    mine = _attempt.campaign_id == campaign_id
    return _keys(connection, mine, _attempt.started_at >= moment)


def _keys(connection: Connection, mine: Any, when: Any) -> dict[str, int]:
    rows = connection.execute(
        select(_key.key, func.count(_key.attempt_id.distinct()))
        .join(table(Attempt), _attempt.id == _key.attempt_id)
        .where(mine, when)
        .group_by(_key.key)
    )
    return {key: number for key, number in rows}  # noqa: C416


def brought(connection: Connection, campaign_id: int) -> tuple[int, int]:
    """How many registrations the campaign brought, and how many addresses were confirmed."""
    registered = select(func.count()).where(_registration.campaign_id == campaign_id)
    confirmed = select(func.count()).where(
        _callback.campaign_id == campaign_id, _callback.outcome == fixed(Outcome.CONFIRMED)
    )
    both = connection.execute(union_all(registered, confirmed)).scalars().all()
    return int(both[0]), int(both[1])


def dials_since(connection: Connection, campaign_id: int, moment: datetime) -> int:
    """How many attempts have begun since: for the rate of now."""
    found = select(func.count()).where(
        _attempt.campaign_id == campaign_id,
        _attempt.started_at >= moment,
    )
    return int(connection.execute(found).scalar_one())


NOT_SENT = frozenset({OPEN, Disposition.NOT_DIALLED})
"""What does not count in the answered rate: not ended yet, or never sent."""
