"""Opt-outs: who wants no more invitations, by call or by text. Kept for ever. I/O."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from domain.gate import Refusal
from domain.states import MessageOutState, PostKind, Purpose
from store import history
from store.columns import fixed
from store.facts import OptOutAsked as OptOutAsked
from store.history import happening
from store.models import Campaign, MessageOut, OptOut, table
from store.statements import among, insert_new


@dataclass(frozen=True, slots=True)
class OptedOut:
    """What the subscriber is told: when the refusal came in, and since when it is in force."""

    msisdn: str
    at: datetime
    applied_at: datetime


_opt_out, _out = table(OptOut).c, table(MessageOut).c
_NEW = insert_new(OptOut, _opt_out.msisdn, _opt_out.at, _opt_out.source_id)
_BY_SOURCE = select(_opt_out.source_id, _opt_out.msisdn, _opt_out.at, _opt_out.applied_at).where(
    among(_opt_out.source_id, "source_ids")
)
_FROM = select(_opt_out.source_id).where(among(_opt_out.source_id, "source_ids"))
_OPTED_OUT = select(_opt_out.msisdn).where(among(_opt_out.msisdn, "msisdns")).distinct()
_WITHDRAW = (
    update(table(MessageOut))
    .where(
        among(_out.msisdn, "msisdns"),
        _out.state == fixed(MessageOutState.QUEUED),
        _out.kind == fixed(PostKind.INVITATION),
    )
    .values(state=fixed(MessageOutState.FAILED), error=Refusal.OPTED_OUT)
)


def opt_out(
    connection: Connection,
    asked: Sequence[OptOutAsked],
    now: datetime,
    *,
    by: str | None = None,
) -> list[OptedOut]:
    """Refusals come into force at once, and queued invitations end. Gives one answer for each.

    The same source again changes nothing and gets the same answer. `by` is the agent whom the
    subscriber told it.
    """
    if not asked:
        return []
    rows = [{**asdict(each), "applied_at": now} for each in asked]
    new = connection.execute(_NEW[connection.dialect.name], rows).all()
    if new:
        connection.execute(_WITHDRAW, {"msisdns": [row.msisdn for row in new]})
    named: dict[str, Any] = {} if by is None else {"by": by}
    happened = [
        happening(
            "opted_out",
            row.at,
            msisdn=row.msisdn,
            once=f"opted_out:{row.source_id}",
            source_id=row.source_id,
            applied_at=now.isoformat(),
            **named,
        )
        for row in new
    ]
    history.add(connection, happened)
    found = connection.execute(_BY_SOURCE, {"source_ids": [a.source_id for a in asked]})
    standing = {row.source_id: OptedOut(row.msisdn, row.at, row.applied_at) for row in found}
    return [standing[each.source_id] for each in asked]


def from_sources(connection: Connection, source_ids: Sequence[str]) -> set[str]:
    """Which of these sources brought a refusal."""
    return set(connection.execute(_FROM, {"source_ids": list(source_ids)}).scalars())


def advertising_campaigns(connection: Connection) -> set[int]:
    """The campaigns whose calls must take a refusal (key 9)."""
    chosen = select(table(Campaign).c.id).where(table(Campaign).c.purpose == Purpose.ADVERTISING)
    return set(connection.execute(chosen).scalars())


def opted_out(connection: Connection, msisdns: Sequence[str]) -> set[str]:
    """Which of the numbers want no invitations."""
    if not msisdns:
        return set()
    return set(connection.execute(_OPTED_OUT, {"msisdns": msisdns}).scalars())
