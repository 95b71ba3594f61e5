"""The brakes as rows: drawn, let go, overridden; each change is in the history. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, func, select, update

from domain.dispositions import Disposition
from domain.errors import InputError
from domain.states import AttemptState, BrakeCause
from store import history
from store.columns import UtcDateTime, fixed
from store.history import happening
from store.models import Attempt, Brake, Campaign, table


@dataclass(frozen=True, slots=True)
class Scope:
    """What a brake slows: a campaign, or a trunk (of one node, where `node` is given)."""

    cause: BrakeCause
    campaign_id: int | None = None
    trunk: str | None = None
    node: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """How a brake is to stand from now on."""

    factor: float
    reason: str
    until: datetime | None = None
    trips: int = 0


_brake, _campaign, _attempt = table(Brake).c, table(Campaign).c, table(Attempt).c
_ALL = (
    select(table(Brake), _campaign.name.label("campaign"))
    .outerjoin(table(Campaign), _campaign.id == _brake.campaign_id)
    .order_by(_brake.id)
)
_ENDS = (
    select(_attempt.disposition)
    .where(
        _attempt.trunk == bindparam("of_trunk"),
        _attempt.state == fixed(AttemptState.ENDED),
        _attempt.ended_at >= bindparam("since", type_=UtcDateTime),
        _attempt.started_at >= bindparam("begun", type_=UtcDateTime),
        _attempt.disposition != fixed(Disposition.UNKNOWN),
        _attempt.disposition != fixed(Disposition.NOT_DIALLED),
    )
    .order_by(_attempt.ended_at.desc())
    .limit(bindparam("most"))
)
_IN_THE_AIR = select(func.count()).where(
    _attempt.state != fixed(AttemptState.ENDED),
    _attempt.trunk == bindparam("of_trunk"),
    _attempt.started_at >= bindparam("begun", type_=UtcDateTime),
)


def all_of(connection: Connection) -> list[dict[str, Any]]:
    """Every brake there ever was, as columns, with the name of its campaign (`campaign`)."""
    return [dict(row) for row in connection.execute(_ALL).mappings()]


def of(connection: Connection, scope: Scope) -> Brake | None:
    """One brake; None where it was never drawn."""
    found = connection.execute(select(table(Brake)).where(_is(scope))).mappings().one_or_none()
    return None if found is None else _as_brake(found)


def put(connection: Connection, scope: Scope, change: Change, now: datetime) -> None:
    """Let a brake stand as `change` says from now on; who overrides it stays."""
    before = of(connection, scope)
    values = {
        "factor": change.factor,
        "reason": change.reason,
        "since": now,
        "until": change.until,
        "trips": change.trips,
    }
    if before is None:
        names = {"campaign_id": scope.campaign_id, "trunk": scope.trunk, "node": scope.node}
        connection.execute(table(Brake).insert().values(**names, cause=scope.cause, **values))
    else:
        connection.execute(update(table(Brake)).where(_is(scope)).values(values))
    _record(
        connection,
        "brake_changed",
        scope,
        now,
        before=1.0 if before is None else before.factor,
        after=change.factor,
        reason=change.reason,
    )


def override(
    connection: Connection, scope: Scope, by: str, until: datetime, now: datetime
) -> list[dict[str, Any]]:
    """Take no notice of a brake until a moment; give its rows. Raises InputError without one.

    A trunk's queue may have a row for each node: it is meant on all of them.
    """
    found = _set_override(connection, scope, by, until)
    _record(connection, "brake_overridden", scope, now, by=by, until=until.isoformat())
    return found


def release(connection: Connection, scope: Scope, by: str, now: datetime) -> list[dict[str, Any]]:
    """Heed a brake again before its override has run out; give its rows. Raises as `override`."""
    found = _set_override(connection, scope, None, None)
    _record(connection, "brake_released", scope, now, by=by)
    return found


def scope_of(connection: Connection, brake_id: int) -> Scope:
    """What a row is about, on whatever node. Raises InputError where there is none."""
    found = connection.execute(select(table(Brake)).where(_brake.id == brake_id)).first()
    if found is None:
        raise InputError("there is no such brake: see `tstn brakes show`")
    return Scope(BrakeCause(found.cause), found.campaign_id, found.trunk)


def _set_override(
    connection: Connection, scope: Scope, by: str | None, until: datetime | None
) -> list[dict[str, Any]]:
    where = _is(scope) if scope.node else _is_on_any_node(scope)
    rows = connection.execute(
        update(table(Brake))
        .where(where)
        .values(overridden_by=by, override_until=until)
        .returning(table(Brake))
    ).mappings()
    found = [dict(row) for row in rows]
    if not found:
        raise InputError(f"there is no brake {scope.cause} there: see `tstn brakes show`")
    return found


def last_ends(
    connection: Connection, trunk: str, most: int, since: datetime, begun: datetime | None = None
) -> Sequence[Disposition]:
    """What the last dials through a trunk came to, the newest first.

    Of those that ended since a moment, and were begun since another. Ends that tell nothing of the
    trunk are left out.
    """
    values = {"of_trunk": trunk, "since": since, "begun": begun or since, "most": most}
    return [Disposition(word) for word in connection.execute(_ENDS, values).scalars()]


def probing(connection: Connection, trunk: str, since: datetime, most: int) -> int:
    """How many dials a trunk has seen since it may be probed, those that tell nothing left out."""
    values = {"of_trunk": trunk, "begun": since}
    in_the_air = connection.execute(_IN_THE_AIR, values).scalar_one()
    return in_the_air + len(last_ends(connection, trunk, most, since))


def _is(scope: Scope) -> Any:
    return and_(_is_on_any_node(scope), _brake.node == scope.node)


def _is_on_any_node(scope: Scope) -> Any:
    of_what = (
        _brake.trunk == scope.trunk
        if scope.campaign_id is None
        else _brake.campaign_id == scope.campaign_id
    )
    return and_(of_what, _brake.cause == scope.cause)


def _as_brake(row: RowMapping) -> Brake:
    values = dict(row)
    identity = values.pop("id")
    brake = Brake(**values)
    brake.id = identity
    return brake


def _record(connection: Connection, kind: str, scope: Scope, now: datetime, **data: Any) -> None:
    history.add(
        connection,
        [
            happening(
                kind,
                now,
                campaign_id=scope.campaign_id,
                cause=scope.cause,
                trunk=scope.trunk,
                node=scope.node,
                **data,
            )
        ],
    )
