"""Accounts: added, switched off and on, given a password; logins that failed are counted. I/O.

Each change of an account that takes rights away ends the sessions it has, in the same transaction.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from domain.accounts import check_account
from domain.errors import InputError
from domain.roles import Role
from store import duty, sessions
from store.models import User, table

_users = table(User)
_user = _users.c


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account to add; `login` in lower case, `password_hash` in argon2's own form."""

    login: str
    name: str
    role: Role
    password_hash: str
    province: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """What may be corrected of an account."""

    name: str
    province: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """After `failures` wrong passwords in a row, no password is right for `lock`."""

    failures: int
    lock: timedelta


def add(connection: Connection, new: NewUser, now: datetime) -> int:
    """Add an active account; returns its id.

    Raises InputError where the login or the phone is taken, or none may be called so.
    """
    check_account(new.login, new.name, new.role, new.province, new.phone)
    if connection.execute(select(_user.id).where(_user.login == new.login)).first() is not None:
        raise _taken()
    _require_free(connection, new.phone)
    values = {**asdict(new), "is_active": True, "created_at": now, "failed_logins": 0}
    try:
        return int(
            connection.execute(insert(_users).values(values).returning(_user.id)).scalar_one()
        )
    except IntegrityError as error:  # another was faster
        raise _taken() from error


def change(connection: Connection, user_id: int, new: Details) -> None:
    """Correct an account. Raises InputError where the phone is taken, or none may be called so."""
    user = locked_row(connection, user_id)
    if user is None:
        raise InputError("there is no such account")
    check_account(user.login, new.name, Role(user.role), new.province, new.phone)
    if new.phone is not None and not user.is_active:
        raise InputError("an account that is switched off has no phone: switch it on first")
    if new.phone != user.phone:
        _require_free(connection, new.phone)
    corrected = update(_users).where(_user.id == user_id).values(asdict(new))
    try:
        connection.execute(corrected)
    except IntegrityError as error:  # another was faster
        raise _taken() from error


def _taken() -> InputError:
    return InputError("this login or this phone belongs to another account")


def difference(user: User, new: Details) -> dict[str, Any]:
    """What a correction changes, for the audit: each new value, and the old ones as `before`."""
    changed = {name: value for name, value in asdict(new).items() if value != getattr(user, name)}
    before = ", ".join(getattr(user, name) or "–" for name in changed)
    return {**changed, "before": before} if changed else {}


def _require_free(connection: Connection, phone: str | None) -> None:
    """A phone that an account kept which an earlier version switched off is taken from it."""
    if phone is None:
        return
    holds = (_user.phone == phone, _user.is_active.is_(False))
    connection.execute(update(_users).where(*holds).values(phone=None))
    if connection.execute(select(_user.id).where(_user.phone == phone)).first() is not None:
        raise _taken()


def by_login(connection: Connection, login: str) -> User | None:
    """The account of that login, switched off or not."""
    return _one(connection.execute(select(_users).where(_user.login == login)).mappings().first())


def by_id(connection: Connection, user_id: int) -> User | None:
    """The account of that id, switched off or not."""
    return _one(connection.execute(select(_users).where(_user.id == user_id)).mappings().first())


def locked_row(connection: Connection, user_id: int) -> User | None:
    """The account of that id as it stands, nobody else's to change until the transaction ends."""
    chosen = select(_users).where(_user.id == user_id).with_for_update()
    return _one(connection.execute(chosen).mappings().first())


def may_enter(user: User, now: datetime) -> bool:
    """Whether a right password lets the account in: it is neither switched off nor locked."""
    return user.is_active and (user.locked_until is None or user.locked_until <= now)


def after(connection: Connection, login: str, limit: int) -> list[User]:
    """The accounts that follow a login in order of logins; an empty one gives the first."""
    chosen = select(_users).where(_user.login > login).order_by(_user.login).limit(limit)
    return [_as_user(row) for row in connection.execute(chosen).mappings()]


def set_active(connection: Connection, user_id: int, now: datetime, *, is_active: bool) -> bool:
    """Switch an account on or off; False where it stands so already, or there is none.

    Switched off, its sessions and its duty end, and its phone is free for another account.
    """
    changed = connection.execute(
        update(_users)
        .where(_user.id == user_id, _user.is_active.is_(not is_active))
        .values(is_active=is_active, **({} if is_active else {"phone": None}))
    )
    if not is_active:
        sessions.end_all_of(connection, user_id, now)
        duty.end(connection, user_id, now)
    return changed.rowcount > 0


def set_password(connection: Connection, user_id: int, password_hash: str, now: datetime) -> None:
    """Give a new password, end a lock, and end every session of the account."""
    connection.execute(
        update(_users)
        .where(_user.id == user_id)
        .values(password_hash=password_hash, failed_logins=0, locked_until=None)
    )
    sessions.end_all_of(connection, user_id, now)


def login_failed(connection: Connection, user_id: int, limits: LoginLimits, now: datetime) -> bool:
    """Count a wrong password; True where it is the one that locks the account."""
    failures = connection.execute(
        update(_users)
        .where(_user.id == user_id)
        .values(failed_logins=_user.failed_logins + 1)
        .returning(_user.failed_logins)
    ).scalar_one()
    if failures < limits.failures:
        return False
    connection.execute(
        update(_users)
        .where(_user.id == user_id)
        .values(failed_logins=0, locked_until=now + limits.lock)
    )
    return True


def login_succeeded(connection: Connection, user_id: int) -> None:
    """Forget the wrong passwords before."""
    connection.execute(
        update(_users)
        .where(_user.id == user_id, (_user.failed_logins > 0) | _user.locked_until.is_not(None))
        .values(failed_logins=0, locked_until=None)
    )


def _one(row: RowMapping | None) -> User | None:
    return None if row is None else _as_user(row)


def _as_user(row: RowMapping) -> User:
    values = dict(row)
    identity = values.pop("id")
    user = User(**values)
    user.id = identity
    return user
