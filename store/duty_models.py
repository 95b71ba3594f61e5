"""Rows of the agents' duty: what each does now, and each span of it. Pure."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.states import Duty
from store.base import Base, BigId
from store.columns import one_of, word


class Agent(Base):
    """What an agent does now. The claims of one agent are taken one at a time, under this row."""

    __tablename__ = "agents"
    __table_args__ = (
        one_of("duty", Duty),
        CheckConstraint("duty = 'paused' OR pause_reason IS NULL", name="reason_is_of_a_pause"),
    )

    agent_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    duty: Mapped[str] = mapped_column(word())
    duty_since: Mapped[datetime]
    pause_reason: Mapped[str | None] = mapped_column(Text, default=None)


class DutySpan(Base):
    """A span of time in which an agent was on duty or paused; one is open per agent."""

    __tablename__ = "duty_spans"
    __table_args__ = (
        CheckConstraint("duty = 'on' OR duty = 'paused'", name="duty_is_known"),
        Index(
            "uq_duty_spans_open",
            "agent_id",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
        Index("ix_duty_spans_since", "since"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    agent_id: Mapped[int] = mapped_column(BigId)
    duty: Mapped[str] = mapped_column(word())
    since: Mapped[datetime]
    until: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
