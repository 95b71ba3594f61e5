"""The rows of accounts: who may come in, who is in, and what each of them did. Pure."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from domain.roles import Role
from store.base import Base, BigId
from store.columns import one_of, word


class User(Base):
    """An account. `phone` is the agent's own SIP extension, `province` a specialist's own.

    Nobody is ever deleted, since rows of years ago name who did it: an account is switched off.
    """

    __tablename__ = "users"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint("role <> 'specialist' OR province IS NOT NULL", name="province_is_known"),
        CheckConstraint("login = lower(login)", name="login_is_lower"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    login: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(word())
    password_hash: Mapped[str] = mapped_column(Text)
    province: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(String(40), unique=True)
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    failed_logins: Mapped[int] = mapped_column(SmallInteger, default=0)
    locked_until: Mapped[datetime | None] = mapped_column(default=None)


class Session(Base):
    """One login of one account; only the hash of its cookie is kept."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_user_id", "user_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class Audit(Base):
    """What somebody did. Rows are only ever added: triggers refuse the rest.

    `user_id` is empty for the command line and for who failed to log in; `token_id` is set for what
    came by the API. `once` is the key of the form, so that a form that is sent again leaves one row
    and does its work once.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_user_id", "user_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str | None] = mapped_column(String(80))
    data: Mapped[dict[str, Any]]
    once: Mapped[str | None] = mapped_column(String(120), unique=True)
    token_id: Mapped[int | None] = mapped_column(BigId, default=None)
