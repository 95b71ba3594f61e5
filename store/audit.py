"""The audit: who did what. A write and its row are one transaction, and a form counts once. I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, select

from store.models import ApiToken, Audit, User, table
from store.statements import insert_new

T = TypeVar("T")

_audit, _user, _token = table(Audit).c, table(User).c, table(ApiToken).c
_ADD = insert_new(Audit, _audit.id)


class Repeated(Exception):
    """The form with this key has done its work before; the transaction is to be undone."""


_SEARCHED = 20_000


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody does. `subject` names the thing acted on, `data` (JSON values) what was asked.

    `user_id` is None for the command line, `once` where a repeat can't come, `token_id` where no
    program did it.
    """

    action: str
    user_id: int | None
    subject: str | None = None
    once: str | None = None
    token_id: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the audit, for people; `login` and `token` are None for the command line."""

    id: int
    at: datetime
    login: str | None
    token: str | None
    action: str
    subject: str | None
    data: dict[str, Any]


def perform(
    connection: Connection,
    act: Act,
    now: datetime,
    operation: Callable[[Connection], T],
    subject: Callable[[T], str | None] | None = None,
) -> T:
    """Run a write and leave its row; `subject` names the thing where only the answer tells it.

    Raises Repeated for a form that has done its work before, and whatever the operation raises;
    then nothing of it is kept.
    """
    if act.once is not None and _stands(connection, act.once):
        raise Repeated(act.action)
    answer = operation(connection)
    add(connection, act, now, act.subject if subject is None else subject(answer))
    return answer


def add(connection: Connection, act: Act, now: datetime, subject: str | None = None) -> None:
    """Append one row. Raises Repeated where another transaction was faster with the same key."""
    row = {
        "at": now,
        "user_id": act.user_id,
        "action": act.action,
        "subject": subject or act.subject,
        "data": act.data,
        "once": act.once,
        "token_id": act.token_id,
    }
    if connection.execute(_ADD[connection.dialect.name], row).first() is None:
        raise Repeated(act.action)


def _stands(connection: Connection, once: str) -> bool:
    found = connection.execute(select(_audit.id).where(_audit.once == once))
    return found.first() is not None


def before(connection: Connection, audit_id: int | None, limit: int) -> list[Entry]:
    """The rows before one, the newest first; None begins at the end."""
    return _newest(connection, limit, *([] if audit_id is None else [_audit.id < audit_id]))


def of_actions(connection: Connection, actions: Sequence[str], limit: int) -> list[Entry]:
    """What was done of some kinds, the newest first: of the newest acts, as they have no index."""
    newest = select(_audit.id).order_by(_audit.id.desc()).limit(1).scalar_subquery()
    wanted = (_audit.id > newest - _SEARCHED, _audit.action.in_(actions))
    return _newest(connection, limit, *wanted)


def of_subject(connection: Connection, subject: str, limit: int) -> list[Entry]:
    """What was done to one thing, the newest first: of the newest acts, as it has no index."""
    newest = select(_audit.id).order_by(_audit.id.desc()).limit(1).scalar_subquery()
    return _newest(connection, limit, _audit.id > newest - _SEARCHED, _audit.subject == subject)


def _newest(connection: Connection, limit: int, *where: ColumnElement[bool]) -> list[Entry]:
    columns = (
        *(_audit.id, _audit.at, _user.login, _token.name.label("token")),
        *(_audit.action, _audit.subject, _audit.data),
    )
    rows = connection.execute(
        select(*columns)
        .outerjoin(table(User), _user.id == _audit.user_id)
        .outerjoin(table(ApiToken), _token.id == _audit.token_id)
        .where(*where)
        .order_by(_audit.id.desc())
        .limit(limit)
    )
    return [Entry(**row._mapping) for row in rows]
