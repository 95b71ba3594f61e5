"""The files that audiences came from. Pure."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from domain.states import ImportState
from store.base import Base, BigId
from store.columns import one_of, word


class Import(Base):
    """One file brought into a campaign.

    `counts` has the rows by verdict; `extracted_at` is the moment of its snapshot.
    """

    __tablename__ = "imports"
    __table_args__ = (
        one_of("state", ImportState),
        Index("ix_imports_campaign_id", "campaign_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    file_name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    extracted_at: Mapped[datetime | None]
    imported_at: Mapped[datetime]
    imported_by: Mapped[str] = mapped_column(Text)
    counts: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(word(), default=ImportState.LOADING)
