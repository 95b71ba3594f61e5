"""The rows of the JSON API: the tokens of programs, and what each was answered. Pure."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from domain.roles import Role
from store.base import Base, BigId
from store.columns import one_of, word


class ApiToken(Base):
    """A program's way in, of a role or in the name of an account; only its hash is kept.

    A specialist sees one province, which only an account has: no token is of that role alone. None
    is ever deleted, since the audit names it.
    """

    __tablename__ = "api_tokens"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint("(role IS NULL) <> (user_id IS NULL)", name="role_or_user"),
        CheckConstraint("role <> 'specialist'", name="specialist_has_user"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str | None] = mapped_column(word())
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)


class ApiAnswer(Base):
    """What a request with an Idempotency-Key was answered, so that a repeat is answered likewise.

    `asked` is the hash of the request: the same key for another one is a mistake.
    """

    __tablename__ = "api_answers"
    __table_args__ = (Index("ix_api_answers_created_at", "created_at"),)

    token_id: Mapped[int] = mapped_column(BigId, ForeignKey("api_tokens.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    asked: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(SmallInteger)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
