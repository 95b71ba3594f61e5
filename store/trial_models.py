"""Calls that try a script out. Pure."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from domain.dispositions import Disposition
from store.base import Base, Msisdn
from store.columns import one_of, word


class TrialCall(Base):
    """A call of a campaign's script to somebody's own phone; its id is the channel in Asterisk.

    It is nobody's target and no attempt, so that no figure, cap or retry knows of it. It is asked
    for first; the server that takes it writes its `node`, and only then dials.
    """

    __tablename__ = "trial_calls"
    __table_args__ = (
        one_of("disposition", Disposition),
        CheckConstraint("(ended_at IS NULL) = (disposition IS NULL)", name="ended_has_disposition"),
        CheckConstraint(
            "(node IS NULL) = (started_at IS NULL) AND (node IS NULL) = (deadline_at IS NULL)",
            name="taken_has_start",
        ),
        Index(
            "uq_trial_calls_open_msisdn",
            "msisdn",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_trial_calls_asked_at", "asked_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    msisdn: Mapped[str] = mapped_column(Msisdn)
    script_version: Mapped[str] = mapped_column(String(40))
    ring_timeout_seconds: Mapped[int] = mapped_column(SmallInteger)
    may_refuse: Mapped[bool]
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    node: Mapped[str | None] = mapped_column(String(40), default=None)
    trunk: Mapped[str | None] = mapped_column(String(40), default=None)
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    deadline_at: Mapped[datetime | None] = mapped_column(default=None)
    answered_at: Mapped[datetime | None] = mapped_column(default=None)
    keys: Mapped[str] = mapped_column(Text, default="")
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    disposition: Mapped[str | None] = mapped_column(word(), default=None)
    hangup_cause: Mapped[int | None] = mapped_column(SmallInteger, default=None)
