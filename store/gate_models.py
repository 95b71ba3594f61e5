"""What the gate before every contact looks at: do-not-call lists, phases. Pure."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.addresses import Scheme
from domain.states import ContactScope
from store.base import Base, BigId, Msisdn
from store.columns import one_of, word

PlaceCode = String(8)
"""A province's or a district's official code; only with its scheme does it name one place."""


class DoNotCallList(Base):
    """A file of numbers that must not be contacted; the newest complete one of a scope counts."""

    __tablename__ = "do_not_call_lists"
    __table_args__ = (one_of("scope", ContactScope),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    scope: Mapped[str] = mapped_column(word())
    name: Mapped[str] = mapped_column(Text)
    loaded_at: Mapped[datetime]
    loaded_by: Mapped[str] = mapped_column(Text)
    numbers: Mapped[int]
    is_complete: Mapped[bool] = mapped_column(default=False, server_default=false())


class DoNotCall(Base):
    """A number that must not be contacted by the ways of `scope`, by its newest list."""

    __tablename__ = "do_not_call"
    __table_args__ = (one_of("scope", ContactScope),)

    msisdn: Mapped[str] = mapped_column(Msisdn, primary_key=True)
    scope: Mapped[str] = mapped_column(word(), primary_key=True)
    list_id: Mapped[int] = mapped_column(BigId, ForeignKey("do_not_call_lists.id"))


class Phase(Base):
    """When a province, or one of its districts, is invited: local days, both included (R8)."""

    __tablename__ = "phases"
    __table_args__ = (
        one_of("scheme", Scheme),
        CheckConstraint(
            "closes_on IS NULL OR closes_on >= opens_on", name="opens_before_it_closes"
        ),
        Index(
            "uq_phases_district",
            *("scheme", "province_code", "district_code"),
            unique=True,
            sqlite_where=text("district_code IS NOT NULL"),
            postgresql_where=text("district_code IS NOT NULL"),
        ),
        Index(
            "uq_phases_province",
            *("scheme", "province_code"),
            unique=True,
            sqlite_where=text("district_code IS NULL"),
            postgresql_where=text("district_code IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    scheme: Mapped[str] = mapped_column(word())
    province_code: Mapped[str] = mapped_column(PlaceCode)
    district_code: Mapped[str | None] = mapped_column(PlaceCode)
    opens_on: Mapped[date]
    closes_on: Mapped[date | None] = mapped_column(default=None)
