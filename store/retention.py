"""What has been kept for long enough is taken out, a few rows at a time. I/O.

Rows say what is left to do, so whatever stops half-way goes on where it was. A table is walked by
spans of ids: `look` reads one span and holds nothing up, `take_out` writes a few rows that it
found, in a transaction so short that claims and key 1 do not notice. What is over stands in
`store.overdue`, what is taken out in `store.personal`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, delete, func, literal_column, select

from store import kept_refusals
from store.gate_rules import found
from store.locks import lock_taking_out
from store.models import Attempt, MessageOut, OptOut, SmsReference, Target, TrialCall, table
from store.overdue import (
    REFUSALS_OVER,
    TARGETS_OVER,
    TEXTS_OVER,
    TRIALS_OVER,
    Before,
    Overdue,
    RowId,
)
from store.personal import ATTEMPTS, is_number
from store.statements import among

_SPAN = 10_000
_AT_ONCE = 50
_ONE = literal_column("1", Integer)
_targets, _attempts = table(Target).c, table(Attempt).c
_out, _opt_outs = table(MessageOut).c, table(OptOut).c
_references = table(SmsReference).c


@dataclass(frozen=True, slots=True)
class Look:
    """The ids found in a span, and after which id to look on; None: that was all."""

    ids: Sequence[RowId]
    after: RowId | None


def look(connection: Connection, overdue: Overdue, after: RowId, before: Before) -> Look:
    """The rows of the next span that are overdue, at most as many as are taken out at once.

    Ids that are no numbers have no spans: a table of them is small.
    """
    identity, asked = overdue.id, {"after": after, "limit": _AT_ONCE, **before}
    chosen = (
        select(identity)
        .where(identity > bindparam("after"), overdue.is_over)
        .distinct()
        .order_by(identity)
        .limit(bindparam("limit"))
    )
    until = after + _SPAN if isinstance(after, int) else None
    if until is not None:
        chosen, asked["until"] = chosen.where(identity <= bindparam("until")), until
    ids = connection.execute(chosen, asked).scalars().all()
    if len(ids) == _AT_ONCE:
        return Look(ids, ids[-1])
    if until is None:
        return Look(ids, None)
    last = connection.execute(select(func.max(identity))).scalar_one() or 0
    return Look(ids, until if last > until else None)


def take_out(
    connection: Connection, overdue: Overdue, ids: Sequence[RowId], before: Before, key: str
) -> dict[str, int]:
    """Take out what is personal in these rows, where they still are overdue; give how many.

    Raises InputError where refusals are to be kept and there is no key to do it with.
    """
    if overdue is REFUSALS_OVER:
        return _keep_refusals(connection, ids, before, key)
    given = {"ids": ids, **before}
    where = among(overdue.id, "ids") & overdue.is_over
    if overdue is TRIALS_OVER:
        gone = delete(table(TrialCall)).where(where)
        return {overdue.name: connection.execute(gone, given).rowcount}
    assert overdue.personal is not None  # noqa: S101 - for the type
    counted = _counters(connection, ids) if overdue is TEXTS_OVER else []
    taken = {overdue.name: overdue.personal.take_out(connection, where, given)}
    if overdue is TARGETS_OVER:
        where = among(_attempts.target_id, "ids") & ATTEMPTS.is_left & _TARGET_IS_OUT
        taken[ATTEMPTS.name] = ATTEMPTS.take_out(connection, where, {"ids": ids})
    if counted:
        connection.execute(_FORGET, counted)
    return taken


def calls_of(connection: Connection, target_ids: Sequence[RowId]) -> int:
    """How many calls go with these targets."""
    chosen = select(func.count()).where(among(_attempts.target_id, "ids"), ATTEMPTS.is_left)
    return int(connection.execute(chosen, {"ids": target_ids}).scalar_one())


_TARGET_IS_OUT = found(
    select(_ONE).where(_targets.id == _attempts.target_id, ~is_number(_targets.msisdn))
)
_COUNTED = select(_out.source.label("of_source"), _out.msisdn.label("to_number")).where(
    among(_out.id, "ids"), _out.part_total > _ONE
)
# The counter of a number's long texts, where no other text of it is left.
_FORGET = delete(table(SmsReference)).where(
    _references.source == bindparam("of_source"),
    _references.destination == bindparam("to_number"),
    ~found(select(_ONE).where(_out.msisdn == _references.destination)),
)


def _counters(connection: Connection, ids: Sequence[RowId]) -> list[dict[str, Any]]:
    rows = connection.execute(_COUNTED.distinct(), {"ids": ids})
    return [dict(row) for row in rows.mappings()]


def _keep_refusals(
    connection: Connection, ids: Sequence[RowId], before: Before, key: str
) -> dict[str, int]:
    lock_taking_out(connection)
    chosen = select(_opt_outs.msisdn).where(among(_opt_outs.id, "ids"), REFUSALS_OVER.is_over)
    msisdns = connection.execute(chosen.distinct(), {"ids": ids, **before}).scalars().all()
    kept = [kept_refusals.keep(connection, msisdn, key, before["now"]) for msisdn in msisdns]
    return {REFUSALS_OVER.name: sum(kept)}
