"""Rows of the brakes: what slows a campaign or a trunk by itself, and who overrides it. Pure."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.states import BrakeCause
from store.base import Base, BigId
from store.columns import one_of, word


class Brake(Base):
    """How far one cause slows a campaign, or a trunk; written on change only.

    Attributes:
        node: whose queue is meant, where each server has one of its own; else empty.
        factor: what the rate is multiplied by: 1 is no brake, 0 stops.
        since: when `factor` became what it is.
        until: when an open circuit breaker begins to probe.
        trips: how often it opened in a row: the pause grows with it.
    """

    __tablename__ = "brakes"
    __table_args__ = (
        one_of("cause", BrakeCause),
        CheckConstraint("(campaign_id IS NULL) <> (trunk IS NULL)", name="one_scope"),
        CheckConstraint("factor >= 0 AND factor <= 1", name="factor_in_range"),
        Index(
            "uq_brakes_campaign",
            *("campaign_id", "cause"),
            unique=True,
            sqlite_where=text("campaign_id IS NOT NULL"),
            postgresql_where=text("campaign_id IS NOT NULL"),
        ),
        Index(
            "uq_brakes_trunk",
            *("trunk", "cause", "node"),
            unique=True,
            sqlite_where=text("trunk IS NOT NULL"),
            postgresql_where=text("trunk IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))
    trunk: Mapped[str | None] = mapped_column(String(40))
    node: Mapped[str] = mapped_column(String(40))
    cause: Mapped[str] = mapped_column(word())
    factor: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
    until: Mapped[datetime | None] = mapped_column(default=None)
    trips: Mapped[int] = mapped_column(default=0)
    overridden_by: Mapped[str | None] = mapped_column(Text, default=None)
    override_until: Mapped[datetime | None] = mapped_column(default=None)
