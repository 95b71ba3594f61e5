"""Tokens of the JSON API: made, found by their hash, revoked; answers kept for repeats. I/O.

A token lives while it is not revoked and, where it speaks for an account, that account is active.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from domain.errors import InputError
from domain.roles import Role
from store.models import ApiAnswer, ApiToken, User, table
from store.statements import insert_new

_KEPT = timedelta(days=1)
_UNKNOWN = 0

_tokens, _answers = table(ApiToken), table(ApiAnswer)
_token, _answer, _user = _tokens.c, _answers.c, table(User).c
_NEW_ANSWER = insert_new(ApiAnswer, _answer.key)
_BEARER = (
    select(
        *(_token.id, _token.name, _token.last_used_at, _token.user_id, _user.province),
        func.coalesce(_user.role, _token.role).label("role"),
    )
    .outerjoin(table(User), _user.id == _token.user_id)
    .where(
        _token.revoked_at.is_(None),
        _token.user_id.is_(None) | _user.is_active.is_(True),
    )
)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who asks by a living token; `user_id` and `province` are its account's, if it has one."""

    id: int
    name: str
    last_used_at: datetime | None
    user_id: int | None
    province: str | None
    role: Role


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with a key, which is the token's own; `fingerprint` tells it from others."""

    token_id: int
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A status of HTTP and a JSON text."""

    status: int
    body: str


class KeyReused(InputError):
    """The key was used for another request."""


class KeyTaken(Exception):
    """Another transaction holds the key: this one is to be undone, the other's answer is ours."""


def add(
    connection: Connection,
    name: str,
    token_hash: str,
    now: datetime,
    *,
    role: Role | None = None,
    user_id: int | None = None,
) -> int:
    """Add a token of a role or of an account; returns its id. Raises InputError."""
    if role is Role.SPECIALIST:
        raise InputError("a specialist's token needs an account: give its --user")
    values = {"name": name, "token_hash": token_hash, "created_at": now}
    try:
        made = connection.execute(
            insert(_tokens).values(**values, role=role, user_id=user_id).returning(_token.id)
        )
    except IntegrityError as error:
        raise InputError(f"a token named {name!r} exists already, revoked ones count") from error
    return int(made.scalar_one())


def bearer(connection: Connection, token_hash: str) -> Bearer | None:
    """Who has the living token of that hash."""
    row = connection.execute(_BEARER.where(_token.token_hash == token_hash)).mappings().first()
    return None if row is None else Bearer(**{**row, "role": Role(row["role"])})


def used(connection: Connection, token_id: int, now: datetime) -> None:
    """Its program has just asked something."""
    connection.execute(update(_tokens).where(_token.id == token_id).values(last_used_at=now))


def all_of(connection: Connection) -> list[RowMapping]:
    """Every token, revoked ones too, in order of names; without the hash, with the `login`."""
    columns = [column for column in _token if column is not _token.token_hash]
    chosen = select(*columns, _user.login).outerjoin(table(User), _user.id == _token.user_id)
    return list(connection.execute(chosen.order_by(_token.name)).mappings())


def revoke(connection: Connection, name: str, now: datetime) -> bool:
    """End a token at once; False where it has ended before. Raises InputError: there is none."""
    if connection.execute(select(_token.id).where(_token.name == name)).first() is None:
        raise InputError(f"there is no token {name!r}: see `tstn token list`")
    ended = connection.execute(
        update(_tokens)
        .where(_token.name == name, _token.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return ended.rowcount > 0


def answer_of(connection: Connection, asked: Asked) -> Answer | None:
    """What the request was answered before. Raises KeyReused."""
    row = connection.execute(
        select(_answer.asked, _answer.status, _answer.body).where(
            _answer.token_id == asked.token_id, _answer.key == asked.key
        )
    ).first()
    if row is None:
        return None
    if row.asked != asked.fingerprint:
        raise KeyReused("this Idempotency-Key was used for another request: take a new one")
    return Answer(row.status, row.body)


def once(
    connection: Connection, asked: Asked, now: datetime, operation: Callable[[Connection], Answer]
) -> Answer:
    """Run the operation and keep its answer, in one transaction; a day later it is forgotten.

    The key is taken first, so that of two at once only one works. Raises KeyTaken.
    """
    row: dict[str, Any] = {
        "token_id": asked.token_id,
        "key": asked.key,
        "asked": asked.fingerprint,
        "status": _UNKNOWN,
        "body": "",
        "created_at": now,
    }
    connection.execute(delete(_answers).where(_answer.created_at < now - _KEPT))
    if connection.execute(_NEW_ANSWER[connection.dialect.name], row).first() is None:
        raise KeyTaken
    answer = operation(connection)
    connection.execute(
        update(_answers)
        .where(_answer.token_id == asked.token_id, _answer.key == asked.key)
        .values(status=answer.status, body=answer.body)
    )
    return answer
