"""This host's clock: is it kept in step, its zone, how far is the database's from it. I/O."""

import ctypes
from datetime import timedelta, tzinfo

from sqlalchemy import Connection, DateTime, func, select

from domain.clock import LOCAL, Clock
from runtime.check_lines import CheckLine, Verdict
from runtime.doctor.database import NOT_LOOKED_AT
from store.engine import Store

_SET, _ZONE, _APART = "clock", "time zone", "clock of the database"
_TIME_ERROR = 5  # adjtimex(2): nobody keeps the clock in step
_TIMEX_BYTES = 256  # more than struct timex takes
_WARN_APART, _FAIL_APART = timedelta(seconds=1), timedelta(seconds=30)


async def look(store: Store | None, clock: Clock) -> list[CheckLine]:
    """The three lines."""
    return [judge_set(kernel_state()), judge_zone(LOCAL, clock), await _apart(store, clock)]


def kernel_state() -> int | None:
    """What the kernel says of its clock (adjtimex), None where it can't be asked."""
    try:
        return int(
            ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
        )
    except (AttributeError, OSError):
        return None


def judge_set(state: int | None) -> CheckLine:
    """A clock that nobody sets runs away by a second or so a day."""
    todo = "apt-get install chrony, and let it reach a time server"
    if state is None or state < 0:
        return CheckLine(_SET, Verdict.WARN, "the kernel does not say whether it is kept in step")
    if state == _TIME_ERROR:
        says = "nothing keeps it in step; calling hours and promises go by it"
        return CheckLine(_SET, Verdict.WARN, says, todo)
    return CheckLine(_SET, Verdict.OK, "kept in step")


def judge_zone(zone: tzinfo, clock: Clock) -> CheckLine:
    """All days, windows and deadlines are counted in it."""
    offset = clock().astimezone(zone).utcoffset()
    if offset != timedelta(hours=7):
        says = f"{zone} is UTC{offset} on this host, not +7"
        return CheckLine(_ZONE, Verdict.FAIL, says, "apt-get install --reinstall tzdata")
    return CheckLine(_ZONE, Verdict.OK, f"{zone} is UTC+7")


def judge_apart(apart: timedelta) -> CheckLine:
    """Nodes of one store must agree on the time."""
    seconds = abs(apart.total_seconds())
    says = f"{seconds:.1f} s {'behind' if apart < timedelta(0) else 'ahead of'} ours"
    todo = "keep both hosts in step (chrony)"
    if abs(apart) >= _FAIL_APART:
        return CheckLine(_APART, Verdict.FAIL, says, todo)
    if abs(apart) >= _WARN_APART:
        return CheckLine(_APART, Verdict.WARN, says, todo)
    return CheckLine(_APART, Verdict.OK, f"within {_WARN_APART.seconds} s of ours")


async def _apart(store: Store | None, clock: Clock) -> CheckLine:
    if store is None:
        return CheckLine(_APART, Verdict.WARN, NOT_LOOKED_AT)
    return await store.read(_compare, clock)


def _compare(connection: Connection, clock: Clock) -> CheckLine:
    if connection.dialect.name == "sqlite":
        return CheckLine(_APART, Verdict.OK, "SQLite has none of its own")
    before = clock()
    its = connection.execute(
        select(func.clock_timestamp(type_=DateTime(timezone=True)))
    ).scalar_one()
    after = clock()
    return judge_apart(its - (before + (after - before) / 2))
