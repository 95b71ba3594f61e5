"""Sessions: a row for each login, found by the hash of its cookie. I/O.

A session lives while its row has no end, its account is active, and it was seen within the idle
time: nothing has to run for it to end.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, insert, select, update

from domain.roles import Role
from store.models import Session, User, table

_sessions = table(Session)
_session, _user = _sessions.c, table(User).c


@dataclass(frozen=True, slots=True)
class Present:
    """A living session and whose it is."""

    id: int
    csrf: str
    last_seen_at: datetime
    user_id: int
    login: str
    name: str
    role: Role
    province: str | None
    phone: str | None


_COLUMNS = (
    *(_session.id, _session.csrf, _session.last_seen_at, _session.user_id),
    *(_user.login, _user.name, _user.role, _user.province, _user.phone),
)


def start(connection: Connection, user_id: int, token_hash: str, csrf: str, now: datetime) -> int:
    """Begin a session; returns its id."""
    values = {
        "token_hash": token_hash,
        "user_id": user_id,
        "csrf": csrf,
        "created_at": now,
        "last_seen_at": now,
    }
    made = connection.execute(insert(_sessions).values(values).returning(_session.id))
    return int(made.scalar_one())


def present(
    connection: Connection, token_hash: str, now: datetime, idle: timedelta
) -> Present | None:
    """The living session of that cookie; None where it has ended or there never was one."""
    row = connection.execute(
        select(*_COLUMNS)
        .join(table(User), _user.id == _session.user_id)
        .where(
            _session.token_hash == token_hash,
            _session.ended_at.is_(None),
            _session.last_seen_at > now - idle,
            _user.is_active.is_(True),
        )
    ).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    return Present(**values | {"role": Role(values["role"])})


def seen(connection: Connection, session_id: int, now: datetime) -> None:
    """Its user has just done something."""
    connection.execute(update(_sessions).where(_session.id == session_id).values(last_seen_at=now))


def end(connection: Connection, session_id: int, now: datetime) -> None:
    """End a session; one that has ended keeps its time."""
    _end(connection, _session.id == session_id, now)


def end_all_of(connection: Connection, user_id: int, now: datetime) -> None:
    """End every session of an account."""
    _end(connection, _session.user_id == user_id, now)


def _end(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
    connection.execute(
        update(_sessions).where(which, _session.ended_at.is_(None)).values(ended_at=now)
    )
